"""What cannot end, or cannot be paid for in gas, is refused before it begins; what does not end is stopped."""

import logging

import pytest

from flnft_sim.errors import InputError
from flnft_sim.scenario import ScenarioError, load_scenario
from flnft_sim.scenario.beforehand import largest_call
from flnft_sim.simulation import FlnftModel, TimelineTooLong

QUICK = {"learning.learner": "surrogate", "learning.rounds": 1, "game.history_auctions": 2}


def tiny(**fields):
    return load_scenario("tiny", overrides=QUICK | fields)


def test_no_transaction_takes_more_gas_than_foreseen_and_less_than_that_is_refused():
    """Attacks, rebids and resales included: everything that a contract ever sends."""
    fields = {
        "population.daos": 2,
        "population.categories": 2,
        "population.providers": 4,
        "market.auctions": 2,
        "market.resale_share": 1.0,
        "failures.forged_bids": 2,
        "failures.garbled_bids": 1,
    }
    model = FlnftModel(tiny(**fields))
    kind, most = largest_call(model.settings)
    model.run()
    sent = [each for each in model.world.public_chain.chain.transactions() if each.kind != "past-auction"]
    assert {"mint", "announce", "bid", "clearing", "settle"} <= {each.kind for each in sent}
    assert max(each.gas for each in sent if each.kind != "settle") <= most
    with pytest.raises(InputError, match=rf"public_chain.gas_limit = {most - 1}: a '{kind}' .* may take {most} gas"):
        FlnftModel(tiny(**fields, **{"public_chain.gas_limit": most - 1}))
    tight = FlnftModel(tiny(**fields, **{"public_chain.gas_limit": most}))
    tight.run()
    assert tight.finished


@pytest.mark.parametrize(
    "fields",
    [
        {"market.bidding_s": 2e8},
        {"market.bidding_s": 6e6, "market.auctions": 20},
        {"radio.power_dbm": -100.0, "radio.area_m": [1e5, 1e5]},
        {"devices.cpu_ghz": [1e-3, 1e-3], "devices.cycles_per_sample": 1e15},
    ],
)
def test_what_takes_longer_than_allowed_whatever_happens_is_refused_with_both_numbers(fields):
    with pytest.raises(InputError, match=r"timeline.longest_s = 1e\+08: this scenario takes at least \d"):
        FlnftModel(tiny(**fields))


@pytest.mark.parametrize(
    "fields",
    [{"market.bidding_s": 1e9}, {"public_chain.propagation_s": 1e9}, {"radio.area_m": [1e6, 1e6]}],
)
def test_absurd_durations_and_areas_are_refused(fields):
    with pytest.raises(InputError):
        FlnftModel(tiny(**fields))


def test_a_window_of_years_ends_in_seconds():
    """Fifteen million blocks that nobody asks about."""
    model = FlnftModel(tiny(**{"market.bidding_s": 2e8, "timeline.longest_s": 1e9, "public_chain.load_tx_per_s": 1.0}))
    model.run()
    assert model.finished and model.env.now > 2e8


def test_a_run_beyond_its_longest_ends_there_and_says_who_waits():
    stalled = {"public_chain.stall_at_s": 0.0, "public_chain.stall_for_s": 5e5, "timeline.longest_s": 5e5 - 1}
    with pytest.raises(ScenarioError, match=r"exceeds timeline.longest_s"):
        tiny(**stalled)
    model = FlnftModel(tiny(**stalled | {"public_chain.stall_for_s": 4e5, "timeline.longest_s": 4e5 + 1}))
    with pytest.raises(TimelineTooLong, match=r"longest_s = 400001 s.*episode 0, minting.*dao-0 \(minting\)"):
        model.run()
    result = model.result(status="failed")
    assert len(result.rounds) == 1 and result.summary["simulated_s"] <= 4e5 + 1


def test_a_long_run_is_announced(caplog):
    with caplog.at_level(logging.WARNING, logger="flnft_sim"):
        FlnftModel(tiny(**{"market.bidding_s": 5e6}))
    assert "likely to take 5e+06 simulated seconds (57.9 days)" in caplog.text


def test_who_waits_is_told_while_nothing_ends(monkeypatch):
    monkeypatch.setattr("flnft_sim.simulation.story.TELL_EVERY_S", -1.0)
    monkeypatch.setattr("flnft_sim.simulation.story.EVENTS_A_LOOK", 1)
    told = []
    FlnftModel(tiny(), on_wait=told.append).run()
    assert any("episode 0, minting at" in each and "dao-0 (minting)" in each for each in told)
