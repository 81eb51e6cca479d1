"""Who a DAO's members are and how they do a round's work: one agent each, or (see `crowd_members`) rows of arrays."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import simpy

from flnft_sim.agents.dao.work import Work
from flnft_sim.agents.user import Assignment, Contribution, MetaverseUser
from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.clock.calls import EndOfInstant, closing_s
from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.learning import LocalUpdates, Participation
from flnft_sim.ledger import from_units

if TYPE_CHECKING:
    from flnft_sim.agents.dao.dao import MuDao
    from flnft_sim.agents.world import World

Columns = dict[str, Any]  # of the table `users`: arrays (N,), or one value for all rows
Process = Generator[simpy.Event, Any, Any]


class Membership(ABC):
    """N members as arrays over their rows: `numbers` (in the cell), `cpu_hz`, whether each `inflates` its asks."""

    numbers: Ints
    cpu_hz: Floats
    inflates: Bools
    names: Sequence[str]
    addresses: Sequence[str]

    def __len__(self) -> int:
        return len(self.numbers)

    @abstractmethod
    def present(self) -> Bools:
        """Who has not dropped out, or is back: (N,)."""

    @abstractmethod
    def show(self, activity: str) -> None:
        """Let whoever looks see what all members present are doing."""

    @abstractmethod
    def tell_decision(self, dao: "MuDao", round_number: int, start_s: float) -> None:
        """Leave spans of a decision phase that ends now."""

    @abstractmethod
    def expected_consensus_s(self, ledger: PrivateLedger) -> Floats:
        """About how long each member's update takes on the DAO's ledger, in seconds: (N,), or (1,) if all alike."""

    @abstractmethod
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
        """Send the plan's users to work until all are done or the deadline has passed; returns their `Work`.

        `draws` (N, 3) are uniform: whether a user drops out, when, and whether its link fails.
        """

    @abstractmethod
    def record(self, columns: Columns) -> None:
        """Keep a round's rows of the table `users`."""

    @abstractmethod
    def book(self, units_by_address: Mapping[str, int]) -> None:
        """Book what each member received on its last row."""


class Individuals(Membership):
    """Members that are agents of their own."""

    def __init__(self, world: "World", users: list[MetaverseUser]) -> None:
        self.world, self.users = world, users
        self.numbers = np.array([user.number for user in users])
        self.cpu_hz = np.array([user.cpu_hz for user in users])
        self.inflates = np.array([user.inflates for user in users])
        self.names = [user.name for user in users]
        self.addresses = [user.address for user in users]
        self._last_rows: dict[str, dict[str, Any]] = {}  # by address

    def present(self) -> Bools:
        return np.array([not user.away for user in self.users])

    def show(self, activity: str) -> None:
        for user in self.users:
            if not user.away:
                user.activity = activity

    def tell_decision(self, dao: "MuDao", round_number: int, start_s: float) -> None:
        for user in self.users:
            if not user.away:
                self.world.spans.add(
                    user.name, "decision", start_s, self.world.env.now, round=round_number, dao=dao.label
                )

    def expected_consensus_s(self, ledger: PrivateLedger) -> Floats:
        return ledger.expected_of(range(len(self)))

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
        env, failures = self.world.env, self.world.settings.failures
        deadline_s = self.world.settings.timeline.round_deadline_s
        closes_s = math.inf if deadline_s is None else closing_s(env.now, deadline_s)
        running = []
        for row, user in enumerate(plan.users):
            drops, moment, link = draws[user]
            assignment = Assignment(
                member=int(user),
                episode=episode,
                round=round_number,
                train_s=float(plan.epochs[row] * dao.seconds_per_epoch[user]),
                upload_bits=dao.learner.model.upload_bits,
                update_hash=_update_hash(updates, row),
                drops_at=float(moment) if drops < failures.dropout_rate else None,
                link_fails=bool(link < failures.link_failure_rate),
                closes_s=closes_s,
            )
            running.append(env.process(self.users[user].contribute(assignment, dao)))
        if deadline_s is not None:
            yield env.all_of(running) | EndOfInstant(env, closes_s)
            for process in running:
                if process.is_alive:
                    process.interrupt("round deadline")
        yield env.all_of(running)  # a new one: the condition above let go of its parts when the deadline came
        return self._together(dao, [cast(Contribution, process.value) for process in running], round_number)

    def record(self, columns: Columns) -> None:
        shared = {name: value for name, value in columns.items() if not isinstance(value, np.ndarray | list)}
        own = {name: value for name, value in columns.items() if name not in shared}
        own = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in own.items()}
        for row, address in enumerate(self.addresses):
            cells = shared | {name: values[row] for name, values in own.items()}
            self._last_rows[address] = {name: cells[name] for name in columns}
            self.world.records.users.append(self._last_rows[address])

    def book(self, units_by_address: Mapping[str, int]) -> None:
        for address, units in units_by_address.items():
            self._last_rows[address]["reward_received_money"] = from_units(units)

    def _together(self, dao: "MuDao", done: list[Contribution], round_number: int) -> Work:
        """Arrays of all contributions; those whose update was final early have waited for the rest of the round."""
        now_s = self.world.env.now
        for each in done:
            if each.outcome == "final" and each.final_s < now_s:
                self.world.spans.add(
                    each.user.name,
                    "waiting",
                    each.final_s,
                    now_s,
                    round=round_number,
                    dao=dao.label,
                    waits_for="others",
                )
        return Work(
            started_s=np.array([each.started_s for each in done]),
            train_s=np.array([each.train_s for each in done]),
            upload_s=np.array([each.upload_s for each in done]),
            consensus_s=np.array([each.consensus_s for each in done]),
            final_s=np.array([each.final_s for each in done]),
            outcomes=np.array([each.outcome for each in done], dtype="<U11"),
        )


def _update_hash(updates: LocalUpdates, row: int) -> str:
    """SHA-256 of what a user shares: its noised parameters, or, from a surrogate learner, what stands for them."""
    digest = hashlib.sha256(np.ascontiguousarray(updates.params[row]).tobytes())
    digest.update(np.array([updates.users[row], updates.update_norms[row]], dtype="<f8").tobytes())
    return digest.hexdigest()
