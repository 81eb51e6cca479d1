"""Users' answers where utility, cost or reward are not the paper's: every whole k is tried, and ε is searched for.

It takes some thirty times as long as the closed forms of `flnft_sim.game.answers`, and is equal to them for the paper's
utility, cost and reward. Users count that training longer makes their own update older.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from flnft_sim.arrays import Floats, Ints
from flnft_sim.game.answers import UserTerms
from flnft_sim.game.incentives import Incentives

PRIVACY_GRID = 24  # values of ε that are tried everywhere before the best one's neighbourhood is searched
POINTS, ZOOMS = 9, 14  # of a search: a bracket shrinks to a quarter each time, to 10⁻⁸
TURNS = 5  # of k and ε, each at its best for the other; what is left of their way is then foreseen (Aitken)


@dataclass(frozen=True, kw_only=True)
class NumericTerms(UserTerms):
    """What N users weigh at announced prices, by any incentives; the freshness price is for a unit of weight."""

    incentives: Incentives

    def rewards(self, epochs: Floats) -> Floats:
        """δ(k) = A + p·w(θ^F(k))."""
        return self.quality_rewards + self.freshness_price * self.incentives.weights(self.freshness(epochs))

    def utilities(self, epochs: Floats, privacy: Floats | None = None) -> Floats:
        """Φ at k and its own δ(k); with the best ε for it unless one is given."""
        rewards = self.rewards(epochs)
        return self._best(epochs, rewards)[1] if privacy is None else self._utility(rewards, epochs, privacy)

    def best_privacy(self, epochs: Floats) -> Floats:
        """ε* at k and its own δ(k), within its range."""
        return self._best(epochs, self.rewards(epochs))[0]

    def own_age_peaks(self, whole: Ints) -> Floats:
        """The real k within an epoch of the best whole one at which Φ(k) peaks, ε being best for it."""
        turns = [whole.astype(np.float64)]
        low, high = np.maximum(1.0, turns[0] - 1.0), np.minimum(self.most_epochs, turns[0] + 1.0)
        for _ in range(TURNS):
            along = partial(self._along, self.best_privacy(turns[-1]))
            turns.append(_peak(along, low, high)[0])
        former, last = turns[-2] - turns[-3], turns[-1] - turns[-2]
        part = np.divide(last, former - last, out=np.zeros_like(last), where=np.abs(last) < 0.9 * np.abs(former))
        return np.clip(turns[-1] + part * last, low, high)

    def _along(self, privacy: Floats, epochs: Floats) -> Floats:
        return self._utility(self.rewards(epochs), epochs, privacy)

    def _utility(self, rewards: Floats, epochs: Floats, privacy: Floats) -> Floats:
        cost = self.incentives.cost(epochs, privacy, self.compute_costs, self.privacy_costs)
        return self.incentives.utility(rewards, epochs, privacy, cost)

    def _best(self, epochs: Floats, rewards: Floats) -> tuple[Floats, Floats]:
        """(ε*, Φ there): the best of a grid, an end of the range included, or what lies beside it and is better."""
        grid = np.unique(np.clip(np.geomspace(*self.privacy_range, PRIVACY_GRID), *self.privacy_range))
        heights = self._utility(rewards, epochs, grid.reshape(-1, *[1] * rewards.ndim))
        at, coarse = heights.argmax(axis=0), heights.max(axis=0)
        left, right = grid[np.maximum(at - 1, 0)], grid[np.minimum(at + 1, grid.size - 1)]
        place, height = _peak(lambda ε: self._utility(rewards, epochs, ε), left, right)
        return np.where(height > coarse, place, grid[at]), np.maximum(height, coarse)


def _peak(heights: Callable[[Floats], Floats], left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Where a function is highest between `left` and `right`, and how high, entry by entry.

    It is asked at stacks of points (P, …), and should have one peak there.
    """
    steps = np.linspace(0.0, 1.0, POINTS).reshape(-1, *[1] * np.ndim(left))
    for _ in range(ZOOMS):
        points = left + (right - left) * steps
        values = heights(points)
        at = values.argmax(axis=0)[None]
        left, right = (np.take_along_axis(points, np.clip(at + side, 0, POINTS - 1), 0)[0] for side in (-1, 1))
    return np.take_along_axis(points, at, 0)[0], np.take_along_axis(values, at, 0)[0]
