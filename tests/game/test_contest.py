"""The contest among users: against values computed elsewhere, independent replies, and a closed form."""

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from flnft_sim.errors import InputError
from flnft_sim.game import contest_equilibrium
from flnft_sim.game.contest import ContestTerms, ScoreFreshness, settled_contest

participation = import_module("flnft_sim.game.contest.equilibrium")
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


@st.composite
def ageing_contests(draw):
    game = draw(contests(most=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    users = len(game["scores"])
    freshness = ScoreFreshness(
        exponent=draw(st.floats(0.05, 3.0)),
        fixed_age_s=rng.uniform(0, 60, users),
        seconds_per_epoch=rng.uniform(0.5, 12, users),
        horizon_s=100.0,
    )
    return game, freshness


@settings(max_examples=20, deadline=None)
@given(ageing_contests())
def test_where_age_counts_nobody_gains_by_another_effort_either(case):
    """The reply is found over the whole range of k, also beyond the peak of the score, where no answer may lie."""
    game, freshness = case
    found = contest_equilibrium(**game, **RANGES, freshness=freshness)
    if not found.takes_part.any():
        return
    kept = np.maximum(0.0, 1.0 - (freshness.fixed_age_s + freshness.seconds_per_epoch * found.epochs) / 100.0)
    scores = outcome(game, found)[0] * kept**freshness.exponent
    cash = game["pot"] * scores / scores.sum() - game["compute_cost"] * found.epochs
    cash -= game["privacy_cost"] * found.privacy
    k = np.linspace(1.0, 20.0, 400)[:, None]
    e = np.linspace(1.0, 5.0, 60)[None, :]
    for user in range(len(scores)):
        age = freshness.fixed_age_s[user] + freshness.seconds_per_epoch[user] * k
        score = game["scores"][user] * k ** game["a"] * e ** game["b"]
        score = score * np.maximum(0.0, 1.0 - age / 100.0) ** freshness.exponent
        rest = scores.sum() - scores[user]
        won = game["pot"] * score / (score + rest) - game["compute_cost"][user] * k - game["privacy_cost"][user] * e
        assert won.max() <= max(cash[user], 0.0) + 1e-9 * game["pot"]


@settings(max_examples=20, deadline=None)
@given(contests())
def test_an_exponent_of_nothing_is_no_exponent(game):
    fresh = ScoreFreshness(exponent=0.0, fixed_age_s=3.0, seconds_per_epoch=1.0, horizon_s=10.0)
    for one, other in zip(
        contest_equilibrium(**game, **RANGES),
        contest_equilibrium(**game, **RANGES, freshness=fresh),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=30, deadline=None)
@given(contests())
def test_cash_inside_the_ranges_is_what_the_theory_says_and_the_pot_is_never_burnt_whole(game):
    """Inside, u = pot·s·(1 − (a + b)(1 − s)) > 0, so that all costs are (a + b)·pot·Σs(1 − s): less than the pot."""
    wide = {"epochs_range": (1e-9, 1e9), "privacy_range": (1e-9, 1e9)}
    found = contest_equilibrium(**game, **wide)
    scores, cash = outcome(game, found)
    share = scores / scores.sum()
    returns = game["a"] + game["b"]
    privacy_counts = 1.0 if game["b"] else 0.0
    inside = found.takes_part & (found.epochs > 1e-6)
    expected = game["pot"] * share * (1.0 - returns * (1.0 - share))
    slack = 1e-6 * game["pot"] + (1.0 - privacy_counts) * 1e-8 * game["privacy_cost"].max()
    np.testing.assert_allclose(cash[inside], expected[inside], rtol=1e-7, atol=slack)
    clipped = contest_equilibrium(**game, **RANGES)
    costs = game["compute_cost"] @ clipped.epochs + game["privacy_cost"] @ clipped.privacy
    assert costs <= game["pot"] * (1.0 + 1e-9)


@settings(max_examples=8, deadline=None)
@given(contests(most=5), st.integers(0, 2**32))
def test_replies_one_after_another_lead_to_the_one_equilibrium_from_anywhere(game, seed):
    """Uniqueness, by dynamics that know nothing of the solver: among who takes part, damped replies in k alone."""
    game |= {"a": min(game["a"], 0.7), "b": 0.0}
    found = contest_equilibrium(**game, **RANGES)
    users = np.flatnonzero(found.takes_part)
    if not users.size:
        return
    k = np.random.default_rng(seed).uniform(1.0, 20.0, len(game["scores"]))
    theta, cost, a, pot = game["scores"], game["compute_cost"], game["a"], game["pot"]
    fine = np.linspace(1.0, 20.0, 4001)
    for _ in range(60):
        for user in users:
            scores = theta[users] * k[users] ** a
            rest = scores.sum() - theta[user] * k[user] ** a
            won = theta[user] * fine**a / (theta[user] * fine**a + rest) * pot - cost[user] * fine
            k[user] += 0.7 * (fine[won.argmax()] - k[user])
    np.testing.assert_allclose(k[users], found.epochs[users], atol=0.02)


def test_of_equal_users_as_many_stay_as_the_pot_pays_for():
    """100 users at a cost of 1.1 for the least effort share 50 money: 45 of them are paid it, drawn where asked."""
    terms = ContestTerms(scores=np.ones(100), compute_cost=1.0, privacy_cost=0.1, a=0.5, b=0.05, **RANGES)
    draws = [settled_contest(50.0, terms, rng=np.random.default_rng(seed)).takes_part for seed in (1, 1, 2)]
    assert [int(draw.sum()) for draw in draws] == [45, 45, 45] == [int(50.0 / 1.1)] * 3
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_who_has_no_score_whatever_it_does_stays_out():
    """θ of nothing, too old after one epoch, no time for one: the others play as if these were not there."""
    fresh = ScoreFreshness(exponent=0.5, fixed_age_s=[1.0, 200.0, 1.0, 1.0, 1.0], seconds_per_epoch=1.0, horizon_s=100)
    terms = ContestTerms(
        scores=[0.0, 9.0, 9.0, 8.0, 7.0],
        compute_cost=1.0,
        privacy_cost=0.1,
        a=0.5,
        b=0.0,
        epochs_range=(1.0, [20.0, 20.0, 0.5, 20.0, 20.0]),
        privacy_range=(1.0, 5.0),
        freshness=fresh,
    )
    found = settled_contest(100.0, terms)
    assert found.takes_part.tolist() == [False, False, False, True, True]
    alone = contest_equilibrium(
        100.0,
        [8.0, 7.0],
        1.0,
        0.1,
        a=0.5,
        b=0.0,
        **RANGES,
        freshness=ScoreFreshness(exponent=0.5, fixed_age_s=1.0, seconds_per_epoch=1.0, horizon_s=100.0),
    )
    np.testing.assert_allclose(found.epochs[3:], alone.epochs)


@pytest.mark.parametrize(
    ("a", "b", "cost_price", "epochs", "privacy", "cash"),
    [(0.5, 0.05, 0.0288, 5, 5.0, 47.8), (0.9, 0.02, 0.0519, 5, 2.9, 15.4)],
)
def test_what_a_user_keeps_in_the_digits_market(a, b, cost_price, epochs, privacy, cash):
    """Ten users with the costs of the scenario roblox10 in cost units, and the pot of its money for quality and age."""
    found = contest_equilibrium(897.0, np.full(10, 27.6), 280.2 * cost_price, 10.65 * cost_price, a=a, b=b, **RANGES)
    np.testing.assert_allclose(found.epochs, epochs, atol=0.02)
    np.testing.assert_allclose(found.privacy, privacy, atol=0.06)
    kept = 89.7 - cost_price * (280.2 * found.epochs + 10.65 * found.privacy)
    np.testing.assert_allclose(kept, cash, atol=0.1)


@pytest.mark.parametrize("kinds", [400, 3])
@pytest.mark.parametrize("age", [0.0, 0.7])
@pytest.mark.parametrize(("a", "b"), [(0.6, 0.05), (1.0, 0.0)])
def test_many_losers_leave_at_once_to_the_same_end_as_one_by_one(monkeypatch, a, b, kinds, age):
    """Who breaks even at a smaller X leaves first; in a crowd that is found by a bracket. Also among equal users."""
    rng = np.random.default_rng(3)
    of = rng.integers(0, kinds, 400)
    game = {"pot": 20_000.0, "scores": rng.uniform(5, 60, 400)[of], "compute_cost": rng.uniform(2, 30, 400)[of]}
    game |= {"privacy_cost": rng.uniform(0.2, 5, 400)[of], "a": a, "b": b}
    game |= {"freshness": ScoreFreshness(exponent=age, fixed_age_s=5.0, seconds_per_epoch=2.0, horizon_s=100.0)}
    monkeypatch.setattr(participation, "_CROWD", 10)
    at_once = contest_equilibrium(**game, **RANGES)
    monkeypatch.setattr(participation, "_CROWD", 10**9)
    monkeypatch.setattr(participation, "_ONE_BY_ONE", 10**9)
    one_by_one = contest_equilibrium(**game, **RANGES)
    assert 0 < at_once.takes_part.sum() < 400
    np.testing.assert_array_equal(at_once.takes_part, one_by_one.takes_part)
    np.testing.assert_allclose(at_once.epochs, one_by_one.epochs, rtol=1e-8)


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
