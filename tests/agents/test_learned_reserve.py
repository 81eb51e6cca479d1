"""What the next auction's reserve is learned from, in a market that rebids."""

import pytest

from flnft_sim import FlnftModel, load_scenario

FIELDS = {
    "learning.learner": "surrogate",
    "game.history_auctions": 0,
    "game.damping": 1.0,
    "market.auctions": 2,
    "market.reserve_prior_money": 1.0,  # below every ask: nobody trades, and asks fall from rebid to rebid
}


def test_a_reserve_is_learned_from_the_ask_as_it_was_announced():
    """A rebid lowers the ask by 5 %; ten of them used to lower the next reserve by 40 %."""
    model = FlnftModel(load_scenario("tiny", overrides=FIELDS))
    model.run()
    auctions = model.result().auctions
    first, second = model.auctions
    bidders = sum(offer.total_money > 0 for offer in first.offers)
    announced = first.votes[0].total_ask / bidders
    assert first.rebids == 10
    assert first.asks[0] == pytest.approx(announced * 0.95**10)
    assert auctions["announced_ask_money"][0] == pytest.approx(announced)
    assert auctions["ask_money"][0] == pytest.approx(first.asks[0])
    assert second.reserve_money == pytest.approx(announced)  # the 75th percentile of one ask is that ask
