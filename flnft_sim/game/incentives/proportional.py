"""The paper's reward: money is shared in proportion to what users bring (Eq. 13)."""

from typing import Any

from flnft_sim.game.incentives.base import REWARDS


@REWARDS.register("proportional")
def proportional(contributions: Any) -> Any:
    """A contribution weighs what it is: τ = θ/Σθ."""
    return contributions
