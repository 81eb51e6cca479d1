"""The scenarios that are shown around show what they are for."""

import pytest

from flnft_sim import load_scenario, run

FEWER = {"learning.rounds": 8, "game.history_auctions": 12}


@pytest.fixture(scope="module")
def shown():
    """`roblox10` with a dearer round, so that eight cost what a hundred do."""
    return run(load_scenario("roblox10", overrides=FEWER | {"game.cost_price": 0.1 * 100 / 8}))


def test_every_phase_of_roblox10_can_be_seen(shown):
    rounds = shown.phases[shown.phases["phase"] != "minting"].groupby("phase")["duration_s"].sum()
    for phase in ("decision", "training", "upload", "consensus"):
        assert rounds[phase] > 0.03 * rounds.sum(), phase
    assert shown.rounds["decision_settled"].all()
    assert shown.summary["minting_minting_s"] > 0


def test_its_uploads_meet_and_slow_one_another_down(shown):
    """Several at once, and longer than the band alone would take by Eq. 11."""
    alone_s = shown.users.groupby("user")["upload_s"].min()
    assert shown.users["upload_s"].mean() > 2 * alone_s.min()
    first = shown.spans[(shown.spans["phase"] == "upload") & (shown.spans["round"] == 3)]
    start, end = first["start_s"].to_numpy(), first["end_s"].to_numpy()
    assert max(((start <= at) & (end > at)).sum() for at in start) >= 3


def test_its_epochs_take_as_long_as_the_papers_on_mnist():
    """Seconds of one epoch over a user's shard against 5,000 images at Table 3's calibration on the same clock."""
    cycles = load_scenario("roblox10").devices.cycles_per_sample
    assert cycles * 1437 / 10 == pytest.approx(153_114.3 * 5_000, rel=0.01)


def test_users_of_choices10_differ_and_their_epsilon_is_an_inner_one():
    settings = load_scenario("choices10", overrides=FEWER | {"game.cost_price": 0.04 * 100 / 8})
    users = run(settings).users
    low, high = settings.game.privacy_range
    last = users[users["round"] == users["round"].max()]
    assert last["local_epochs"].nunique() >= 3
    assert ((last["privacy_budget"] > low) & (last["privacy_budget"] < high)).sum() >= 8
    assert last["privacy_budget"].nunique() >= 8
