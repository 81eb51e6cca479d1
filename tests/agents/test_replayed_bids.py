"""Bids that are sent again over the windows of a whole auction: only what a provider bid last, in time, counts."""

from itertools import pairwise

import pytest

from flnft_sim import FlnftModel, load_scenario
from flnft_sim.agents.contract.auction import Auction
from flnft_sim.ledger import to_units

REBIDS = {
    "seed": 154,  # under which a bid that was late is replayed in time
    "learning.learner": "surrogate",
    "population.providers": 5,
    "public_chain.block_interval_s": 60.0,  # so that some windows of 90 s close before a block comes
    "market.bidding_s": 90.0,
    "market.reserve_money": 1e7,  # which no budget reaches: rebids to the end
    "failures.replayed_bids": 20,
}
SENT_S = 0.15 * 90.0  # after the window opens, at the latest


@pytest.fixture(scope="module")
def story():
    """The run's one auction, and of each clearing by what it decided: (units by provider, that window's entries)."""
    clearings, clear = [], Auction.clear

    def told(auction, *rule):
        counted = {buyer.name: to_units(money) for buyer, money in zip(auction.buyers, auction.bids, strict=True)}
        seen = sum(len(entries) for _, entries in clearings)
        clearings.append((counted, auction.book[seen:]))
        return clear(auction, *rule)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Auction, "clear", told)
        model = FlnftModel(load_scenario("tiny", overrides=REBIDS))
        model.run()
    (auction,) = model.auctions
    return auction, clearings


def test_every_clearing_counts_what_each_provider_bid_itself_in_that_window(story):
    auction, clearings = story
    assert len(clearings) == auction.rebids + 1 > 2
    for counted, entries in clearings:
        own = dict.fromkeys(counted, 0)
        for entry in entries:
            if entry.sender in own and entry.bid is not None:
                own[entry.sender] = entry.bid.total
        assert counted == own


def test_the_newest_bid_in_time_stands_and_rebids_rose_to_it(story):
    auction, _ = story
    for buyer in auction.buyers:
        entries = [entry for entry in auction.book if entry.sender == buyer.name]
        opened = [entry.bid for entry in entries if entry.bid is not None]
        assert len(entries) == auction.rebids + 1 and len(opened) > 1
        assert {entry.reason for entry in entries if entry.bid is None} <= {"late"}
        standing = opened[-1] if opened[-1].window == auction.rebids else None  # none, where the last was late
        assert auction.tender.sealed.bids.get(buyer.address) == standing
        for older, newer in pairwise(opened):
            assert older.nonce < newer.nonce and older.window < newer.window and older.total <= newer.total


def test_every_replay_is_rejected_also_that_of_a_bid_that_had_been_late(story):
    auction, _ = story
    replays = [entry for entry in auction.book if entry.sender == "outsider-0"]
    assert len(replays) == 20 * (auction.rebids + 1)
    assert {entry.status for entry in replays} == {"rejected"}
    assert {entry.reason for entry in replays} == {"replayed nonce", "wrong window"}
    late = {bytes(entry.sealed) for entry in auction.book if entry.reason == "late"}
    surely_in_time = [entry for entry in replays if entry.in_block_s - entry.sealed_at_s < 90.0 - SENT_S]
    assert any(bytes(entry.sealed) in late for entry in surely_in_time)
