"""What a DAO's members have delivered in one minting: the contributions they are paid for, and what went astray."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from flnft_sim.agents.dao.round import Round
from flnft_sim.agents.decision import Decision
from flnft_sim.arrays import Floats, Ints
from flnft_sim.game import delivered_shares, freshness_contribution
from flnft_sim.game.contribution import facts_of
from flnft_sim.results.outcome import WORKED, Outcome


@dataclass
class Deliveries:
    """Arrays (N,) over a DAO's members, over the rounds of one minting so far.

    An update counts as delivered once it is final in time and aggregated. What it is worth is what the measure says by
    which users are paid (θ^Q of its loss in the paper, Eq. 10), and θ^F of its age (Eq. 12). In the paper a fresh
    update is paid for being fresh, whatever is in it. By any other measure θ^F counts as many times as was contributed:
    what does nothing is fresh in vain. Sums may be below 0, where harm was done; nobody is paid less than nothing.
    """

    quality: Floats  # Σ c, of delivered updates; θ^Q in the paper
    freshness: Floats  # Σ θ^F in the paper, else Σ c·θ^F
    updates: dict[Outcome, Ints]  # how many ended so
    _shares: tuple[Decision, Floats] | None = field(default=None, init=False, repr=False, compare=False)
    """At the prices of a decision, until more is delivered."""

    @classmethod
    def of_nothing(cls, members: int) -> Self:
        """Before the first round."""
        counts = {outcome: np.zeros(members, dtype=np.int64) for outcome in WORKED}
        return cls(np.zeros(members), np.zeros(members), counts)

    @property
    def any(self) -> bool:
        """Whether anything was ever aggregated."""
        return bool(self.updates[Outcome.FINAL].any())

    def count(self, held: Round) -> None:
        """Count how a round's updates ended."""
        self._shares = None
        for outcome, counts in self.updates.items():
            counts[held.plan.users[held.work.outcomes == outcome]] += 1

    def credit(self, held: Round, pays_by: str, *, freshness_horizon_s: float, reputation: Floats) -> None:
        """Credit a round's updates that were aggregated, by what was measured of them, times reputations (N,)."""
        self._shares = None
        rows = np.flatnonzero(held.work.arrived)
        members = held.plan.users[rows]
        known = reputation[members]
        values = known * held.measured[pays_by].values
        fresh = freshness_contribution(held.work.age_s[rows], freshness_horizon_s=freshness_horizon_s)
        self.quality[members] += values
        self.freshness[members] += known * fresh if facts_of(pays_by).age_counts_alone else fresh * values

    def shares(self, decision: Decision) -> Floats:
        """Each member's share of what the minting earns (`game.delivered_shares`), at a decision's prices: (N,)."""
        if self._shares is None or self._shares[0] is not decision:
            found = delivered_shares(
                decision.problem.weights(np.maximum(self.quality, 0.0)),
                decision.problem.weights(np.maximum(self.freshness, 0.0)),
                quality_money=float(decision.step.quality_money.sum()),
                freshness_money=float(decision.step.freshness_money.sum()),
            )
            self._shares = decision, found
        return self._shares[1]


def astray(minting: Iterable[Deliveries]) -> str:
    """What became of updates none of which was delivered, in a few words: "3 late, 2 dropped out"."""
    totals: Counter[str] = Counter()
    for deliveries in minting:
        totals.update({outcome: int(counts.sum()) for outcome, counts in deliveries.updates.items()})
    return ", ".join(f"{total} {outcome}" for outcome, total in totals.items() if total) or "nobody took part"
