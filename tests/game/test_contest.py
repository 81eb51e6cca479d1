"""The contest among users: against values computed elsewhere, independent replies, and a closed form."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from flnft_sim.errors import InputError
from flnft_sim.game import contest_equilibrium

VALUES = json.loads((Path(__file__).parent / "contest_values.json").read_text())["cases"]
RANGES = {"epochs_range": (1.0, 20.0), "privacy_range": (1.0, 5.0)}


@st.composite
def contests(draw, most=10):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    users = draw(st.integers(2, most))
    a = draw(st.floats(0.3, 1.0))
    return {
        "pot": draw(st.floats(50.0, 3000.0)),
        "scores": rng.uniform(5, 60, users),
        "compute_cost": rng.uniform(2, 30, users),
        "privacy_cost": rng.uniform(0.2, 5, users),
        "a": a,
        "b": draw(st.one_of(st.just(0.0), st.floats(0.0, 1.0).map(lambda part: part * (1.0 - a)))),
    }


def outcome(game, found):
    """Scores (N,) and cash (N,) where efforts are as found; who is out has none of either."""
    efforts = np.where(found.takes_part, found.epochs, 1.0) ** game["a"]
    efforts = efforts * np.where(found.takes_part, found.privacy, 1.0) ** game["b"]
    scores = np.where(found.takes_part, game["scores"] * efforts, 0.0)
    shares = scores / scores.sum() if scores.any() else scores
    cash = game["pot"] * shares - game["compute_cost"] * found.epochs - game["privacy_cost"] * found.privacy
    return scores, cash


def best_reply(game, user, rest):
    """The most cash that a user can win against scores of `rest` in all, by a numerical optimiser."""

    def loss(effort):
        score = game["scores"][user] * effort[0] ** game["a"] * effort[1] ** game["b"]
        costs = game["compute_cost"][user] * effort[0] + game["privacy_cost"][user] * effort[1]
        return costs - game["pot"] * score / (score + rest)

    bounds = [RANGES["epochs_range"], RANGES["privacy_range"]]
    starts = ((1.5, 1.5), (16.0, 4.5), (3.0, 1.01))
    return max(-minimize(loss, start, bounds=bounds, method="L-BFGS-B").fun for start in starts)


@pytest.mark.parametrize("case", VALUES)
def test_values_computed_elsewhere(case):
    found = contest_equilibrium(
        case["pot"],
        case["scores"],
        case["compute_cost"],
        case["privacy_cost"],
        a=case["a"],
        b=case["b"],
        epochs_range=tuple(case["epochs_range"]),
        privacy_range=tuple(case["privacy_range"]),
    )
    np.testing.assert_array_equal(found.takes_part, case["takes_part"])
    np.testing.assert_allclose(found.epochs, case["epochs"], rtol=1e-6)
    np.testing.assert_allclose(found.privacy, case["privacy"], rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(contests())
def test_nobody_gains_by_another_effort_by_leaving_or_by_entering(game):
    found = contest_equilibrium(**game, **RANGES)
    scores, cash = outcome(game, found)
    if not found.takes_part.any():
        return
    assert cash.min() >= -1e-9 * game["pot"]
    for user in range(len(scores)):
        best = best_reply(game, user, scores.sum() - scores[user])
        assert best <= max(cash[user], 0.0) + 1e-6 * game["pot"]


@settings(max_examples=30, deadline=None)
@given(contests())
def test_wide_ranges_and_a_of_one_have_the_closed_form(game):
    """a = 1, b = 0: X = pot·(n − 1)/Σγ, k = X·(1 − γ·X/pot)/θ with γ = C/θ, where all of these are inside."""
    gamma = game["compute_cost"] / game["scores"]
    total = game["pot"] * (len(gamma) - 1) / gamma.sum()
    epochs = total * (1.0 - gamma * total / game["pot"]) / game["scores"]
    found = contest_equilibrium(
        **(game | {"a": 1.0, "b": 0.0, "privacy_cost": np.full(len(gamma), 1e-12)}),
        epochs_range=(1e-6, 1e9),
        privacy_range=(1.0, 1.0),
    )
    if epochs.min() > 1e-3:
        np.testing.assert_allclose(found.epochs, epochs, rtol=1e-7)


@settings(max_examples=20, deadline=None)
@given(contests(most=60), st.integers(0, 2**32))
def test_the_order_of_users_plays_no_part(game, seed):
    order = np.random.default_rng(seed).permutation(len(game["scores"]))
    shuffled = game | {name: game[name][order] for name in ("scores", "compute_cost", "privacy_cost")}
    one, other = contest_equilibrium(**game, **RANGES), contest_equilibrium(**shuffled, **RANGES)
    np.testing.assert_array_equal(one.takes_part[order], other.takes_part)
    np.testing.assert_allclose(one.epochs[order], other.epochs, rtol=1e-8)


def test_many_losers_leave_at_once_to_the_same_end_as_one_by_one(monkeypatch):
    """Who breaks even at a smaller X leaves first; in a crowd that is found by bisection."""
    rng = np.random.default_rng(3)
    game = {
        "pot": 20_000.0,
        "scores": rng.uniform(5, 60, 400),
        "compute_cost": rng.uniform(2, 30, 400),
        "privacy_cost": rng.uniform(0.2, 5, 400),
        "a": 0.6,
        "b": 0.05,
    }
    at_once = contest_equilibrium(**game, **RANGES)
    monkeypatch.setattr("flnft_sim.game.contest._ONE_BY_ONE", 1_000)
    one_by_one = contest_equilibrium(**game, **RANGES)
    assert 0 < at_once.takes_part.sum() < 350
    np.testing.assert_array_equal(at_once.takes_part, one_by_one.takes_part)
    np.testing.assert_allclose(at_once.epochs, one_by_one.epochs, rtol=1e-9)


@pytest.mark.parametrize(("pot", "users"), [(100.0, 1), (0.0, 5), (1e-6, 5)])
def test_without_two_participants_there_is_no_contest(pot, users):
    ones = np.ones(users)
    found = contest_equilibrium(pot, ones, ones, ones, a=0.5, b=0.1, **RANGES)
    assert not found.takes_part.any() and not found.epochs.any() and not found.privacy.any()


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"a": 0.0}, "a is 0"),
        ({"a": 0.8, "b": 0.3}, "a + b = 1.1"),
        ({"scores": [1.0, -1.0]}, "scores"),
        ({"pot": np.nan}, "pot"),
        ({"epochs_range": (5.0, 1.0)}, "epochs_range"),
        ({"privacy_range": (0.0, 1.0)}, "privacy_range"),
    ],
)
def test_bad_input_is_one_sentence(changes, place):
    game = {"pot": 10.0, "scores": [1.0, 2.0], "compute_cost": 1.0, "privacy_cost": 1.0, "a": 0.5, "b": 0.1} | RANGES
    with pytest.raises(InputError) as error:
        contest_equilibrium(**(game | changes))
    assert place.split()[0] in str(error.value) and "\n" not in str(error.value)
