"""A DAO's private ledger on the clock: every submission is an instance of its own, appended as it commits."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import simpy

from flnft_sim.arrays import Floats
from flnft_sim.clock.calls import call_after
from flnft_sim.ledger import Block, BlockSlot, Chain, Consensus, ConsensusStalled, KeyPair, Receipt, Transaction


class PrivateLedger:
    """A ledger among a DAO's users. Instances run side by side; each commits one block of one transaction."""

    def __init__(self, env: simpy.Environment, *, consensus: Consensus, chain: Chain) -> None:
        self.env, self.consensus, self.chain = env, consensus, chain
        self.messages = self.view_changes = 0

    @property
    def expected_s(self) -> float:
        """About how long a transaction takes to be final, in seconds: the mean over those who keep a replica."""
        return float(self.expected_of(range(self.consensus.replicas)).mean())

    def expected_of(self, submitters: Iterable[int | None]) -> Floats:
        """About how long a transaction of each of them takes to be final, in seconds; see `submit`."""
        request_s = [self.consensus.expected_request_s(each) for each in submitters]
        return self.consensus.expected_s + np.array(request_s)

    def submit(
        self,
        kind: str,
        key: KeyPair,
        payload: Mapping[str, Any],
        *,
        submitter: int | None = None,
        closes_s: float = math.inf,
    ) -> simpy.Event:
        """Sign and propose a transaction; the event succeeds with its `Receipt` once it is final.

        Under PBFT it first travels to the primary: from the replica `submitter` (0 s if that is the primary itself), or
        over a link of mean delay from whoever keeps none.

        A transaction belongs to a round that closes at `closes_s`. One that is not agreed on by then finds the round
        closed: the replicas refuse to execute it, nothing is written, and the event succeeds with None.

        It fails with `ConsensusStalled` (who is down, what is missing) where the replicas that are left cannot decide,
        as soon as the one who asked could know.
        """
        instance = _Instance(self.chain.sign(key, kind, payload), self.env.now, closes_s, self.env.event())
        if (request_s := self.consensus.request_s(submitter)) > 0:
            self.messages += 1
            self._after(request_s, self._propose, instance)
        else:
            self._propose(instance)
        return instance.answer

    def _propose(self, instance: "_Instance") -> None:
        """Let the replicas run it; or tell that they never will, once that can be known."""
        try:
            slot = self.consensus.next_block(self.env.now)
            while slot.stale:
                slot = self.consensus.next_block(slot.time_s)
        except ConsensusStalled as error:
            self._after(error.noticed_after_s, instance.answer.fail, error)
            return
        self.messages += slot.messages
        self.view_changes += slot.views - 1
        self._after(slot.time_s - self.env.now, self._commit, instance, slot)

    def _commit(self, instance: "_Instance", slot: BlockSlot) -> None:
        """Write what was agreed on in time, and answer when it is final."""
        if slot.final_s > instance.closes_s:
            instance.answer.succeed(None)
            return
        block = self.chain.append([instance.transaction], time_s=self.env.now, producer=slot.producer)
        if slot.final_s > self.env.now:
            self._after(slot.final_s - self.env.now, self._confirm, instance, block)
        else:
            self._confirm(instance, block)

    def _confirm(self, instance: "_Instance", block: Block) -> None:
        now_s = self.env.now
        instance.answer.succeed(Receipt(block.height, now_s, now_s - instance.submitted_s))

    def _after(self, delay_s: float, act: Callable[..., Any], *told: Any) -> None:
        call_after(self.env, delay_s, lambda _event: act(*told))


class _Instance(NamedTuple):
    """One transaction's way to finality; its `answer` is what `submit` has returned."""

    transaction: Transaction
    submitted_s: float
    closes_s: float
    answer: simpy.Event
