"""Providers who lead, and the form of what they maximise in which no unit of satisfaction matters."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import problem
from scipy.optimize import minimize_scalar

from flnft_sim.errors import FlnftError, InputError
from flnft_sim.game import (
    budgeted_best_response,
    budgeted_equilibrium,
    decide,
    provider_best_response,
    provider_equilibrium,
    provider_exploitability,
    provider_utility,
    reanswered_gains,
    rival_sums,
)
from flnft_sim.scenario import load_scenario


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(1.0, 1e3), st.floats(1e-2, 1e2))
def test_in_money_the_best_bid_is_tullocks_whatever_the_scale(rivals_money, worth, satisfaction):
    """m* = √(VΔ) − Δ, or nothing; against a search over the utility itself."""
    delta = rivals_money / satisfaction
    bid = float(provider_best_response(delta, worth, satisfaction, form="money"))
    assert bid * satisfaction == pytest.approx(max(0.0, np.sqrt(worth * rivals_money) - rivals_money), abs=1e-9 * worth)
    found = minimize_scalar(
        lambda q: -provider_utility(q, delta, worth, satisfaction, form="money"),
        bounds=(0.0, worth / satisfaction),
        method="bounded",
    )
    kept = provider_utility(bid, delta, worth, satisfaction, form="money")
    assert kept >= -found.fun - 1e-9 * worth


@pytest.mark.parametrize(("satisfaction", "printed"), [(0.1, 13.0), (278.0, 59.9)])
def test_five_equal_providers_pay_sixty_in_money_and_what_the_scale_says_as_printed(satisfaction, printed):
    """V·(M − 1)/M² = 375·4/25."""
    worth = np.full(5, 375.0)
    np.testing.assert_allclose(satisfaction * provider_equilibrium(worth, satisfaction, form="money"), 60.0)
    np.testing.assert_allclose(satisfaction * provider_equilibrium(worth, satisfaction), printed, atol=0.05)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 12), st.sampled_from(["printed", "money"]))
def test_an_equilibrium_is_one_in_either_form(seed, providers, form):
    rng = np.random.default_rng(seed)
    worth, satisfaction = 10 ** rng.uniform(0, 3, providers), 10 ** rng.uniform(-2, 2, providers)
    bids = provider_equilibrium(worth, satisfaction, form=form)
    assert provider_exploitability(bids, worth, satisfaction, form=form).max() <= 1e-7 * worth.max()
    off = bids * rng.uniform(1.2, 2.0, providers)
    assert provider_exploitability(off, worth, satisfaction, form=form).max() > 1e-3


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 10), st.sampled_from(["printed", "money"]))
def test_budgets_that_bind_are_kept_and_answered_in_either_form(seed, providers, form):
    rng = np.random.default_rng(seed)
    worth = 10 ** rng.uniform(1, 3, (2, providers))
    sats = np.broadcast_to(10 ** rng.uniform(-1, 2, (2, 1)), (2, providers))
    purse = worth.sum(axis=0) * 10 ** rng.uniform(-3, 0, providers)
    bids = np.stack(budgeted_equilibrium(worth[0], worth[1], sats[0], sats[1], purse, form=form))
    assert np.all((bids * sats).sum(axis=0) <= purse * (1 + 1e-9))
    rivals = [rival_sums(part) for part in bids]
    best = np.stack(budgeted_best_response(*rivals, *worth, *sats, purse, form=form))
    assert np.abs(best - bids).max() <= 1e-8 * bids.sum()


@pytest.mark.parametrize("form", ["printed", "money"])
@pytest.mark.parametrize(("seed", "reply"), [(0, "price-taking"), (2, "price-taking"), (0, "own-age")])
def test_who_anticipates_leaves_itself_nothing_to_gain_once_users_answer(form, seed, reply):
    """By the search for another price that knows nothing of derivatives; simultaneous providers leave something."""
    beliefs = {"believed_quality_money": None, "believed_freshness_money": None}
    given = problem(10, 5, seed, user_reply=reply, provider_utility=form, epochs_max=20.0, **beliefs)
    given = replace(given, seconds_per_epoch=np.asarray(given.seconds_per_epoch) * (8.0 if seed == 2 else 1.0))
    together = decide(given, tolerance=1e-8)
    leading = decide(replace(given, leadership="anticipating"), tolerance=1e-8, most_steps=300)
    assert leading.gap <= 1e-8
    assert reanswered_gains(together).max() > 0.1
    assert reanswered_gains(leading).max() < 1e-4
    assert leading.freshness < together.freshness  # leaders pay more, and updates are older
    assert leading.freshness_prices.sum() > together.freshness_prices.sum()


def test_on_beliefs_leaders_settle_too():
    step = decide(problem(8, 4, 1, leadership="anticipating"), tolerance=1e-6, most_steps=300)
    assert step.gap <= 1e-6


@pytest.mark.parametrize(
    "changes", [{"damping": 0.3}, {"reward_expectation": "expected"}, {"leadership": "last"}, {"provider_utility": "x"}]
)
def test_leaders_who_cannot_foresee_are_refused_in_one_sentence(changes):
    with pytest.raises(InputError) as error:
        problem(4, 3, 0, **{"leadership": "anticipating", **changes})
    assert "\n" not in str(error.value)


def test_a_scenario_refuses_them_as_well():
    with pytest.raises(FlnftError, match="anticipating"):
        load_scenario("tiny", overrides={"game.leadership": "anticipating", "game.damping": 0.3})
