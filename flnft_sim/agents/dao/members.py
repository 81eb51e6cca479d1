"""Who a DAO's members are and how they do a round's work: one agent each, or (see `crowd`) rows of arrays."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import partial
from typing import Any

import numpy as np
import simpy

from flnft_sim.agents.conduct import SYBIL, Names
from flnft_sim.agents.dao.round import Round
from flnft_sim.agents.user import Assignment, MetaverseUser
from flnft_sim.agents.world import World
from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.clock.calls import EndOfInstant, closing_s
from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.clock.work import Work
from flnft_sim.errors import InputError
from flnft_sim.learning import LocalUpdates
from flnft_sim.ledger import from_units
from flnft_sim.results.tables import COLUMNS as TABLES
from flnft_sim.results.tables import UserRow

Columns = dict[str, Any]  # of the table `users`: arrays (N,), or one value for all rows
_DEFAULTS: Columns = {each.name: each.default for each in fields(UserRow) if each.default is not MISSING}
Process = Generator[simpy.Event, Any, Any]


class Membership(ABC):
    """N members as arrays over their rows: `numbers` (in the cell), `cpu_hz`, who `inflates`, each `conduct`."""

    numbers: Ints
    cpu_hz: Floats
    inflates: Bools
    conduct: Names
    names: Sequence[str]
    addresses: Sequence[str]
    users: Sequence[MetaverseUser] = ()  # one agent a member; none in a crowd

    def __len__(self) -> int:
        return len(self.numbers)

    def names_of_each(self) -> Ints:
        """How many names the user has whose name each is: (N,)."""
        sybils = self.conduct == SYBIL
        return np.where(sybils, np.count_nonzero(sybils), 1)

    @abstractmethod
    def present(self) -> Bools:
        """Who has not dropped out, or is back: (N,)."""

    @abstractmethod
    def show(self, activity: str) -> None:
        """Let whoever looks see what all members present are doing."""

    @abstractmethod
    def tell_decision(self, label: str, round_number: int, start_s: float) -> None:
        """Leave spans, under the DAO's label, of a decision phase that ends now."""

    @abstractmethod
    def expected_consensus_s(self, ledger: PrivateLedger) -> Floats:
        """About how long each member's update takes on the DAO's ledger, in seconds: (N,), or (1,) if all alike."""

    @abstractmethod
    def work(self, held: Round, train_s: Floats, upload_bits: int, draws: Floats) -> Process:
        """Send a round's participants to work until all are done or the deadline has passed; returns their `Work`.

        Each of the plan's (n,) users trains for `train_s` and uploads `upload_bits`. `draws` (N, 3) over all members
        are uniform: whether one drops out, when, and whether its link fails.
        """

    @abstractmethod
    def record(self, columns: Columns) -> None:
        """Keep a round's rows of the table `users`."""

    @abstractmethod
    def book(self, units_by_address: Mapping[str, int]) -> None:
        """Book what each member received on its last row."""


