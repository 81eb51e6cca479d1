"""What moves users: what effort costs them, how money is shared among them, and what they make of both."""

from flnft_sim.game.incentives.base import COSTS, REWARDS, UTILITIES, Cost, Incentives, Reward, Utility

__all__ = ["COSTS", "REWARDS", "UTILITIES", "Cost", "Incentives", "Reward", "Utility"]
