"""A crowd on the clock: the members of a large DAO as rows of arrays, moved by callbacks instead of a process each.

A user costs an upload event and a few floats. The ends of training are sorted once and take their turns in SimPy's
queue one at a time, so the queue stays short however many users there are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import simpy

from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.checks import not_negative
from flnft_sim.clock.calls import EndOfInstant, call_at, call_when
from flnft_sim.clock.radio_cell import RadioCell
from flnft_sim.clock.work import Work
from flnft_sim.errors import InputError
from flnft_sim.results.outcome import Outcome

type Agree = Callable[[Ints], simpy.Event]
"""Put a batch of updates (rows of the task) to consensus; the event succeeds when it is final."""


@dataclass(frozen=True)
class CrowdTask:
    """What n users are to do in a round.

    `train_s` (n,) seconds of training, `bits` of each upload, `drops` (n,) whether a user drops out when its
    training ends, and the seconds after which whoever is not final is late.
    """

    train_s: Floats
    bits: float
    drops: Bools | None = None
    deadline_s: float = np.inf

    def __post_init__(self) -> None:
        not_negative("train_s", self.train_s, "s")
        not_negative("bits", self.bits, "bit")
        if not self.deadline_s > 0.0:
            raise InputError(f"deadline_s = {self.deadline_s} s: must be above 0, or infinite for none")
        if self.drops is not None and self.drops.shape != self.train_s.shape:
            raise InputError(f"drops of shape {self.drops.shape}: must be as train_s, {self.train_s.shape}")

    def __len__(self) -> int:
        return len(self.train_s)

    def dropping(self) -> Bools:
        """`drops`, filled with False where nobody does."""
        return np.zeros(len(self), dtype=bool) if self.drops is None else self.drops


class Crowd:
    """Users who train, upload through a cell, and become final by batches.

    One batch is agreed on at a time, and they begin at least `batch_every_s` apart. `users` are the rows' numbers in
    the cell. Where the crowd has its cell to itself and there is no cross-talk, a round can be computed
    without events, too, which tests hold it to.
    """

    def __init__(
        self,
        env: simpy.Environment,
        cell: RadioCell,
        users: Ints,
        agree: Agree,
        *,
        batch_every_s: float = 0.0,
    ) -> None:
        self.env, self.cell, self.users, self.agree = env, cell, users, agree
        self.batch_every_s = float(not_negative("batch_every_s", batch_every_s, "s"))
        self._under_way: _Round | None = None

    def work(self, task: CrowdTask, rows: Ints | None = None) -> simpy.Event:
        """Send users to work; the event succeeds with the `Work` when all are done or the deadline has passed.

        `rows` are those who take part (default: everyone), one entry of the task each. An update whose consensus fails
        is "stalled".
        """
        users = self.users if rows is None else self.users[rows]
        self._under_way = _Round(self, task, users.tolist())
        return self._under_way.done

    def states(self) -> dict[str, int]:
        """How many users are in which phase of the round that is under way, or was last."""
        return {} if self._under_way is None else self._under_way.states()


class _Round:
    """One round of a crowd: callbacks that hand each row on from training to upload to a batch."""

    def __init__(self, crowd: Crowd, task: CrowdTask, users: list[int]) -> None:
        self.crowd, self.task, self.users = crowd, task, users
        self.env = crowd.env
        self.done = self.env.event()
        self.open = True  # until all are done or the deadline has passed
        self.started_s = self.env.now
        self.trained_s = self.started_s + task.train_s
        self.uploaded_s, self.final_s = np.full(len(task), np.nan), np.full(len(task), np.nan)
        order = np.argsort(self.trained_s, kind="stable")
        self.senders: list[int] = order[~task.dropping()[order]].tolist()  # in the order in which their training ends
        self.ends_s: list[float] = self.trained_s[self.senders].tolist()
        self.sent = 0  # of the senders: how many have begun their upload
        self.ready: list[int] = []  # uploaded, wait for the next batch
        self.agreeing = False  # a batch is under way or about to begin
        self.next_batch_s = self.started_s
        self.stalled: list[int] = []
        self.undecided = len(self.senders)  # neither final nor stalled
        self.last_drop_s = float(np.max(self.trained_s[task.dropping()], initial=self.started_s))
        if np.isfinite(task.deadline_s):
            call_when(EndOfInstant(self.env, self.started_s + task.deadline_s), self._close)
        if self.senders:
            call_at(self.env, self.ends_s[0], self._trained)
        else:
            call_at(self.env, self.last_drop_s, self._close)

    def _trained(self, _event: simpy.Event) -> None:
        if not self.open:
            return
        row = self.senders[self.sent]
        self.sent += 1
        call_when(self.crowd.cell.upload(self.users[row], self.task.bits), partial(self._uploaded, row))
        if self.sent < len(self.senders):
            call_at(self.env, self.ends_s[self.sent], self._trained)

    def states(self) -> dict[str, int]:
        """How many train, upload, wait for consensus, and wait for the others."""
        uploaded, final = (int(np.isfinite(times_s).sum()) for times_s in (self.uploaded_s, self.final_s))
        training = len(self.senders) - self.sent + int((self.trained_s[self.task.dropping()] > self.env.now).sum())
        agreeing = uploaded - final - len(self.stalled)
        return {"training": training, "upload": self.sent - uploaded, "consensus": agreeing, "waiting": final}

    def _uploaded(self, row: int, _event: simpy.Event) -> None:
        if not self.open:
            return
        self.uploaded_s[row] = self.env.now
        self.ready.append(row)
        if not self.agreeing:
            self._await_batch()

    def _await_batch(self) -> None:
        self.agreeing = True
        call_at(self.env, self.next_batch_s, self._agree)  # if that is now: behind who else is ready at this instant

    def _agree(self, _event: simpy.Event) -> None:
        if self.open:
            batch, self.ready = np.array(self.ready), []
            self.next_batch_s = self.env.now + self.crowd.batch_every_s
            call_when(self.crowd.agree(batch), partial(self._agreed, batch))

    def _agreed(self, batch: Ints, event: simpy.Event) -> None:
        event.defused = True  # a batch that stalls is an outcome, also where nobody waits for it any more
        if not self.open:
            return
        if event.ok:
            self.final_s[batch] = self.env.now
        else:
            self.stalled.extend(batch.tolist())
        self.undecided -= len(batch)
        self.agreeing = False
        if self.ready:
            self._await_batch()
        elif not self.undecided:
            call_at(self.env, self.last_drop_s, self._close)

    def _close(self, _event: simpy.Event) -> None:
        """All are done, or the deadline has come: whoever still uploads gives up."""
        if not self.open:
            return
        self.open = False
        for row in self.senders[: self.sent]:
            if self.crowd.cell.is_uploading(self.users[row]):
                self.crowd.cell.abort(self.users[row])
        stages_s = (self.trained_s, self.uploaded_s, self.final_s)
        self.done.succeed(close_round(self.task, self.started_s, *stages_s, stalled=self.stalled))


def close_round(
    task: CrowdTask,
    started_s: float,
    trained_s: Floats,
    uploaded_s: Floats,
    final_s: Floats,
    *,
    stalled: Sequence[int] = (),
) -> Work:
    """The round as it stands at its deadline: what came later did not happen. `stalled` rows never were agreed on.

    The three stages are (n,) instants in seconds, NaN where a row never came to it.
    """
    end_s = started_s + task.deadline_s
    trained_s, uploaded_s, final_s = (
        np.where(stage_s <= end_s, stage_s, np.nan) for stage_s in (trained_s, uploaded_s, final_s)
    )
    work = Work.begun(len(task), started_s)
    work.train_s = np.nan_to_num(trained_s - started_s)
    work.upload_s = np.nan_to_num(uploaded_s - trained_s)
    work.consensus_s = np.nan_to_num(final_s - uploaded_s)
    work.final_s = final_s
    work.outcomes[np.isfinite(final_s)] = Outcome.FINAL
    work.outcomes[task.dropping() & np.isfinite(trained_s)] = Outcome.DROPPED_OUT
    work.outcomes[np.asarray(stalled, dtype=int)] = Outcome.STALLED
    return work
