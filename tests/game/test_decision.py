"""The decision phase: it settles, at an equilibrium, and nobody is made to take part."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import problem

from flnft_sim.errors import InputError
from flnft_sim.game import (
    EmptyMarketError,
    FairnessError,
    NotFiniteError,
    OutOfRangeError,
    ValuationError,
    decide,
    decision_steps,
    provider_best_response,
    provider_exploitability,
    rival_sums,
    user_best_response,
)

sizes = {"users": st.integers(1, 40), "providers": st.integers(1, 20), "seed": st.integers(0, 10**6)}
known = {"believed_quality_money": None, "believed_freshness_money": None}


@settings(max_examples=40, deadline=None)
@given(**sizes, full=st.booleans())
def test_it_settles_and_answers_are_best_responses(users, providers, seed, full):
    given = problem(users, providers, seed, **(known if full else {}))
    step = decide(given, tolerance=1e-6)
    assert step.gap <= 1e-6 and step.iteration < 60
    epochs, privacy = user_best_response(
        step.total_rewards,
        given.compute_costs,
        given.privacy_costs,
        fairness=given.fairness,
        epochs_max=given.epochs_max,
    )
    np.testing.assert_array_equal(step.epochs, epochs)
    np.testing.assert_array_equal(step.privacy, privacy)
    # the epochs that prices foresaw are, to an epoch, those that users answer
    inside = step.takes_part & (step.freshness_shares > 0)
    assert np.all(np.abs(step.foreseen_epochs - step.epochs)[inside] <= 1 + 1e-3)


@settings(max_examples=40, deadline=None)
@given(**sizes)
def test_nobody_takes_part_at_a_loss_and_shares_go_to_those_who_do(users, providers, seed):
    step = decide(problem(users, providers, seed, compute_costs=np.geomspace(1, 3000, users)))
    assert np.all(step.utilities[step.takes_part] >= 0)
    assert np.all(step.total_rewards[~step.takes_part] == 0)
    if step.takes_part.any():
        assert step.quality_shares[step.takes_part].sum() == pytest.approx(1)
        assert step.total_rewards.sum() <= step.quality_money.sum() + step.freshness_money.sum() + 1e-6
    np.testing.assert_allclose(step.rewards.sum(axis=1), step.total_rewards, rtol=1e-9, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(users=st.integers(1, 20), providers=st.integers(2, 20), seed=st.integers(0, 10**6))
def test_believing_the_equilibrium_is_playing_it(users, providers, seed):
    """Beliefs are money; turned into prices by each rival's own satisfaction they reproduce the equilibrium."""
    full = problem(users, providers, seed, compute_costs=1.0, privacy_costs=0.1, **known)  # all take part
    step = decide(full, tolerance=1e-9)
    for price, satisfaction, worth in (
        (step.quality_prices, step.quality_money, full.valuations_quality),
        (step.freshness_prices, step.freshness_money, full.valuations_freshness),
    ):
        s = np.divide(satisfaction, price, out=np.ones_like(price), where=price > 0)
        active = price > 0
        gain = provider_exploitability(price[active], worth[active], s[active])
        assert np.all(gain <= 1e-9 * worth[active])
    believing = replace(
        full,
        believed_quality_money=step.quality_money,
        believed_freshness_money=step.freshness_money,
        last_epochs=step.foreseen_epochs,
    )
    again = next(decision_steps(believing))
    np.testing.assert_allclose(again.quality_prices, step.quality_prices, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(again.freshness_prices, step.freshness_prices, rtol=1e-6, atol=1e-9)


def test_prices_answer_the_beliefs_about_the_others():
    given = problem(elasticity_ratio=1.0)
    step = next(decision_steps(given))
    rivals = rival_sums(np.asarray(given.believed_quality_money) / step.quality)
    expected = provider_best_response(rivals, given.valuations_quality, step.quality)
    np.testing.assert_allclose(step.quality_prices, expected, rtol=1e-12)


def test_a_lone_provider_bids_the_reserve():
    for changes in ({}, known):
        step = decide(problem(providers=1, elasticity_ratio=3.0, **changes))
        assert step.quality_money[0] == pytest.approx(75.0)  # e^Q = λ/(1 + λ)
        assert step.freshness_money[0] == pytest.approx(25.0)


def test_the_reserve_never_exceeds_valuation_or_budget():
    changes = {"providers": 1, "reserve": 900.0}
    poor = decide(problem(**changes, budgets=[40.0]))
    assert poor.quality_money[0] + poor.freshness_money[0] == pytest.approx(40.0)
    careless = decide(problem(**changes, valuations_quality=[20.0], valuations_freshness=[30.0]))
    assert careless.quality_money[0] + careless.freshness_money[0] == pytest.approx(50.0)


def test_without_freshness_the_reserve_is_all_on_quality():
    """Ages beyond the horizon: F = 0, no freshness price, no NaN."""
    step = decide(problem(providers=1, fixed_age_s=500.0))
    assert step.freshness == 0 and step.freshness_prices[0] == 0
    assert step.quality_money[0] == pytest.approx(100.0)
    assert np.all(step.freshness_shares == 0)
    assert np.isfinite(step.total_rewards).all()


def test_budgets_hold_throughout():
    given = problem(budgets=60.0)
    for step in islice(decision_steps(given), 10):
        assert np.all(step.quality_money + step.freshness_money <= 60.0 * (1 + 1e-12))


def test_users_who_cannot_finish_one_epoch_stay_out():
    step = decide(problem(epochs_max=[0.5, 9, 9, 0, 9, 9, 9, 9]))
    assert step.takes_part.tolist() == [False, True, True, False, True, True, True, True]


def test_nobody_left_is_a_result():
    step = decide(problem(compute_costs=1e9))
    assert not step.takes_part.any()
    assert step.quality == step.freshness == 0 and step.gap == 0


def test_expected_rewards_count_a_provider_by_its_chance_to_win():
    announced = next(decision_steps(problem(elasticity_ratio=1.0)))
    expected = next(decision_steps(problem(elasticity_ratio=1.0, reward_expectation="expected")))
    np.testing.assert_array_equal(announced.quality_prices, expected.quality_prices)
    chance = announced.quality_prices / announced.quality_prices.sum()
    fresh_chance = announced.freshness_prices / announced.freshness_prices.sum()
    ours = (expected.quality_money * chance).sum() * expected.quality_shares
    ours += (expected.freshness_money * fresh_chance).sum() * expected.freshness_shares
    np.testing.assert_allclose(expected.total_rewards, ours)


def test_the_first_gap_is_infinite_and_later_ones_fall():
    gaps = [step.gap for step in islice(decision_steps(problem()), 30)]
    assert gaps[0] == np.inf
    assert gaps[-1] < 1e-9


@pytest.mark.parametrize(
    ("changes", "error", "place"),
    [
        ({"quality_contributions": []}, EmptyMarketError, "quality_contributions"),
        ({"valuations_quality": []}, EmptyMarketError, "valuations_quality"),
        ({"valuations_freshness": -1.0}, ValuationError, "valuations_freshness"),
        ({"fairness": 1.0}, FairnessError, "fairness"),
        ({"fixed_age_s": np.nan}, NotFiniteError, "fixed_age_s"),
        ({"seconds_per_epoch": [1.0, 2.0]}, InputError, "one number, or 8 for the 8 users"),
        ({"budgets": np.ones((4, 2))}, InputError, r"budgets has shape \(4, 2\)"),
        ({"believed_freshness_money": None}, InputError, "only believed_quality_money is given"),
        ({"damping": 0.0}, OutOfRangeError, "damping is 0"),
        ({"reward_expectation": "hoped"}, InputError, "'announced' or 'expected'"),
        ({"believed_quality_money": [1.0, np.nan, 2.0, 3.0]}, NotFiniteError, r"believed_quality_money\[1\]"),
    ],
)
def test_bad_input_names_its_place(changes, error, place):
    with pytest.raises(error, match=place):
        problem(**changes)
