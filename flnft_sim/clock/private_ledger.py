"""A DAO's private ledger on the clock: every submission is an instance of its own, appended as it commits."""

import math
from collections.abc import Generator, Iterable, Mapping
from typing import Any

import numpy as np
import simpy

from flnft_sim.arrays import Floats
from flnft_sim.ledger import Chain, Consensus, ConsensusStalled, KeyPair, Receipt, Transaction


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
        return self.env.process(self._decide(self.chain.sign(key, kind, payload), submitter, closes_s))

    def _decide(
        self, transaction: Transaction, submitter: int | None, closes_s: float
    ) -> Generator[simpy.Event, Any, Receipt | None]:
        env, submitted_s = self.env, self.env.now
        if (request_s := self.consensus.request_s(submitter)) > 0:
            self.messages += 1
            yield env.timeout(request_s)
        try:
            slot = self.consensus.next_block(env.now)
            while slot.stale:
                slot = self.consensus.next_block(slot.time_s)
        except ConsensusStalled as error:
            yield env.timeout(error.noticed_after_s)
            raise
        self.messages += slot.messages
        self.view_changes += slot.views - 1
        yield env.timeout(slot.time_s - env.now)
        if slot.final_s > closes_s:
            return None
        block = self.chain.append([transaction], time_s=env.now, producer=slot.producer)
        if slot.final_s > env.now:
            yield env.timeout(slot.final_s - env.now)
        return Receipt(block.height, env.now, env.now - submitted_s)
