"""Utilities, costs and rewards of one's own: the numeric answers are the paper's closed ones, and best for any."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import any_problem

from flnft_sim import run
from flnft_sim.errors import InputError
from flnft_sim.game import COSTS, REWARDS, UTILITIES, Incentives, decide, delivered_shares, examine
from flnft_sim.game.incentives.base import THE_PAPERS
from flnft_sim.scenario import ScenarioError, load_scenario
from flnft_sim.testing.incentives import CostContract, RewardContract, UtilityContract


@UTILITIES.register("saturating")
def saturating(reward, epochs, privacy, cost):
    """Money counts by its logarithm."""
    return 20.0 * np.log1p(reward) - cost


@COSTS.register("wearing")
def wearing(epochs, privacy, compute_cost, privacy_cost):
    """Each epoch costs more than the one before."""
    return compute_cost * epochs**1.5 + privacy_cost * privacy


@REWARDS.register("even")
def even(contributions):
    """Whoever brings anything gets as much as all others."""
    return np.asarray(contributions) > 0


class TestSaturating(UtilityContract):
    utility = "saturating"


class TestWearing(CostContract):
    cost = "wearing"


class TestEven(RewardContract):
    reward = "even"


def incentives(sigma=0.5, **names):
    return Incentives.chosen({**THE_PAPERS, **names}, {"utility": {"sigma": sigma}} if "utility" not in names else {})


@settings(max_examples=6)
@given(st.integers(0, 10_000), st.floats(0.2, 0.9))
def test_numeric_answers_of_the_papers_incentives_are_the_closed_ones(seed, sigma):
    """The same whole epochs and take-part, ε, Φ and prices, in a decision that goes the same way."""
    closed = replace(any_problem(seed), user_reply="own-age", damping=0.8, fairness=sigma)
    numeric = replace(closed, incentives=incentives(sigma))
    one, other = decide(closed), decide(numeric)
    np.testing.assert_array_equal(one.takes_part, other.takes_part)
    np.testing.assert_allclose(other.freshness_prices, one.freshness_prices, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(other.quality_prices, one.quality_prices, rtol=1e-4, atol=1e-9)
    whole = one.epochs.astype(float)
    twin = replace_terms(other, one)
    np.testing.assert_array_equal(twin.own_age_epochs, one.terms.own_age_epochs)
    np.testing.assert_allclose(twin.utilities(whole), one.terms.utilities(whole), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(twin.best_privacy(whole), one.terms.best_privacy(whole), rtol=1e-5)
    np.testing.assert_allclose(twin.own_age_peaks(one.epochs), one.terms.own_age_peaks(one.epochs), atol=1e-2)


def replace_terms(numeric, closed):
    """The numeric terms at the very prices of the closed ones."""
    return replace(
        numeric.terms,
        quality_rewards=closed.terms.quality_rewards,
        freshness_price=closed.terms.freshness_price,
    )


@pytest.mark.parametrize("names", [{"utility": "saturating"}, {"cost": "wearing"}, {"reward": "even"}])
def test_no_user_could_do_better_by_another_answer(names):
    """All whole k and a fine grid of ε, one user at a time, at the prices that were announced."""
    for seed in range(2):
        step = decide(replace(any_problem(seed), user_reply="own-age", incentives=incentives(**names)))
        best = step.terms.utilities(step.epochs.astype(float))
        for epochs in range(1, 20):
            for privacy in np.linspace(1.0, 5.0, 9):
                k = np.minimum(float(epochs), step.terms.most_epochs)
                tried = step.terms.utilities(k, np.full(k.shape, privacy))
                assert (tried <= best + 1e-7 * np.maximum(1.0, np.abs(best))).all()
        assert examine(step.problem, step).user_gains[step.takes_part].max(initial=0.0) <= 1e-6 * np.abs(best).max()


def test_money_is_shared_by_weights_and_all_of_it():
    step = decide(replace(any_problem(2), user_reply="own-age", incentives=incentives(reward="even")))
    some = step.quality_shares[step.quality_shares > 0]
    assert some.size > 1 and np.ptp(some) == 0 and step.quality_shares.sum() == pytest.approx(1.0)
    shares = delivered_shares(even(np.array([0.0, 1.0, 9.0])), even(np.zeros(3)), quality_money=3, freshness_money=0)
    np.testing.assert_allclose(shares, [0, 0.5, 0.5])


def test_a_run_pays_by_the_reward_that_the_scenario_names():
    overrides = {"game.reward": "even", "game.history_auctions": 2, "learning.rounds": 1}
    result = run(load_scenario("tiny", overrides=overrides))
    paid = result.users.groupby("user")["pay_share"].last()
    assert np.ptp(paid[paid > 0]) < 1e-12 and len(paid[paid > 0]) > 1
    honest = run(load_scenario("tiny", overrides=overrides | {"game.reward": "proportional"}))
    assert np.ptp(honest.users.groupby("user")["pay_share"].last()) > 1e-6


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda reward, epochs, privacy, cost: np.sum(reward), "work element by element"),
        (lambda reward, epochs, privacy, cost: np.log(reward - reward) - cost, "return a finite number there"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_a_broken_utility_returns_is_told(broken, told):
    chosen = replace(incentives(), parts={**incentives().parts, "utility": broken})
    with pytest.raises(InputError, match=f"utility 'fair'.*{told}"):
        decide(replace(any_problem(1), user_reply="own-age", incentives=chosen))


def test_a_reward_below_nothing_is_told():
    chosen = replace(incentives(), parts={**incentives().parts, "reward": lambda contributions: -contributions})
    with pytest.raises(InputError, match="gives a weight below 0"):
        chosen.weights(np.ones(3))


def test_the_papers_closed_form_takes_no_other_incentives():
    with pytest.raises(InputError, match="own-age"):
        replace(any_problem(1), user_reply="price-taking", incentives=incentives())
    with pytest.raises(ScenarioError, match="with saturating, linear, proportional use 'own-age'"):
        load_scenario("tiny", overrides={"game.utility": "saturating", "game.user_reply": "price-taking"})
    with pytest.raises(ScenarioError, match="unknown utility 'saturatin', did you mean 'saturating'"):
        load_scenario("tiny", overrides={"game.utility": "saturatin"})