class Individuals(Membership):
    """Members that are agents of their own."""

    def __init__(self, world: World, users: list[MetaverseUser], conduct: Names) -> None:
        self.world, self.users, self.conduct = world, users, conduct
        self.numbers = np.array([user.number for user in users])
        self.cpu_hz = np.array([user.cpu_hz for user in users])
        self.inflates = np.array([user.inflates for user in users])
        self.names = [user.name for user in users]
        self.addresses = [user.address for user in users]
        self._last_rows: dict[str, int] = {}  # by address, their numbers in the table `users`

    def present(self) -> Bools:
        return np.array([not user.away for user in self.users])

    def show(self, activity: str) -> None:
        for user in self.users:
            if not user.away:
                user.resting = activity

    def tell_decision(self, label: str, round_number: int, start_s: float) -> None:
        for user in self.users:
            if not user.away:
                self.world.spans.add(user.name, "decision", start_s, self.world.env.now, round=round_number, dao=label)

    def expected_consensus_s(self, ledger: PrivateLedger) -> Floats:
        return ledger.expected_of(range(len(self)))

    def work(self, held: Round, train_s: Floats, upload_bits: int, draws: Floats) -> Process:
        env, deadline_s = self.world.env, self.world.settings.timeline.round_deadline_s
        closes_s = math.inf if deadline_s is None else closing_s(env.now, deadline_s)
        work = Work.begun(len(held.plan.users), env.now)
        running = []
        for row, assignment in enumerate(self._assignments(held, train_s, upload_bits, draws, closes_s)):
            running.append(env.process(self.users[assignment.member].contribute(assignment, work, row)))
        if deadline_s is not None:
            yield env.all_of(running) | EndOfInstant(env, closes_s)
            for process in running:
                if process.is_alive:
                    process.interrupt("round deadline")
        yield env.all_of(running)  # a new one: the condition above let go of its parts when the deadline came
        self._tell_waiting(held, work)
        return work

    def record(self, columns: Columns) -> None:
        records = self.world.records.users
        self._last_rows = {address: number for number, address in enumerate(self.addresses, start=len(records))}
        records.promise(partial(_lists, columns, len(self)), len(self))

    def book(self, units_by_address: Mapping[str, int]) -> None:
        for address, units in units_by_address.items():
            self.world.records.users.amend(self._last_rows[address], "reward_received_money", from_units(units))

    def _assignments(
        self, held: Round, train_s: Floats, upload_bits: int, draws: Floats, closes_s: float
    ) -> list[Assignment]:
        """What each of the round's (n,) participants is to do."""
        failures, users = self.world.settings.failures, held.plan.users
        masks_s = np.zeros(len(users)) if held.mask_s is None else held.mask_s
        columns = (users, train_s, masks_s, draws[users])
        return [
            Assignment(
                dao=held.label,
                member=member,
                episode=held.episode,
                round=held.number,
                train_s=seconds,
                mask_s=mask_s,
                upload_bits=upload_bits,
                update_hash=update_hash,
                drops_at=moment if drops < failures.dropout_rate else None,
                link_fails=link < failures.link_failure_rate,
                closes_s=closes_s,
            )
            for member, seconds, mask_s, (drops, moment, link), update_hash in zip(
                *(column.tolist() for column in columns), _update_hashes(held.updates), strict=True
            )
        ]

    def _tell_waiting(self, held: Round, work: Work) -> None:
        """Leave spans of those whose update was final early: they have waited for the rest of the round."""
        now_s = self.world.env.now
        of_round: dict[str, Any] = {"round": held.number, "dao": held.label, "waits_for": "others"}
        for row in np.flatnonzero(work.arrived & (work.final_s < now_s)).tolist():
            name, final_s = self.users[held.plan.users[row]].name, float(work.final_s[row])
            self.world.spans.add(name, "waiting", final_s, now_s, **of_round)


def _lists(columns: Columns, count: int) -> list[list[object]]:
    """A round's columns in the order of the table, each a list of `count` values."""
    told = _DEFAULTS | columns
    if (names := TABLES["users"].keys()) != told.keys():
        other = ", ".join(sorted(names ^ told.keys()))
        raise InputError(f"the table users has no such columns, or more: {other}; tell those of `flnft tables`")
    return [
        each.tolist() if isinstance(each, np.ndarray) else each if isinstance(each, list) else [each] * count
        for each in (told[name] for name in names)
    ]


def _update_hashes(updates: LocalUpdates) -> Iterator[str]:
    """SHA-256 of what each user shares: its noised parameters, or, from a surrogate learner, what stands for them."""
    told = np.column_stack([updates.users, updates.update_norms]).astype("<f8")
    for params, own in zip(updates.params, told, strict=True):
        digest = hashlib.sha256(params.tobytes())
        digest.update(own.tobytes())
        yield digest.hexdigest()
