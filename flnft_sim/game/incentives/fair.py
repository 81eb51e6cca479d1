"""The paper's utility: the reward times an increasing and concave benefit of effort, less its cost (Eq. 14)."""

from typing import Any

from numpy.typing import ArrayLike

from flnft_sim.game.incentives.base import UTILITIES
from flnft_sim.game.utilities import fair_benefit
from flnft_sim.settings.game import FairSettings


@UTILITIES.register("fair", settings=FairSettings)
def fair(reward: Any, epochs: ArrayLike, privacy: ArrayLike, cost: Any, *, settings: FairSettings) -> Any:
    """Φ = δ·(h(k) + h(ε)) − C, h(x) = x^(1−σ)/(1−σ)."""
    return (
        reward * (fair_benefit(epochs, fairness=settings.sigma) + fair_benefit(privacy, fairness=settings.sigma)) - cost
    )
