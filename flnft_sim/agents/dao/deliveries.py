"""What a DAO's members have delivered in one minting: the contributions they are paid for, and what went astray."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from flnft_sim.agents.dao.round import Round
from flnft_sim.agents.decision import Decision
from flnft_sim.arrays import Floats, Ints
from flnft_sim.game import delivered_shares, freshness_contribution, quality_contribution
from flnft_sim.results.outcome import WORKED, Outcome


@dataclass
class Deliveries:
    """Arrays (N,) over a DAO's members, over the rounds of one minting so far.

    An update counts as delivered once it is final in time and aggregated. What it is worth is what the paper's two
    contributions come to as measured: θ^Q (Eq. 10) of its loss, θ^F (Eq. 12) of its age.
    """

    quality: Floats  # Σ θ^Q of delivered updates
    freshness: Floats  # Σ θ^F of delivered updates
    updates: dict[Outcome, Ints]  # how many ended so

    @classmethod
    def of_nothing(cls, members: int) -> Self:
        """Before the first round."""
        counts = {outcome: np.zeros(members, dtype=np.int64) for outcome in WORKED}
        return cls(np.zeros(members), np.zeros(members), counts)

    @property
    def any(self) -> bool:
        """Whether anything was ever aggregated."""
        return bool(self.updates[Outcome.FINAL].any())

    def take_in(self, held: Round, shard_sizes: Ints, *, mu0: float, mu1: float, freshness_horizon_s: float) -> None:
        """Count a round's updates, and credit those that were aggregated."""
        work, users = held.work, held.plan.users
        for outcome, counts in self.updates.items():
            counts[users[work.outcomes == outcome]] += 1
        rows = np.flatnonzero(work.arrived)
        members, losses = users[rows], held.updates.losses[rows]
        self.quality[members] += quality_contribution(shard_sizes[members], losses, mu0=mu0, mu1=mu1)
        self.freshness[members] += freshness_contribution(work.age_s[rows], freshness_horizon_s=freshness_horizon_s)

    def shares(self, decision: Decision) -> Floats:
        """Each member's share of what the minting earns (`game.delivered_shares`), at a decision's prices: (N,)."""
        return delivered_shares(
            decision.problem.weights(self.quality),
            decision.problem.weights(self.freshness),
            quality_money=float(decision.step.quality_money.sum()),
            freshness_money=float(decision.step.freshness_money.sum()),
        )


def astray(minting: Iterable[Deliveries]) -> str:
    """What became of updates none of which was delivered, in a few words: "3 late, 2 dropped out"."""
    totals: Counter[str] = Counter()
    for deliveries in minting:
        totals.update({outcome: int(counts.sum()) for outcome, counts in deliveries.updates.items()})
    return ", ".join(f"{total} {outcome}" for outcome, total in totals.items() if total) or "nobody took part"
