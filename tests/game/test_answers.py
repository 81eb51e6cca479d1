"""Users' answers to announced prices, each foreseeing its own age, against brute force and SciPy's roots."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from flnft_sim.game import UserTerms
from flnft_sim.game.roots import increasing_roots

HORIZON_S = 100.0


def terms(seed, users=20, **changes):
    rng = np.random.default_rng(seed)
    given = {
        "quality_rewards": rng.uniform(0, 80, users),
        "freshness_price": float(rng.uniform(0, 40)),
        "fixed_age_s": rng.uniform(0.1, 30, users),
        "seconds_per_epoch": 10.0 ** rng.uniform(-4, 2, users),
        "compute_costs": rng.uniform(5, 60, users),
        "privacy_costs": rng.uniform(1, 40, users),
        "most_epochs": rng.integers(1, 25, users).astype(float),
        "fairness": float(rng.uniform(0.05, 0.95)),
        "privacy_range": (1.0, 5.0),
        "freshness_horizon_s": HORIZON_S,
    }
    return UserTerms(**(given | changes))


def reward(t, i, k):
    age = t.fixed_age_s[i] + t.seconds_per_epoch[i] * k
    return t.quality_rewards[i] + t.freshness_price * max(0.0, np.log(HORIZON_S / age))


def utility(t, i, k):
    """Φ at k, its own reward, and the best ε: written down once more."""
    delta, rest = reward(t, i, k), 1 - t.fairness
    eps = min(max((delta / t.privacy_costs[i]) ** (1 / t.fairness), 1.0), 5.0)
    return delta * (k**rest + eps**rest) / rest - t.compute_costs[i] * k - t.privacy_costs[i] * eps


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(1, 25))
def test_price_takers_answer_the_reward_that_they_get(seed, start):
    t = terms(seed)
    found = t.price_taking_epochs(np.full(20, start))
    for i in range(20):

        def excess(k, i=i):
            return k - (reward(t, i, k) / t.compute_costs[i]) ** (1 / t.fairness)

        most = t.most_epochs[i]
        expected = 1.0 if excess(1.0) >= 0 else most if excess(most) <= 0 else brentq(excess, 1, most, xtol=1e-13)
        assert abs(found[i] - expected) <= 1e-9 * expected


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_own_age_is_the_best_of_all_whole_epochs_and_its_peak_lies_beside(seed):
    t = terms(seed)
    whole = t.own_age_epochs
    peaks = t.own_age_peaks(whole)
    for i in range(20):
        tried = [utility(t, i, float(k)) for k in range(1, int(t.most_epochs[i]) + 1)]
        assert utility(t, i, float(whole[i])) >= max(tried) - 1e-9 * abs(max(tried))
        bounds = max(1.0, whole[i] - 1.0), min(t.most_epochs[i], whole[i] + 1.0)
        assert bounds[0] <= peaks[i] <= bounds[1]
        oracle = minimize_scalar(lambda k, i=i: -utility(t, i, k), bounds=bounds, method="bounded")
        assert utility(t, i, peaks[i]) >= -oracle.fun - 1e-6 * abs(oracle.fun)


def test_counting_ones_age_can_turn_the_answer_round():
    """Slow devices and dear freshness: at the reward taken as given a user trains for long, by its own age once."""
    t = terms(
        0,
        users=1,
        quality_rewards=np.array([40.0]),
        freshness_price=30.0,
        fixed_age_s=np.array([1.0]),
        seconds_per_epoch=np.array([5.0]),
        compute_costs=np.array([20.0]),
        most_epochs=np.array([20.0]),
        fairness=0.5,
    )
    taking = t.price_taking_epochs(np.array([5.0]))
    assert taking[0] > 8
    assert t.own_age_epochs[0] == 1
    assert utility(t, 0, 1.0) > utility(t, 0, float(np.round(taking[0]))) + 100


def test_users_without_reward_or_cost():
    for cost, expected in ((0.0, 7.0), (10.0, 1.0)):
        t = terms(
            1,
            users=1,
            quality_rewards=np.array([5.0 if cost == 0 else 0.0]),
            freshness_price=0.0,
            compute_costs=np.array([cost]),
            most_epochs=np.array([7.0]),
        )
        assert t.price_taking_epochs(np.array([3.0])).tolist() == [expected]


def test_many_users_are_answered_in_blocks_like_one_by_one(monkeypatch):
    t = terms(3, users=50)
    whole = t.own_age_epochs
    monkeypatch.setattr("flnft_sim.game.answers.BLOCK", 60)
    np.testing.assert_array_equal(terms(3, users=50).own_age_epochs, whole)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_roots_are_found_in_their_brackets_and_ends_stand_for_those_outside(seed):
    """Cubes and exponentials, whose Newton's steps overshoot."""
    rng = np.random.default_rng(seed)
    root, steep = rng.uniform(-3, 13, 30), rng.uniform(0.01, 8, 30)

    def function(x):
        move = x - root
        return np.expm1(steep * np.clip(move, -20, 20)) + move**3, steep * np.exp(
            steep * np.clip(move, -20, 20)
        ) + 3 * move**2

    found = increasing_roots(function, np.zeros(30), np.full(30, 10.0), rng.uniform(0, 10, 30))
    np.testing.assert_allclose(found, np.clip(root, 0, 10), rtol=1e-6, atol=1e-6)
