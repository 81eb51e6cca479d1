"""Members by the hundred thousand: rows of arrays instead of an agent, a key and a generator each."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import simpy

from flnft_sim.agents.conduct import all_honest
from flnft_sim.agents.dao.members import Columns, Membership, Process
from flnft_sim.agents.dao.round import Round
from flnft_sim.agents.world import World
from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.clock.crowd import Agree, Crowd, CrowdTask
from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.clock.work import Work
from flnft_sim.ledger import KeyPair, from_units


class CrowdMembers(Membership):
    """A DAO's crowd: its updates become final by batches, which the DAO submits in its members' name."""

    def __init__(
        self,
        world: World,
        numbers: Ints,
        cpu_hz: Floats,
        inflates: Bools,
        *,
        ledger: PrivateLedger,
        key: KeyPair,
    ) -> None:
        self.world, self.numbers, self.cpu_hz, self.inflates = world, numbers, cpu_hz, inflates
        self.conduct = all_honest(len(numbers))
        self._ledger, self._key = ledger, key  # its DAO's
        self.names: Sequence[str] = [f"user-{number}" for number in numbers.tolist()]
        self.addresses: Sequence[str] = [crowd_address(world.streams.seed, n) for n in numbers.tolist()]
        self._away_until_s = np.zeros(len(numbers))
        self._last: Columns | None = None
        self._crowd: Crowd | None = None  # while a round is under way

    def present(self) -> Bools:
        return self._away_until_s <= self.world.env.now

    def show(self, activity: str) -> None:
        """A crowd is shown as its DAO is, and by `states` while it works."""

    def states(self) -> dict[str, int]:
        """How many members are in which phase of the round's work; empty between rounds."""
        return {} if self._crowd is None else self._crowd.states()

    def tell_decision(self, label: str, round_number: int, start_s: float) -> None:
        """The DAO's own span tells it."""

    def expected_consensus_s(self, ledger: PrivateLedger) -> Floats:
        return ledger.expected_of([None])  # the DAO submits its members' batches

    def work(self, held: Round, train_s: Floats, upload_bits: int, draws: Floats) -> Process:
        env, users, failures = self.world.env, held.plan.users, self.world.settings.failures
        drops = draws[users, 0] < failures.dropout_rate
        task = CrowdTask(
            train_s=train_s * np.where(drops, draws[users, 1], 1.0),
            bits=upload_bits,
            drops=drops,
            deadline_s=self.world.settings.timeline.round_deadline_s or np.inf,
        )
        trained_s, batch_every_s = env.now + task.train_s, self.world.settings.private_ledger.batch_every_s
        agree = self._agreeing(held, closes_s=env.now + task.deadline_s)
        self._crowd = Crowd(env, self.world.cell, self.numbers, agree, batch_every_s=batch_every_s)
        work: Work = yield self._crowd.work(task, users)
        self._crowd = None
        left_s = np.minimum(trained_s, env.now)  # the deadline may have come before
        self._away_until_s[users[drops]] = left_s[drops] + failures.return_s
        self._tell_last(held, work)
        return work

    def _agreeing(self, held: Round, closes_s: float) -> Agree:
        """How a batch of a round's updates is put to consensus."""

        def agree(batch: Ints) -> simpy.Event:
            digest = hashlib.sha256(held.plan.users[batch].astype("<i8").tobytes()).hexdigest()
            payload = {"episode": held.episode, "round": held.number, "updates": len(batch), "users": digest}
            return self._ledger.submit("updates", self._key, payload, closes_s=closes_s)

        return agree

    def record(self, columns: Columns) -> None:
        """Keep the last round's rows only: a crowd's rounds would not fit into memory, and `rounds` sums them up."""
        self._last = columns
        self.world.records.crowds[int(self.numbers[0])] = columns

    def book(self, units_by_address: Mapping[str, int]) -> None:
        if self._last is not None:
            units = [units_by_address.get(address, 0) for address in self.addresses]
            self._last["reward_received_money"] = np.array([from_units(each) for each in units])

    def _tell_last(self, held: Round, work: Work) -> None:
        """Spans of the member whose update was final last: the round's critical path."""
        if not work.arrived.any():
            return
        last = int(np.nanargmax(work.final_s))
        now_s = float(work.started_s[last])
        for phase, seconds in (("training", work.train_s), ("upload", work.upload_s), ("consensus", work.consensus_s)):
            end_s = now_s + float(seconds[last])
            self.world.spans.add(self.names[last], phase, now_s, end_s, round=held.number, dao=held.label, of=len(work))
            now_s = end_s


def crowd_address(seed: int, number: int) -> str:
    """A member's address: it signs nothing itself, so it has no key to derive it from."""
    return hashlib.sha256(f"crowd member {seed}/{number}".encode()).hexdigest()[:40]
