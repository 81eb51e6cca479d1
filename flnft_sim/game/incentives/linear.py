"""The paper's cost: so much for an epoch, so much for a unit of the ε asked for (Eq. 5)."""

from typing import Any

from numpy.typing import ArrayLike

from flnft_sim.game.incentives.base import COSTS
from flnft_sim.game.utilities import effort_cost


@COSTS.register("linear")
def linear(epochs: ArrayLike, privacy: ArrayLike, compute_cost: ArrayLike, privacy_cost: ArrayLike) -> Any:
    """C = C^c·k + C^p·ε."""
    return effort_cost(epochs, privacy, compute_cost, privacy_cost)
