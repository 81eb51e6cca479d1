"""What beliefs learn from an auction that was bid in again and again: the bids that nobody had raised yet."""

from itertools import pairwise

import numpy as np
import pytest

from flnft_sim import load_scenario, run


@pytest.fixture(scope="module")
def result():
    """Three auctions of one market in which no ask is below the reserve, so that all rebids are made."""
    fields = {
        "learning.learner": "surrogate",
        "learning.rounds": 1,
        "market.auctions": 3,
        "market.reserve_money": 1.0,
        "market.rebids_max": 3,
        "market.clock_s": 1e5,
        "game.history_auctions": 3,
        "game.belief.kind": "last",
    }
    return run(load_scenario("tiny", overrides=fields))


def first_bids(result, auction):
    """Money by provider in the first window of an auction, 0 for who made no bid."""
    rows = result.bids[
        (result.bids["auction"] == auction) & result.bids["status"].isin(["accepted", "replaced", "no bid"])
    ]
    return (
        rows.sort_values("sealed_at_s", kind="stable").drop_duplicates("provider").set_index("provider")["total_money"]
    )


def test_the_next_forecast_is_what_was_bid_before_any_rebid(result):
    auctions = list(result.auctions["auction"])
    assert (result.auctions["rebids"] == 3).all()
    for before, auction in pairwise(auctions):
        first = first_bids(result, before)
        final = result.bids[(result.bids["auction"] == before) & (result.bids["status"] == "accepted")]
        assert final["total_money"].sum() > 1.1 * first.sum()  # rebids did raise them: 1.05³
        told = result.bids[result.bids["auction"] == auction].drop_duplicates("provider")
        for row in told.to_dict("records"):
            assert row["predicted_rivals_money"] == pytest.approx(first.drop(row["provider"]).sum(), rel=1e-6)


def test_forecasts_are_held_against_the_same_bids(result):
    rows = result.bids.dropna(subset=["real_rivals_money"])
    assert set(rows["status"]) >= {"accepted", "replaced"}
    for row in rows.to_dict("records"):
        rivals = first_bids(result, row["auction"]).drop(row["provider"])
        assert np.isclose(row["real_rivals_money"], rivals.sum(), rtol=1e-9, atol=1e-9)
