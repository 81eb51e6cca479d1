"""The contest in whole epochs, and the smallest pot that keeps a promise: against brute force and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.game.contest import (
    ContestTerms,
    NoTotalAskError,
    ScoreFreshness,
    equal_users_ask,
    settled_contest,
    total_ask,
    whole_contest,
)

RANGES = {"epochs_range": (1.0, 20.0), "privacy_range": (1.0, 5.0)}


def terms_of(seed, users, *, a=0.5, b=0.05, **more):
    rng = np.random.default_rng(seed)
    costs = {"compute_cost": rng.uniform(2, 30, users), "privacy_cost": rng.uniform(0.2, 5, users)}
    return ContestTerms(**{"scores": rng.uniform(5, 60, users), **costs, "a": a, "b": b, **RANGES, **more})


def best_gain(pot, terms, played):
    """The most that anybody gains by another whole k with an ε of a fine grid, or by staying out: brute force."""
    scores = terms.score(played.epochs, played.privacy)
    cash = terms.cash(pot, played.epochs, played.privacy)
    k, e = np.arange(1.0, 21.0)[:, None], np.linspace(1.0, 5.0, 2001)[None, :]
    gains = []
    for user in range(len(terms)):
        score = terms.theta[user] * k**terms.a * e**terms.b
        rest = scores.sum() - scores[user]
        won = pot * score / (score + rest) - terms.compute[user] * k - terms.privacy[user] * e
        gains.append(max(won.max(), 0.0) - cash[user])
    return max(gains)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 9), st.floats(0.3, 1.0), st.floats(0.0, 1.0), st.floats(100.0, 1500.0))
def test_what_somebody_gains_at_what_is_played_is_what_is_stated(seed, users, a, part, pot):
    terms = terms_of(seed, users, a=a, b=part * (1.0 - a))
    played = whole_contest(pot, terms)
    if played.takes_part.any():
        assert best_gain(pot, terms, played) <= played.gain_money + 1e-6 * pot


def test_replies_one_after_another_nearly_always_end_in_a_pure_equilibrium():
    rng = np.random.default_rng(5)
    ends = 0
    for seed in range(60):
        a = rng.uniform(0.3, 0.95)
        pot = rng.uniform(100.0, 1500.0)
        ends += whole_contest(pot, terms_of(seed, int(rng.integers(2, 11)), a=a)).gain_money <= 1e-9 * pot
    assert ends >= 54  # 144 of 150 elsewhere, with another order of replies


def test_a_crowd_plays_the_rounded_point_and_says_what_is_left_to_gain():
    terms = terms_of(3, 3_000)
    played, real = whole_contest(60_000.0, terms), settled_contest(60_000.0, terms)
    assert played.epochs.sum() == np.rint(real.epochs.sum())
    assert 0.0 < played.gain_money < 60_000.0 / 3_000
    assert np.abs(played.epochs - real.epochs).max() <= 1.0


def test_the_ask_is_the_smallest_pot_that_keeps_the_promise():
    """Tried on pots of another grid; one below the ask that is enough must be within its resolution."""
    for seed, users, promise in ((1, 3, 5), (4, 8, 6)):
        terms = terms_of(seed, users)
        ask = total_ask(terms, promise)
        assert whole_contest(ask, terms).epochs.sum() >= users * promise
        for pot in np.linspace(0.5 * ask, ask * (1.0 - 2e-4), 15):
            assert whole_contest(pot, terms).epochs.sum() < users * promise


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 40), st.floats(0.3, 0.9), st.floats(2.0, 8.0), st.floats(0.0, 1.0))
def test_equal_users_train_as_promised_at_the_closed_ask(users, a, promise, exponent):
    fresh = ScoreFreshness(exponent=exponent, fixed_age_s=2.0, seconds_per_epoch=1.0, horizon_s=100.0)
    terms = ContestTerms(
        scores=np.full(users, 7.0), compute_cost=8.0, privacy_cost=1e-9, a=a, b=0.05, **RANGES, freshness=fresh
    )
    found = settled_contest(equal_users_ask(terms, promise), terms)
    np.testing.assert_allclose(found.epochs, promise, rtol=1e-9)


def test_means_that_a_larger_pot_lowers():
    """θ (2, 9, 9), C (9, 5, 3): who takes part trains 6 epochs on average for about 183 and again for about 259."""
    terms = ContestTerms(scores=[2.0, 9.0, 9.0], compute_cost=[9.0, 5.0, 3.0], privacy_cost=0.0, a=0.5, b=0.0, **RANGES)
    mean = {}
    for pot in (182.0, 184.0, 235.0, 258.0, 260.0):
        found = settled_contest(pot, terms)
        mean[pot] = found.epochs[found.takes_part].mean()
    assert mean[182.0] < 6 < mean[184.0] and mean[235.0] < 6 and mean[258.0] < 6 < mean[260.0]


@pytest.mark.parametrize(
    ("changes", "promise"),
    [
        ({}, 21.0),
        ({"scores": [1.0, 0.0]}, 5.0),
        ({"freshness": ScoreFreshness(exponent=2, fixed_age_s=0.6, seconds_per_epoch=5, horizon_s=100)}, 5.0),
    ],
)
def test_a_promise_that_no_pot_keeps_is_one_sentence(changes, promise):
    terms = ContestTerms(
        **{"scores": [1.0, 2.0], "compute_cost": 1.0, "privacy_cost": 0.1, "a": 0.5, "b": 0.05, **RANGES, **changes}
    )
    with pytest.raises(NoTotalAskError, match="no pot makes 2 users train"):
        total_ask(terms, promise)
