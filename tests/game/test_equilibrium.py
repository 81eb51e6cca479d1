"""The scalar root against best-response iteration, and against nobody wanting to deviate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.game import (
    NoEquilibriumError,
    NotFiniteError,
    ValuationError,
    budgeted_best_response,
    budgeted_equilibrium,
    provider_best_response,
    provider_equilibrium,
    provider_exploitability,
    provider_utility,
    rival_sums,
)

markets = st.lists(
    st.tuples(st.floats(10.0, 1000.0), st.floats(0.5, 50.0)), min_size=2, max_size=40
)  # (V, s) of each provider


def iterated(valuations, satisfaction):
    """Damped simultaneous best responses, the other road to the equilibrium, with Eq. 29 written out.

    Providers alike settle under a step of 2/(M + 1); very unlike ones swing and need a shorter one.
    """
    for halvings in range(6):
        step = 2 / (len(valuations) + 1) / 2**halvings
        q = valuations / (len(valuations) * (1 + satisfaction))
        for _ in range(int(60 / step)):
            rivals = q.sum() - q
            best = np.maximum(0, np.sqrt((rivals**2 + valuations * rivals) / (1 + satisfaction)) - rivals)
            if np.abs(best - q).max() < 1e-10 * q.sum():
                return q
            q = q + step * (best - q)
    raise AssertionError("best responses do not settle")


@settings(max_examples=40, deadline=None)
@given(markets)
def test_equals_damped_best_response_iteration(market):
    """Also with a satisfaction of its own per provider (λ_j differ, hence Q^λ_j)."""
    valuations, satisfaction = np.array(market).T
    bids = provider_equilibrium(valuations, satisfaction)
    found = iterated(valuations, satisfaction)
    np.testing.assert_allclose(bids, found, rtol=1e-6, atol=1e-7 * bids.sum())


@given(markets)
def test_nobody_gains_by_deviating(market):
    valuations, satisfaction = np.array(market).T
    bids = provider_equilibrium(valuations, satisfaction)
    assert bids.sum() > 0
    assert np.all(provider_exploitability(bids, valuations, satisfaction) <= 1e-9 * valuations)
    grid = np.linspace(0, 2 * bids.sum(), 301)[:, None]
    deviations = provider_utility(grid, rival_sums(bids), valuations, satisfaction)
    played = provider_utility(bids, rival_sums(bids), valuations, satisfaction)
    assert np.all(deviations.max(axis=0) <= played + 1e-9 * valuations)


@given(st.integers(2, 500), st.floats(1, 1000), st.floats(0, 1000))
def test_equal_providers_have_a_closed_form(count, valuation, s):
    """Each bids S/M; Eq. 29 at Δ = S(M−1)/M gives S = V·M(M−1)/((1+s)M² − (M−1)²)."""
    bids = provider_equilibrium(np.full(count, valuation), s)
    total = valuation * count * (count - 1) / ((1 + s) * count**2 - (count - 1) ** 2)
    np.testing.assert_allclose(bids, total / count, rtol=1e-9)


@given(markets, st.floats(0.001, 1000))
def test_money_has_no_unit(market, scale):
    valuations, satisfaction = np.array(market).T
    bids = provider_equilibrium(valuations, satisfaction)
    scaled = provider_equilibrium(scale * valuations, satisfaction)
    np.testing.assert_allclose(scaled, scale * bids, rtol=1e-7, atol=1e-9 * scale * bids.sum())


def test_undamped_replies_do_not_get_there():
    """Why there is a root-find: simultaneous replies swing or collapse at ten providers."""
    valuations = np.linspace(500, 1500, 10)
    bids = provider_equilibrium(valuations, 1.0)
    q = bids * 1.01
    for _ in range(200):
        q = provider_best_response(rival_sums(q), valuations, 1.0)
    assert np.abs(q - bids).max() > 0.1 * bids.max()


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(st.floats(50, 1000), st.floats(0.02, 0.6)), min_size=2, max_size=12))
def test_binding_budgets(market):
    """At the equilibrium with budgets everybody's budgeted best response is what it plays."""
    valuations, share = np.array(market).T
    arguments = (valuations / 2, valuations / 2, 20.0, 3.0)
    free_q, free_f = budgeted_equilibrium(*arguments, 1e12)
    np.testing.assert_array_equal(free_q, provider_equilibrium(valuations / 2, 20.0))
    budget = share * (20.0 * free_q + 3.0 * free_f) + 1.0
    q, f = budgeted_equilibrium(*arguments, budget)
    best_q, best_f = budgeted_best_response(rival_sums(q), rival_sums(f), *arguments, budget)
    assert np.all(20.0 * q + 3.0 * f <= budget * (1 + 1e-9))
    np.testing.assert_allclose(q, best_q, atol=1e-8 * q.sum())
    np.testing.assert_allclose(f, best_f, atol=1e-8 * f.sum())


