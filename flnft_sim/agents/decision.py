"""What users and providers agree on in a decision phase."""

from dataclasses import dataclass

from flnft_sim.arrays import Floats
from flnft_sim.game import DecisionProblem, DecisionStep


@dataclass(frozen=True)
class Decision:
    """What a decision phase came to: the last exchange, who took part in it, what it cost in time."""

    buyers: tuple[int, ...]
    """Numbers of the M providers that priced, in the order of the arrays (M,)."""
    problem: DecisionProblem
    step: DecisionStep
    seconds: float
    settled: bool | None = None
    """Whether prices settled before the decision period was over; None where no decision was held on the clock."""

    @property
    def believed_rivals_money(self) -> Floats:
        """What each provider believes all others bid together: (M,) money."""
        known = self.step.quality_money, self.step.freshness_money  # where valuations are
        quality, freshness = self.problem.providers.beliefs or known
        everyone = quality + freshness
        return everyone.sum() - everyone

    @property
    def rewards(self) -> Floats:
        """Σ_j δ_ij as announced, all providers counted as paying: (N,) money."""
        step = self.step
        return step.quality_money.sum() * step.quality_shares + step.freshness_money.sum() * step.freshness_shares
