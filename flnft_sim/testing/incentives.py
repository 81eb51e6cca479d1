"""The contracts of what moves users; a utility, cost or reward of your own inherits its tests:

class TestMyUtility(UtilityContract):
    utility = "my-utility"
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from flnft_sim.game.incentives import Incentives
from flnft_sim.game.incentives.base import THE_PAPERS

type Settings = Mapping[str, Any]

NONE: Settings = MappingProxyType({})


def _incentives(family: str, name: str, settings: Settings) -> Incentives:
    return Incentives.chosen({**THE_PAPERS, family: name}, {family: settings})


def _efforts(count: int = 40) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Epochs of one stack of answers, privacy of the same, and what draws the rest."""
    rng = np.random.default_rng(7)
    return rng.integers(1, 21, (3, count)).astype(np.float64), rng.uniform(1.0, 5.0, (3, count)), rng


class UtilityContract:
    """Subclass it in a test module, set `utility` to a registered name, and pytest runs the rest."""

    utility: str
    settings: Settings = NONE

    def values(self, *arrays: Any) -> np.ndarray:
        """Φ of rewards, epochs, privacy and costs."""
        return _incentives("utility", self.utility, self.settings).utility(*arrays)

    def test_it_is_finite_and_works_element_by_element(self) -> None:
        """A stack of users, each alone, and the same in another order have the same utilities."""
        epochs, privacy, rng = _efforts()
        arrays = rng.uniform(0, 100, epochs.shape), epochs, privacy, rng.uniform(0, 50, epochs.shape)
        stack = self.values(*arrays)
        np.testing.assert_allclose(self.values(*(array[1] for array in arrays)), stack[1])
        one = [array[2, 5] for array in arrays]
        np.testing.assert_allclose(self.values(*one), stack[2, 5])

    def test_more_money_is_never_worse_and_a_higher_cost_never_better(self) -> None:
        """Φ rises in the reward and falls in the cost."""
        epochs, privacy, rng = _efforts()
        reward, cost = rng.uniform(0, 100, epochs.shape), rng.uniform(0, 50, epochs.shape)
        base = self.values(reward, epochs, privacy, cost)
        assert (self.values(reward + 1.0, epochs, privacy, cost) >= base).all()
        assert (self.values(reward, epochs, privacy, cost + 1.0) <= base).all()

    def test_what_it_is_asked_about_is_left_as_it_was(self) -> None:
        """A pure function."""
        epochs, privacy, _ = _efforts()
        arrays = [epochs * 3.0, epochs, privacy, epochs * 2.0]
        kept = [array.copy() for array in arrays]
        first = self.values(*arrays)
        np.testing.assert_array_equal(first, self.values(*arrays))
        for array, copy in zip(arrays, kept, strict=True):
            np.testing.assert_array_equal(array, copy)


class CostContract:
    """Subclass it in a test module, set `cost` to a registered name, and pytest runs the rest."""

    cost: str
    settings: Settings = NONE

    def money(self, *arrays: Any) -> np.ndarray:
        """C of epochs, privacy and both unit costs."""
        return _incentives("cost", self.cost, self.settings).cost(*arrays)

    def test_it_is_no_gain_and_works_element_by_element(self) -> None:
        """Money of at least 0; one user alone pays what it pays among others."""
        epochs, privacy, rng = _efforts()
        compute, exposure = rng.uniform(0, 3, epochs.shape), rng.uniform(0, 3, epochs.shape)
        stack = self.money(epochs, privacy, compute, exposure)
        assert (stack >= 0).all()
        np.testing.assert_allclose(self.money(epochs[0], privacy[0], compute[0], exposure[0]), stack[0])

    def test_more_effort_never_costs_less(self) -> None:
        """C rises in epochs, in ε and in both unit costs."""
        epochs, privacy, rng = _efforts()
        arrays = [epochs, privacy, rng.uniform(0, 3, epochs.shape), rng.uniform(0, 3, epochs.shape)]
        base = self.money(*arrays)
        for place in range(len(arrays)):
            more = [array + 1.0 if at == place else array for at, array in enumerate(arrays)]
            assert (self.money(*more) >= base).all()


class RewardContract:
    """Subclass it in a test module, set `reward` to a registered name, and pytest runs the rest."""

    reward: str
    settings: Settings = NONE

    def weights(self, contributions: np.ndarray) -> np.ndarray:
        """What contributions weigh."""
        return _incentives("reward", self.reward, self.settings).weights(contributions)

    def test_who_brings_nothing_gets_nothing_and_who_brings_something_counts(self) -> None:
        """Nobody is paid for nothing, and money always finds somebody."""
        weights = self.weights(np.array([0.0, 1e-3, 1.0, 50.0]))
        assert weights[0] == 0 and (weights[1:] > 0).all()

    def test_bringing_more_never_weighs_less(self) -> None:
        """Weights rise with contributions."""
        weights = self.weights(np.linspace(0.0, 100.0, 500))
        assert (np.diff(weights) >= 0).all()

    def test_what_others_bring_does_not_enter(self) -> None:
        """Element by element, whatever the shape."""
        contributions = np.random.default_rng(3).uniform(0, 50, (4, 30))
        stack = self.weights(contributions)
        np.testing.assert_allclose(self.weights(contributions[2]), stack[2])
        np.testing.assert_allclose(self.weights(contributions[:, ::-1]), stack[:, ::-1])
