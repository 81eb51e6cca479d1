"""What a member of the paper's market gains, in cash, by another effort than its answer, when nobody else can react.

Bids are made from announced prices, so that what a DAO receives stands; a member's share of it is by what it delivers:
its quality contribution, which its epochs do not move, and its freshness, which falls with them.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from flnft_sim.agents.decision import Decision
from flnft_sim.arrays import Floats
from flnft_sim.game import delivered_shares

_PRIVACY_CHOICES = 9


class Effort(NamedTuple):
    """The best other effort of one member: what it keeps honestly, what it gains, how many were tried."""

    kind: str
    member: int
    factor: float
    honest: float
    gain: float
    tried: int


def other_efforts(decision: Decision, receipts_money: float) -> Iterator[Effort]:
    """Let each member train other whole epochs, none included, and give another ε, one at a time."""
    step, problem = decision.step, decision.problem
    epochs = np.where(step.takes_part, step.epochs, 0)
    honest = _cash(decision, receipts_money, epochs, step.privacy)
    low, high = (float(end) for end in problem.privacy_range)
    most = np.maximum(0, np.floor(problem.users.epochs_max)).astype(int)
    for member in range(epochs.size):
        k, e = int(epochs[member]), float(step.privacy[member])
        ways = {
            "effort": [(other, e) for other in range(int(most[member]) + 1) if other != k],
            "privacy": [(k, float(other)) for other in np.linspace(low, high, _PRIVACY_CHOICES)] if k else [],
        }
        for kind, ways_of_kind in ways.items():
            fair = best = float(honest[member])
            factor = 1.0
            for other_k, other_e in ways_of_kind:
                changed, privacy = epochs.copy(), step.privacy.copy()
                changed[member], privacy[member] = other_k, other_e
                kept = float(_cash(decision, receipts_money, changed, privacy)[member])
                if kept > best + 1e-6:  # a unit of money: less cannot be paid
                    best, factor = kept, other_k / max(1, k) if kind == "effort" else other_e / max(e, 1e-9)
            yield Effort(kind, member, factor, fair, best - fair, len(ways_of_kind))


def _cash(decision: Decision, receipts_money: float, epochs: Floats, privacy: Floats) -> Floats:
    """What each member (N,) keeps of the receipts after its costs, at these efforts."""
    step, problem = decision.step, decision.problem
    works = epochs > 0
    quality = np.where(works, problem.users.quality_contributions, 0.0)
    fresh = np.where(works, step.terms.freshness(np.maximum(epochs, 1.0)), 0.0)
    shares = delivered_shares(
        problem.weights(quality),
        problem.weights(fresh),
        quality_money=float(step.quality_money.sum()),
        freshness_money=float(step.freshness_money.sum()),
    )
    cost = np.where(works, problem.cost(epochs.astype(np.float64), privacy), 0.0)
    return np.asarray(receipts_money * shares - cost)
