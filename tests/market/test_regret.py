"""Money forgone in an auction, worked out by hand."""

import numpy as np
import pytest

from flnft_sim.market import RULES, clear, forgone_money


def test_under_a_posted_price_losers_forgo_their_value_less_the_price():
    forgone = forgone_money(
        "pms-am",
        [50.0, 10.0, 0.0, 12.0],
        [5.0],
        reserve=20.0,
        seed=0,
        values=[60.0, 300.0, 90.0, 15.0],
        limits=[999] * 4,
    )
    assert forgone == pytest.approx([0.0, 280.0, 70.0, 0.0])


def test_a_limit_below_the_price_leaves_nothing_to_forgo():
    forgone = forgone_money("pms-am", [50.0, 10.0], [5.0], reserve=20.0, seed=0, values=[60, 300], limits=[999, 19])
    assert forgone == pytest.approx([0.0, 0.0])


def test_under_first_price_a_winner_forgoes_what_it_overpaid():
    forgone = forgone_money(
        "first-price", [80.0, 30.0], [10.0], reserve=np.inf, seed=0, values=[100, 100], limits=[999] * 2
    )
    # every bid from the ask on wins a licence: 10 would have done for both
    assert forgone == pytest.approx([70.0, 20.0], abs=1e-5)


def test_who_won_above_its_value_forgoes_its_loss():
    forgone = forgone_money("pms-am", [50.0], [5.0], reserve=20.0, seed=0, values=[15.0], limits=[999])
    assert forgone == pytest.approx([5.0])


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"random"}))
def test_no_other_bid_on_a_fine_grid_keeps_more(rule):
    rng = np.random.default_rng(7)
    for seed in range(4):
        bids, asks = rng.uniform(0, 100, 4).round(1), rng.uniform(0, 60, 3).round(1)
        values, reserve = bids * rng.uniform(0.8, 3, 4), float(rng.uniform(20, 80))
        forgone = forgone_money(rule, bids, asks, reserve=reserve, seed=seed, values=values, limits=[500] * 4)
        for i in range(4):

            def kept(bid, i=i, bids=bids, asks=asks, values=values, reserve=reserve, seed=seed):
                cleared = clear(rule, np.where(np.arange(4) == i, bid, bids), asks, reserve=reserve, seed=seed)
                return values[i] * (i in cleared.buyers) - cleared.payments[i]

            grid = max(0.0, *(kept(bid) for bid in np.linspace(0.05, 400, 120)))
            assert forgone[i] >= grid - kept(bids[i]) - 1e-4
            assert forgone[i] >= 0