@pytest.mark.parametrize("valuations", [[], [5.0], [0.0, 0.0], [0.0, 5.0, 0.0]])
def test_fewer_than_two_valuations_have_no_equilibrium(valuations):
    assert provider_equilibrium(valuations, 2.0).tolist() == [0.0] * len(valuations)


def test_providers_worth_nothing_bid_nothing():
    bids = provider_equilibrium([0.0, 7.0, 9.0], 0.3)
    assert bids[0] == 0
    np.testing.assert_array_equal(bids[1:], provider_equilibrium([7.0, 9.0], 0.3))


def test_alone_the_gain_is_a_supremum():
    """Among zero bids the smallest one wins V for nearly nothing."""
    assert provider_exploitability([0.0, 0.0], [7.0, 9.0], 2.0).tolist() == [7.0, 9.0]
    assert provider_exploitability([1.0], [7.0], 2.0).tolist() == [7.0 - (7.0 - 1.0 - 2.0)]


def test_bad_input():
    with pytest.raises(ValuationError, match=r"valuations\[1\] is -1"):
        provider_equilibrium([1.0, -1.0], 2.0)
    with pytest.raises(NotFiniteError, match="satisfaction"):
        provider_equilibrium([1.0, 2.0], np.nan)


@pytest.mark.parametrize("seed", range(12))
def test_under_budgets_of_any_tightness_prices_are_mutual_best_responses(seed):
    """Valuations and satisfactions over orders of magnitude, budgets down to a ten-thousandth of the valuations."""
    rng = np.random.default_rng(seed)
    for _ in range(5):
        providers = int(rng.integers(2, 15))
        worth = 10 ** rng.uniform(0, 3, (2, providers))
        sats = 10 ** rng.uniform(-2, 3, (2, providers))
        budget = worth.sum(axis=0) * 10 ** rng.uniform(-4, 0, providers)
        bids = np.stack(budgeted_equilibrium(*worth, *sats, budget))
        assert np.all((bids * sats).sum(axis=0) <= budget * (1 + 1e-9))
        best = budgeted_best_response(rival_sums(bids[0]), rival_sums(bids[1]), *worth, *sats, budget)
        np.testing.assert_allclose(bids, np.stack(best), atol=1e-9 * bids.sum(axis=1).max())


def test_who_has_no_money_leaves_the_others_to_themselves():
    bids = budgeted_equilibrium([500, 500, 500], [500, 500, 500], 20.0, 30.0, [0.0, 100.0, 100.0])
    assert bids[0][0] == bids[1][0] == 0
    two = budgeted_equilibrium([500, 500], [500, 500], 20.0, 30.0, [100.0, 100.0])
    np.testing.assert_allclose([bids[0][1:], bids[1][1:]], two)


def test_prices_that_do_not_come_to_rest_are_an_error_and_no_answer(monkeypatch):
    monkeypatch.setattr("flnft_sim.game.equilibrium._BudgetedMarket.equilibrium", lambda *_: np.ones((2, 2)))
    with pytest.raises(NoEquilibriumError, match="do not come to rest"):
        budgeted_equilibrium([500, 500], [500, 500], 20.0, 30.0, [10.0, 10.0])
