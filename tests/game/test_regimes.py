"""Demand regimes: stationary shares, dwelling times, order and noise as set."""

import numpy as np
import pytest

from flnft_sim.errors import InputError
from flnft_sim.game import DemandRegimes
from flnft_sim.settings.beliefs import DemandSettings


def walk(steps=4000, providers=10, **options):
    regimes = DemandRegimes(DemandSettings(**options), providers=providers, rng=np.random.default_rng(7))
    states, multipliers = [regimes.states], []
    for _ in range(steps):
        multipliers.append(regimes.step())
        states.append(regimes.states)
    return np.array(states), np.array(multipliers)


@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("stay", [0.9, 0.3])
def test_the_chain_is_the_one_described(cyclic, stay):
    states, _ = walk(stay=stay, cyclic=cyclic)
    table = np.zeros((3, 3))
    np.add.at(table, (states[:-1].ravel(), states[1:].ravel()), 1)
    others = np.roll(np.eye(3), 1, axis=1) if cyclic else (1 - np.eye(3)) / 2
    expected = stay * np.eye(3) + (1 - stay) * others
    # 13,000 transitions a row: three standard errors
    np.testing.assert_allclose(table / table.sum(axis=1, keepdims=True), expected, atol=3 * 0.5 / np.sqrt(13_000))


def test_multipliers_are_factors_with_noise_of_mean_one():
    states, multipliers = walk(noise=0.08)
    ratio = multipliers / np.array([0.6, 1.0, 1.5])[states[1:]]
    assert ratio.mean() == pytest.approx(1.0, abs=4 * 0.08 / 200)
    assert ratio.std() == pytest.approx(0.08, rel=0.03)
    assert np.all(walk(steps=50, noise=0.0)[1] == np.array([0.6, 1.0, 1.5])[walk(steps=50, noise=0.0)[0][1:]])


def test_one_regime_is_allowed():
    assert np.all(walk(steps=20, factors=(2.0,), noise=0.0)[1] == 2.0)


@pytest.mark.parametrize("bad", [{"stay": 1.2}, {"factors": (1.0, 0.0)}, {"factors": ()}, {"noise": -0.1}])
def test_settings_out_of_range_are_named(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        DemandSettings(**bad)
