"""The decision settles, quickly, where an independent solver says that it does."""

from dataclasses import replace

import numpy as np
import pytest
from decision_oracle import settled
from markets import any_problem, problem

from flnft_sim.game import decide, decision_steps


def assert_settles_where_the_oracle_does(seed):
    given = any_problem(seed)
    step = decide(given, tolerance=1e-12, most_steps=60)
    part, quality, freshness, epochs = settled(given)
    np.testing.assert_array_equal(step.takes_part, part)
    np.testing.assert_allclose(step.quality_prices, quality, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(step.freshness_prices, freshness, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(step.foreseen_epochs[part], epochs[part], rtol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_it_settles_where_nested_roots_do(seed):
    """With binding budgets, beliefs or full information, and users who refuse."""
    assert_settles_where_the_oracle_does(seed)


@pytest.mark.slow
def test_a_thousand_random_markets_settle_where_nested_roots_do():
    for seed in range(1000):
        assert_settles_where_the_oracle_does(seed)


def test_nested_roots_notice_a_price_that_is_off():
    """The comparison can fail: a solver stopped early is told apart."""
    given = any_problem(3)
    early = decide(given, tolerance=0.5, most_steps=1)
    assert np.abs(early.freshness_prices - settled(given)[2]).max() > 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_damped_exchanges_end_at_the_same_point(seed):
    """Nobody refuses here: who is sent away on the way depends on the way."""
    given = problem(10, 5, seed, compute_costs=np.random.default_rng(seed).uniform(5, 15, 10))
    fast = decide(given, tolerance=1e-12)
    slow = decide(replace(given, damping=0.3), tolerance=1e-13, most_steps=2000)
    assert fast.takes_part.all() and slow.takes_part.all()
    for name in ("quality_prices", "freshness_prices", "foreseen_epochs", "total_rewards"):
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), rtol=1e-9)
    assert fast.iteration < slow.iteration / 3


@pytest.mark.parametrize("slower", [1, 100, 5000])
@pytest.mark.parametrize("reply", ["price-taking", "own-age"])
def test_a_dozen_exchanges_do_however_slow_the_devices(slower, reply):
    for seed in range(10):
        fast = problem(10, 5, seed, epochs_max=20, user_reply=reply, seconds_per_epoch=np.geomspace(1e-3, 4e-3, 10))
        given = replace(fast, seconds_per_epoch=np.asarray(fast.seconds_per_epoch) * slower)
        assert decide(given, tolerance=1e-6, most_steps=50).iteration <= 12


def test_starting_from_the_answer_takes_two_exchanges():
    given = problem(10, 5, 0, compute_costs=10.0)
    again = replace(given, last_epochs=decide(given, tolerance=1e-12).foreseen_epochs)
    assert decide(again, tolerance=1e-6).iteration == 2


def test_what_was_known_stays_as_it_was():
    """Callers go on learning in the arrays that they gave."""
    ages = np.full(8, 2.0)
    given = problem(fixed_age_s=ages)
    ages[:] = 50.0
    assert (np.asarray(given.fixed_age_s) == 2.0).all()


def test_users_beyond_one_block_settle_where_nested_roots_do(monkeypatch):
    """Who is searched for with whom, and who is left out once it has arrived, changes nothing."""
    given = problem(300, 6, 1, epochs_max=np.random.default_rng(1).integers(1, 40, 300), seconds_per_epoch=2.0)
    part, _, freshness, epochs = settled(given)
    for block in (300, 64, 7):
        monkeypatch.setattr("flnft_sim.game.answers.BLOCK_USERS", block)
        step = decide(given, tolerance=1e-12, most_steps=60)
        np.testing.assert_array_equal(step.takes_part, part)
        np.testing.assert_allclose(step.freshness_prices, freshness, rtol=1e-9)
        np.testing.assert_allclose(step.foreseen_epochs[part], epochs[part], rtol=1e-9)


def test_what_was_computed_of_an_exchange_is_kept_with_other_notes_on_it():
    step = next(decision_steps(problem()))
    privacy = step.privacy
    again = step.noted(iteration=7)
    assert again.iteration == 7 and again.privacy is privacy
