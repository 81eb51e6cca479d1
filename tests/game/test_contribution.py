"""Measures of contributions against what the Shapley value is defined by."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.game.contribution import CONTRIBUTIONS, Arrivals, Measured, measure
from flnft_sim.game.contribution.shapley_exact import shapley_values

EXACTLY = {"shapley_truncation": 0.0}


def game(worth, users, seed=0):
    """A round of which only coalitions and their worth are known."""
    nothing = np.zeros((users, 0), np.float32)
    return Arrivals(
        shard_sizes=np.ones(users, int),
        losses=np.ones(users),
        updates=nothing,
        step=nothing[0],
        worth=worth,
        rng=np.random.default_rng(seed),
    )


def table(seed, users, *, alike=(), idle=()):
    """A game drawn at random, v(∅) = 0: users `alike` can take each other's place, `idle` ones add nothing."""
    drawn = np.random.default_rng(seed).normal(0, 1, 2**users)
    drawn[0] = 0.0

    def worth(masks):
        told = np.array(masks, bool)
        told[:, list(idle)] = False
        if alike:
            told[:, list(alike)] = np.sort(told[:, list(alike)], axis=1)
        return drawn[told @ (1 << np.arange(users))]

    return worth


@given(st.integers(0, 10**6), st.integers(1, 6))
@settings(max_examples=20)
def test_the_exact_value_is_the_mean_over_all_orders(seed, users):
    """Shapley's other definition, spelled out."""
    worth = table(seed, users)
    gains = np.zeros(users)
    orders = list(permutations(range(users)))
    for order in orders:
        within = np.zeros((1, users), bool)
        for user in order:
            before = worth(within)[0]
            within[0, user] = True
            gains[user] += worth(within)[0] - before
    np.testing.assert_allclose(shapley_values(worth, users), gains / len(orders), atol=1e-9)


@given(st.integers(0, 10**6), st.integers(3, 11))
@settings(max_examples=25)
def test_efficiency_symmetry_and_the_null_player(seed, users):
    """What defines the Shapley value; sampled without truncation, it adds up exactly and knows who is idle."""
    worth = table(seed, users, alike=(0, 1), idle=(2,))
    whole = worth(np.ones((1, users), bool))[0]
    exact, sampled = (
        measure("shapley-exact", game(worth, users)),
        measure("shapley", game(worth, users, seed), **EXACTLY),
    )
    for found in (exact, sampled):
        assert found.values.sum() == pytest.approx(whole, abs=1e-9)
        assert found.values[2] == pytest.approx(0, abs=1e-12)
    assert exact.values[0] == pytest.approx(exact.values[1], abs=1e-9)
    assert abs(sampled.values[0] - sampled.values[1]) <= 5 * np.hypot(*sampled.errors[:2]) + 1e-9


@given(st.integers(0, 10**6), st.integers(10, 12), st.sampled_from([0.05, 0.2]))
@settings(max_examples=20)
def test_sampled_values_are_within_their_stated_error_of_the_exact_ones(seed, users, error):
    """And the error is the one that was asked for, unless orders ran out."""
    worth = table(seed, users)
    found = measure("shapley", game(worth, users, seed), shapley_error=error, shapley_orders=4000, **EXACTLY)
    exact = shapley_values(worth, users)
    assert (np.abs(found.values - exact) <= 5 * found.errors + 1e-9).all()
    assert found.errors.max() <= error * np.abs(found.values).max() or found.errors.max() < 0.03


def test_stated_errors_are_neither_too_small_nor_too_large():
    """Over many games, deviations in standard errors have a standard deviation of about 1."""
    deviations = []
    for seed in range(40):
        worth = table(seed, 10)
        found = measure("shapley", game(worth, 10, seed), shapley_error=0.0, shapley_orders=300, **EXACTLY)
        deviations.append((found.values - shapley_values(worth, 10)) / found.errors)
    assert 0.7 < np.std(deviations) < 1.3


def test_of_a_few_users_the_value_is_exact():
    """To nine users there are fewer coalitions than the first orders would ask of."""
    for users in range(1, 10):
        found = measure("shapley", game(table(1, users), users), **EXACTLY)
        np.testing.assert_array_equal(found.errors, np.zeros(users))
        np.testing.assert_allclose(found.values, shapley_values(table(1, users), users), atol=1e-12)


def test_truncation_takes_less_work_and_little_from_the_value():
    """A game that the first three of ten users decide: once they are in, nobody is asked any more."""
    asked = []

    def worth(masks):
        asked.append(len(masks))
        return masks[:, :3].sum(axis=1) / 3 + 1e-5 * masks[:, 3:].sum(axis=1)

    told = {"shapley_error": 0.0, "shapley_orders": 100}
    whole = measure("shapley", game(worth, 10), **EXACTLY, **told)
    scored = sum(asked)
    asked.clear()
    truncated = measure("shapley", game(worth, 10), shapley_truncation=1e-3, **told)
    assert sum(asked) < 0.9 * scored
    np.testing.assert_allclose(truncated.values, whole.values, atol=1e-3)


def test_a_round_that_is_worth_nothing_is_nobodys():
    """Truncation between rounds: two questions, and everybody has 0."""
    found = measure("shapley", game(lambda masks: 1e-4 * masks.any(axis=1), 5), shapley_truncation=1e-3)
    np.testing.assert_array_equal(found.values, np.zeros(5))


def test_leave_one_out_and_loss_drop_are_what_they_say():
    """In an additive game all measures of worth agree; with twins, leaving one of them out is no loss."""
    weights = np.array([3.0, 1.0, -2.0])
    for name in ("leave-one-out", "loss-drop", "shapley-exact"):
        np.testing.assert_allclose(measure(name, game(lambda masks: masks @ weights, 3)).values, weights, atol=1e-12)
    either = game(lambda masks: masks.any(axis=1).astype(float), 2)
    np.testing.assert_array_equal(measure("leave-one-out", either).values, [0, 0])
    np.testing.assert_array_equal(measure("loss-drop", either).values, [1, 1])


def test_cosine_is_the_direction_towards_the_step():
    """1 along it, −1 against it, 0 across and for nothing at all."""
    updates = np.array([[2, 0], [-1, 0], [0, 5], [0, 0]], np.float32)
    arrived = replace(game(None, 4), updates=updates, step=np.array([3, 0], np.float32))
    np.testing.assert_allclose(measure("cosine", arrived).values, [1, -1, 0, 0], atol=1e-12)


def test_exact_values_of_more_than_twelve_users_are_refused():
    with pytest.raises(InputError, match=r"exact Shapley values of 13 users take 8,192 coalitions; have at most 12"):
        measure("shapley-exact", game(lambda masks: masks.sum(axis=1), 13))


@pytest.mark.parametrize("wrong", [Measured.exactly([1.0]), Measured.exactly([1.0, np.nan])])
def test_a_measure_that_returns_nonsense_is_named(wrong):
    CONTRIBUTIONS.register("broken")(lambda arrived: wrong)
    try:
        with pytest.raises(InputError, match="contribution measure 'broken' returns values"):
            measure("broken", game(None, 2))
    finally:
        CONTRIBUTIONS.forget("broken")
