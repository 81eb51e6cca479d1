"""Members by the hundred thousand: rows of arrays instead of an agent, a key and a generator each."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from flnft_sim.agents.dao.members import Columns, Membership, Process
from flnft_sim.agents.dao.work import Work
from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.clock.crowd import Crowd
from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.learning import LocalUpdates, Participation
from flnft_sim.ledger import from_units
from flnft_sim.network.crowd import OUTCOMES, CrowdTask

if TYPE_CHECKING:
    from flnft_sim.agents.dao.dao import MuDao
    from flnft_sim.agents.world import World


class CrowdMembers(Membership):
    """A DAO's crowd: its updates become final by batches, which the DAO submits in its members' name."""

    def __init__(self, world: "World", numbers: Ints, cpu_hz: Floats, inflates: Bools) -> None:
        self.world, self.numbers, self.cpu_hz, self.inflates = world, numbers, cpu_hz, inflates
        self.names: Sequence[str] = [f"user-{number}" for number in numbers.tolist()]
        self.addresses: Sequence[str] = [crowd_address(world.streams.seed, n) for n in numbers.tolist()]
        self._away_until_s = np.zeros(len(numbers))
        self._last: Columns | None = None

    def present(self) -> Bools:
        return self._away_until_s <= self.world.env.now

    def show(self, activity: str) -> None:
        """A crowd is shown as its DAO is."""

    def tell_decision(self, dao: "MuDao", round_number: int, start_s: float) -> None:
        """The DAO's own span tells it."""

    def expected_consensus_s(self, ledger: PrivateLedger) -> Floats:
        return ledger.expected_of([None])  # the DAO submits its members' batches

    def work(
        self,
        dao: "MuDao",
        plan: Participation,
        updates: LocalUpdates,
        *,
        episode: int,
        round_number: int,
        draws: Floats,
    ) -> Process:
        del updates
        env, failures = self.world.env, self.world.settings.failures
        drops = draws[plan.users, 0] < failures.dropout_rate
        moment = np.where(drops, draws[plan.users, 1], 1.0)
        task = CrowdTask(
            train_s=plan.epochs * dao.seconds_per_epoch[plan.users] * moment,
            bits=dao.learner.model.upload_bits,
            drops=drops,
            deadline_s=self.world.settings.timeline.round_deadline_s or np.inf,
        )
        closes_s = env.now + task.deadline_s

        def agree(batch: Ints):  # type: ignore[no-untyped-def]  # an event, whose type is SimPy's
            digest = hashlib.sha256(plan.users[batch].astype("<i8").tobytes()).hexdigest()
            payload = {"episode": episode, "round": round_number, "updates": len(batch), "users": digest}
            return dao.ledger.submit("updates", dao.key, payload, closes_s=closes_s)

        batch_every_s = self.world.settings.private_ledger.batch_every_s
        crowd = Crowd(env, self.world.cell, self.numbers, agree, batch_every_s=batch_every_s)
        done = yield crowd.work(task, plan.users)
        left_s = np.where(np.isfinite(done.trained_s), done.trained_s, env.now)
        self._away_until_s[plan.users[drops]] = left_s[drops] + failures.return_s
        work = Work(
            started_s=np.full(len(task), done.started_s),
            train_s=np.nan_to_num(done.trained_s - done.started_s),
            upload_s=np.nan_to_num(done.uploaded_s - done.trained_s),
            consensus_s=np.nan_to_num(done.final_s - done.uploaded_s),
            final_s=done.final_s,
            outcomes=np.array(OUTCOMES)[done.outcomes],
        )
        self._tell_last(dao, work, round_number)
        return work

    def record(self, columns: Columns) -> None:
        """Keep the last round's rows only: a crowd's rounds would not fit into memory, and `rounds` sums them up."""
        self._last = columns
        self.world.records.crowds[int(self.numbers[0])] = columns

    def book(self, units_by_address: Mapping[str, int]) -> None:
        if self._last is not None:
            units = [units_by_address.get(address, 0) for address in self.addresses]
            self._last["reward_received_money"] = np.array([from_units(each) for each in units])

    def _tell_last(self, dao: "MuDao", work: Work, round_number: int) -> None:
        """Spans of the member whose update was final last: the round's critical path."""
        if not work.arrived.any():
            return
        last = int(np.nanargmax(work.final_s))
        now_s = float(work.started_s[last])
        for phase, seconds in (("training", work.train_s), ("upload", work.upload_s), ("consensus", work.consensus_s)):
            end_s = now_s + float(seconds[last])
            self.world.spans.add(
                self.names[last], phase, now_s, end_s, round=round_number, dao=dao.label, of=len(work.outcomes)
            )
            now_s = end_s


def crowd_address(seed: int, number: int) -> str:
    """A member's address: it signs nothing itself, so it has no key to derive it from."""
    return hashlib.sha256(f"crowd member {seed}/{number}".encode()).hexdigest()[:40]
