"""What is said of a decision: gains of the equilibrium are 0, those of play are what a search over deviations finds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.game import DecisionProblem, cash_surplus, decide, examine, game_report, provider_utility, rival_sums


def problem(users=8, providers=5, seed=0, **changes):
    rng = np.random.default_rng(seed)
    valuations = rng.uniform(300, 2000, providers)
    chosen = {
        "quality_contributions": rng.uniform(5, 40, users),
        "fixed_age_s": rng.uniform(0.5, 3, users),
        "seconds_per_epoch": rng.uniform(0.1, 3, users),
        "compute_costs": rng.uniform(5, 20, users),
        "privacy_costs": rng.uniform(1, 5, users),
        "epochs_max": 20,
        "valuations_quality": valuations / 2,
        "valuations_freshness": valuations / 2,
        "budgets": valuations,
        "elasticity_ratio": rng.uniform(0.8, 1.2, providers),
        "believed_quality_money": rng.uniform(1, 200, providers),
        "believed_freshness_money": rng.uniform(1, 200, providers),
    }
    return DecisionProblem(**(chosen | changes))


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 20), st.integers(2, 20), st.integers(0, 10**6))
def test_at_the_equilibrium_nobody_gains(users, providers, seed):
    report = game_report(problem(users, providers, seed, user_reply="own-age"))
    assert np.all(report.equilibrium.provider_gains <= 1e-6)
    staying = report.equilibrium.step.takes_part
    assert np.all(report.equilibrium.user_gains[staying] == 0)


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 8), st.integers(0, 10**6))
def test_gains_of_play_are_what_a_search_finds(providers, seed):
    given = problem(providers=providers, seed=seed)
    examined = game_report(given).played
    step = examined.step
    searched = np.zeros(providers)
    for prices, satisfaction, worth in (
        (step.quality_prices, step.quality ** np.asarray(given.elasticity_ratio), given.valuations_quality),
        (step.freshness_prices, np.full(providers, step.freshness), given.valuations_freshness),
    ):
        rivals = rival_sums(prices)
        grid = np.linspace(0, 1, 4001)[:, None] * worth / (1 + satisfaction)  # no best response lies beyond
        deviations = provider_utility(grid, rivals, worth, satisfaction).max(axis=0)
        searched += deviations - provider_utility(prices, rivals, worth, satisfaction)
    np.testing.assert_allclose(examined.provider_gains, searched, atol=1e-3 * np.max(given.valuations_quality))


def test_a_lone_bidder_is_held_by_the_reserve():
    report = game_report(problem(providers=1, reserve=100.0))
    assert report.played.provider_gains.tolist() == [0.0]
    assert report.equilibrium.step.quality_money.sum() + report.equilibrium.step.freshness_money.sum() == pytest.approx(
        100.0
    )


def test_whoever_stays_out_gains_by_joining_only_where_that_pays():
    """One user is sent away though it would be paid; another rightly stays out."""
    given = problem(users=3, compute_costs=[5.0, 5.0, 1e6])
    step = decide(given)
    assert step.takes_part.tolist() == [True, True, False]
    assert examine(given, step).user_gains[2] == 0
    sent_away = replace(given, epochs_max=[20, 0, 20])
    lonely = examine(given, decide(sent_away))
    assert lonely.step.takes_part.tolist() == [True, False, False]
    assert lonely.user_gains[1] > 0


def test_cash_surplus_is_counted_for_those_who_take_part():
    given = problem(epochs_max=[0, 9, 9, 9, 9, 9, 9, 9])
    examined = game_report(given).played
    step = examined.step
    expected = cash_surplus(step.total_rewards, step.epochs, step.privacy, given.compute_costs, given.privacy_costs)
    np.testing.assert_array_equal(examined.cash_surplus[1:], expected[1:])
    assert examined.cash_surplus[0] == 0


def test_reward_expectation_reaches_those_who_might_join():
    announced = problem(users=3, epochs_max=[20, 0, 20])
    expected = replace(announced, reward_expectation="expected")
    open_door = {"epochs_max": 20}
    gains = [examine(replace(given, **open_door), decide(given)).user_gains[1] for given in (announced, expected)]
    assert gains[0] > gains[1]
