"""The compiled loops find what arrays find: every exchange of any decision, and all that is asked of its last one."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from markets import any_problem, problem

from flnft_sim.errors import InputError
from flnft_sim.game import NoEquilibriumError, decide
from flnft_sim.game.loops import engine

NEAR = {"rtol": 1e-9, "atol": 1e-9}
ALIKE = {"quality_contributions": 10.0, "fixed_age_s": 1.0, "seconds_per_epoch": 1.0}


@pytest.fixture(scope="module", autouse=True)
def loops():
    engine.warm_up()


def assert_same(ours, theirs, **near):
    """Hold two steps to one another: whole numbers and choices exactly."""
    assert ours.iteration == theirs.iteration
    for name in ("takes_part", "epochs"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    for name in (
        *("quality_prices", "freshness_prices", "quality_money", "freshness_money", "foreseen_epochs", "privacy"),
        *("total_rewards", "quality_shares", "freshness_shares", "quality", "freshness", "answered_freshness"),
        *("utilities", "unrounded_epochs"),
    ):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), **NEAR | near, err_msg=name)
    assert ours.gap == pytest.approx(theirs.gap, rel=1e-3, abs=1e-9)


@st.composite
def problems(draw):
    """A decision that loops serve, of every kind."""
    given = any_problem(draw(st.integers(0, 10**6)))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    users, providers = given.epochs_max.size, given.budgets.size
    changes = {
        "user_reply": draw(st.sampled_from(("own-age", "price-taking"))),
        "provider_utility": draw(st.sampled_from(("printed", "money"))),
        "reward_expectation": draw(st.sampled_from(("announced", "expected"))),
        "fairness": draw(st.sampled_from((0.3, 0.5, 0.8))),
        "reserve": draw(st.sampled_from((0.0, 100.0))),
        "epochs_max": rng.integers(0, 20, users) + rng.choice([0.0, 0.5], users),
    }
    if given.believed_quality_money is not None:
        for name in ("believed_quality_money", "believed_freshness_money"):
            changes[name] = rng.uniform(1, 200, providers) * (rng.random(providers) < 0.9)
    if draw(st.booleans()):
        changes["valuations_quality"] = given.valuations_quality * (rng.random(providers) < 0.7)
    if draw(st.booleans()):
        changes["contracted_privacy"] = np.where(rng.random(users) < 0.5, rng.uniform(1, 5, users), np.nan)
    if draw(st.booleans()):
        changes["fixed_age_s"] = rng.uniform(20, 130, users)  # beyond the horizon for some
    if draw(st.booleans()):
        changes["compute_costs"] = given.compute_costs * (rng.random(users) < 0.7)
    if draw(st.booleans()):
        changes["insisted"] = tuple(np.where(rng.random(providers) < 0.5, rng.uniform(0, 5), np.nan) for _ in range(2))
    return replace(given, **changes)


def assert_found_alike(market, **until):
    """Hold loops to arrays, but for markets whose next step rests on the last bits of a bid."""
    try:
        theirs = decide(market, **until)
    except NoEquilibriumError:
        reject()
    for prices in (theirs.quality_prices, theirs.freshness_prices):
        assume(not ((prices > 0) & (prices < 1e-9 * prices.sum())).any())
    assert engine.serves(market)
    assert_same(engine.decide(market, **until), theirs)


@settings(max_examples=60, deadline=None)
@given(market=problems(), most=st.integers(1, 6))
def test_every_exchange_is_the_one_of_arrays(market, most):
    assert_found_alike(market, tolerance=1e-12, most_steps=most)


@settings(max_examples=40, deadline=None)
@given(market=problems())
def test_decisions_settle_at_the_same_point(market):
    assert_found_alike(market, tolerance=1e-6, most_steps=60)


def test_budgets_that_bind_at_the_equilibrium_are_left_to_arrays():
    given = problem(believed_quality_money=None, believed_freshness_money=None, budgets=40.0)
    assert_same(engine.decide(given), decide(given), rtol=0, atol=0)


@pytest.mark.parametrize("reply", ["own-age", "price-taking"])
def test_another_market_is_told_apart(reply):
    """What holds both to one another sees a cost that is off by a millionth."""
    problem = replace(any_problem(3), user_reply=reply, believed_quality_money=50.0, believed_freshness_money=50.0)
    other = replace(problem, compute_costs=problem.compute_costs * (1.0 + 1e-6))
    assert_same(engine.decide(problem), decide(problem))
    with pytest.raises(AssertionError):
        assert_same(engine.decide(other), decide(problem))


def test_of_equal_users_the_first_leave():
    """Where the users are all alike, and half of them go at a time, it is by their order."""
    alike = problem(9, 3, compute_costs=300.0, privacy_costs=60.0, epochs_max=9, **ALIKE)
    assert_same(*(find(alike, tolerance=1e-6, most_steps=60) for find in (engine.decide, decide)))
    step = engine.decide(alike)
    assert 0 < step.takes_part.sum() < 9
    assert (np.diff(step.takes_part.astype(int)) >= 0).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"damping": 0.3},
        {"leadership": "anticipating"},
        {"epochs_max": 20_000},
    ],
)
def test_what_loops_do_not_serve_is_found_by_arrays(changes):
    given = problem(**changes)
    assert not engine.serves(given)
    assert_same(engine.decide(given, most_steps=4), decide(given, most_steps=4), rtol=0, atol=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"elasticity_ratio": 0.0},
        {"elasticity_ratio": 500.0},
        {"fixed_age_s": 0.0, "seconds_per_epoch": 0.0},
        {"freshness_horizon_s": 0.0},
    ],
)
def test_numbers_without_a_decision_are_refused_in_the_same_words(changes):
    given = problem(**changes)
    with pytest.raises(InputError) as theirs:
        decide(given)
    with pytest.raises(InputError, match=re.escape(str(theirs.value))):
        engine.decide(given)
