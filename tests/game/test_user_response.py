"""Stage II: the closed form against brute force over integers and a numerical optimiser."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from flnft_sim.game import (
    FairnessError,
    NotFiniteError,
    OutOfRangeError,
    cash_surplus,
    user_best_response,
    user_utility,
)
from flnft_sim.game.responses import unrounded_answer

money = st.floats(1e-3, 1e3)
sigmas = st.floats(0.05, 0.95)


@given(money, money, money, sigmas, st.integers(1, 60))
def test_no_integer_and_no_privacy_does_better(reward, compute, privacy_cost, sigma, most):
    epochs, privacy = user_best_response(reward, compute, privacy_cost, fairness=sigma, epochs_max=most)
    best = user_utility(reward, epochs, privacy, compute, privacy_cost, fairness=sigma)
    every_k = user_utility(reward, np.arange(1, most + 1), privacy, compute, privacy_cost, fairness=sigma)
    slack = 1e-12 * (abs(best) + compute * most + reward * most)
    assert best >= every_k.max() - slack
    found = minimize_scalar(
        lambda eps: -user_utility(reward, epochs, eps, compute, privacy_cost, fairness=sigma),
        bounds=(1.0, 5.0),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert best >= -found.fun - slack


@given(st.lists(st.tuples(money, money, money), min_size=1, max_size=20), sigmas)
def test_arrays_are_scalars_side_by_side(users, sigma):
    reward, compute, privacy_cost = np.array(users).T
    epochs, privacy = user_best_response(reward, compute, privacy_cost, fairness=sigma, epochs_max=30)
    alone = [user_best_response(*user, fairness=sigma, epochs_max=30) for user in users]
    assert epochs.tolist() == [k for k, _ in alone]
    np.testing.assert_allclose(privacy, [eps for _, eps in alone], rtol=1e-12)


@given(st.lists(money, min_size=2, max_size=4), money, money, sigmas)
def test_several_fl_nfts_are_answered_one_by_one(rewards, compute, privacy_cost, sigma):
    """Φ is a sum over providers, so no joint (k_1, …, k_M) beats answering each provider's own FL-NFT."""
    most = 6
    epochs, privacy = user_best_response(np.array([rewards]), compute, privacy_cost, fairness=sigma, epochs_max=most)
    assert epochs.shape == privacy.shape == (1, len(rewards))

    def utility(k):
        return user_utility(rewards, k, privacy[0], compute, privacy_cost, fairness=sigma).sum(axis=-1)

    every_k = np.stack(np.meshgrid(*[np.arange(1, most + 1)] * len(rewards)), axis=-1).reshape(-1, len(rewards))
    assert utility(epochs[0]) >= utility(every_k).max() - 1e-9 * (1 + abs(utility(epochs[0])))


@given(money, money, money, sigmas)
def test_utility_at_an_unclipped_optimum_is_theorem_3(reward, compute, privacy_cost, sigma):
    """Φ* = σ/(1−σ)·(C^c·k + C^p·ε) > 0, while the cash surplus is negative wherever k, ε ≥ 1."""
    k = unrounded_answer(reward, compute, fairness=sigma)
    eps = unrounded_answer(reward, privacy_cost, fairness=sigma)
    if not (1e-6 < k < 1e6 and 1e-6 < eps < 1e6):
        return
    cost = compute * k + privacy_cost * eps
    utility = user_utility(reward, k, eps, compute, privacy_cost, fairness=sigma)
    assert utility == pytest.approx(sigma / (1 - sigma) * cost, rel=1e-6)
    if k >= 1 and eps >= 1:
        assert cash_surplus(reward, k, eps, compute, privacy_cost) < 0


@given(money, money, money, sigmas, st.floats(0.5, 50), st.floats(0.5, 10))
def test_the_hessian_is_negative_definite_and_diagonal(reward, compute, privacy_cost, sigma, k, eps):
    h = 1e-3

    def phi(i, j):
        return user_utility(reward, k + i * h, eps + j * h, compute, privacy_cost, fairness=sigma)

    scale = h * h * reward
    second_k = (phi(1, 0) - 2 * phi(0, 0) + phi(-1, 0)) / scale
    second_eps = (phi(0, 1) - 2 * phi(0, 0) + phi(0, -1)) / scale
    cross = (phi(1, 1) - phi(1, -1) - phi(-1, 1) + phi(-1, -1)) / (4 * scale)
    noise = 1e-14 * abs(phi(0, 0)) / scale + 1e-6
    assert second_k == pytest.approx(-sigma * k ** (-sigma - 1), abs=20 * noise, rel=1e-3)
    assert second_eps == pytest.approx(-sigma * eps ** (-sigma - 1), abs=20 * noise, rel=1e-3)
    assert abs(cross) <= 20 * noise


def test_limits():
    """No reward: the least effort. A reward at no cost: the most. k_max below 1: still the best k of at least 1."""
    assert user_best_response(0.0, 1.0, 1.0, fairness=0.5, epochs_max=9) == (1, 1.0)
    assert user_best_response(1.0, 0.0, 0.0, fairness=0.5, epochs_max=9) == (9, 5.0)
    assert user_best_response(0.0, 0.0, 0.0, fairness=0.5, epochs_max=9) == (1, 1.0)
    assert user_best_response(100.0, 1.0, 1.0, fairness=0.01, epochs_max=9)[0] == 9  # the power overflows
    assert user_best_response(100.0, 1.0, 1.0, fairness=0.5, epochs_max=0.4)[0] == 1
    epochs, privacy = user_best_response([], [], [], fairness=0.5, epochs_max=9)
    assert epochs.size == privacy.size == 0


@pytest.mark.parametrize("sigma", [0.0, 1.0, -0.5, 1.5])
def test_fairness_outside_its_range(sigma):
    with pytest.raises(FairnessError, match="above 0 and below 1"):
        user_best_response(1.0, 1.0, 1.0, fairness=sigma, epochs_max=5)


@pytest.mark.parametrize(
    ("bad", "error", "place"),
    [
        ({"reward": [1.0, np.nan]}, NotFiniteError, r"reward\[1\]"),
        ({"reward": -1.0}, OutOfRangeError, "reward"),
        ({"compute_cost": np.inf}, NotFiniteError, "unit_cost|compute_cost"),
        ({"privacy_cost": "much"}, NotFiniteError, "cost"),
        ({"epochs_max": -1}, OutOfRangeError, "epochs_max"),
        ({"privacy_range": (5.0, 1.0)}, OutOfRangeError, "privacy_range"),
        ({"fairness": np.nan}, NotFiniteError, "fairness"),
    ],
)
def test_bad_input_names_its_place(bad, error, place):
    arguments = {"reward": 1.0, "compute_cost": 1.0, "privacy_cost": 1.0, "fairness": 0.5, "epochs_max": 5} | bad
    with pytest.raises(error, match=place):
        user_best_response(**arguments)
