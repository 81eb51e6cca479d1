"""What goes wrong on the clock ends in a stated outcome, never in a hang; honest parties lose nothing."""

import pytest

from flnft_sim import FlnftModel, load_scenario, run
from flnft_sim.errors import InputError
from flnft_sim.simulation import TimelineStuck

QUICK = {"learning.learner": "surrogate", "game.history_auctions": 6}


def outcome(name="tiny", **fields):
    overrides = QUICK | {field.replace("__", "."): value for field, value in fields.items()}
    return run(load_scenario(name, overrides=overrides))


def conserved(result):
    return result.summary["money_total_units"] == result.summary["money_issued_units"]


def test_users_that_drop_out_come_back():
    result = outcome(learning__rounds=30, failures__dropout_rate=0.4, failures__return_s=2.0)
    outcomes = result.users.groupby("user")["outcome"].agg(set)
    assert all({"dropped out", "final"} <= had for had in outcomes)
    dropped = result.users[result.users["outcome"] == "dropped out"]
    assert dropped["age_s"].isna().all() and (dropped["upload_s"] == 0).all()
    assert result.rounds["dropped_out"].sum() == len(dropped)
    assert conserved(result)


def test_a_deadline_drops_late_updates_and_counts_them():
    """A slow link makes one upload at a time late; the round ends at the deadline, to the instant."""
    result = outcome(
        learning__rounds=6,
        learning__scheme="random",
        timeline__round_deadline_s=0.6,
        failures__link_failure_rate=0.3,
        failures__link_repair_s=5.0,
    )
    late = result.users[result.users["outcome"] == "late"]
    assert len(late) == result.rounds["late_dropped"].sum() > 0
    lengths = result.rounds["end_s"] - result.rounds["start_s"] - result.rounds["decision_s"]
    assert lengths[result.rounds["late_dropped"] > 0].to_numpy() == pytest.approx(0.6)
    assert (lengths <= 0.6 + 1e-9).all()


def test_a_failed_link_only_delays_where_there_is_no_deadline():
    sound = outcome(failures__link_repair_s=3.0)
    failing = outcome(failures__link_failure_rate=1.0, failures__link_repair_s=3.0)
    assert (failing.users["outcome"] == "final").all()
    assert (failing.users["upload_s"] >= 3.0).all() and (sound.users["upload_s"] < 3.0).all()


def test_a_primary_that_crashes_costs_a_view_change_and_nothing_else():
    result = outcome(private_ledger__primary_crash_s=0.0, private_ledger__timeout_s=1.0)
    assert result.summary["view_changes"] > 0
    assert (result.users["outcome"] == "final").all()
    assert result.users["consensus_s"].max() > 1.0


def test_more_crashes_than_pbft_tolerates_stall_the_dao_and_end_the_run():
    result = outcome(private_ledger__crashed=2)
    assert set(result.users["outcome"]) == {"stalled"}
    assert "stalled" in " ".join(result.auctions["reason"])
    assert result.summary["licences_total"] == 0 and conserved(result)


def test_a_public_chain_that_stalls_recovers():
    usual, stalled = outcome(), outcome(public_chain__stall_at_s=0.0, public_chain__stall_for_s=500.0)
    assert stalled.summary["minting_time_s"] >= 500.0 > usual.summary["minting_time_s"]
    assert stalled.summary["auctions"] == 1 and conserved(stalled)


def test_a_deadline_nobody_can_meet_is_refused_before_the_run():
    with pytest.raises(InputError, match="round_deadline_s"):
        outcome(timeline__round_deadline_s=1e-3)


def test_a_timeline_with_nothing_left_to_happen_names_who_waits_for_what():
    model = FlnftModel("tiny", **{name.replace(".", "__"): value for name, value in QUICK.items()})
    while not any(user.activity == "upload" for user in model.users):
        model.env.step()
    for user in model.users:
        model.world.cell.fail(user.number)  # and nobody will repair the links
    with pytest.raises(TimelineStuck, match=r"user-\d \(upload\)"):
        model.run()


@pytest.fixture(scope="module")
def byzantine():
    return run(load_scenario("byzantine", overrides={"learning.rounds": 4, "game.history_auctions": 10}))


def test_attacks_are_rejected_each_with_its_reason(byzantine):
    rejected = byzantine.bids[byzantine.bids["status"] == "rejected"]
    assert {"bad signature", "over budget", "undecryptable"} <= set(rejected["reason"])
    assert set(rejected["reason"]) & {"wrong auction", "replayed nonce"}
    assert not rejected["won"].any() and (rejected["payment_money"] == 0).all()
    assert (byzantine.bids.loc[byzantine.bids["provider"] == "outsider-0", "status"] == "rejected").all()


def test_honest_parties_lose_nothing(byzantine):
    """Nobody pays more than it bid, nobody without a licence pays, and every unit is somewhere."""
    accepted = byzantine.bids[byzantine.bids["status"] == "accepted"]
    assert (accepted["payment_money"] <= accepted["total_money"] + 1e-6).all()
    assert (accepted.loc[~accepted["won"], "payment_money"] == 0).all()
    assert conserved(byzantine) and not (byzantine.accounts["role"] == "escrow").any()
    assert (byzantine.accounts["balance_money_units"] >= 0).all()


def test_inflated_asks_earn_nothing(byzantine):
    model = FlnftModel(load_scenario("byzantine", overrides={"learning.rounds": 2, "game.history_auctions": 6}))
    model.run()
    inflating = {user.name for user in model.users if user.inflates}
    assert inflating
    received = model.result().users.groupby("user")["reward_received_money"].sum()
    assert (received[list(inflating)] == 0).all() and received.drop(list(inflating)).max() > 0


def test_a_dao_that_withdraws_sells_nothing(byzantine):
    assert "dao-2 withdrew" in set(byzantine.auctions["reason"])
    users = byzantine.users[byzantine.users["dao"] == "dao-2"]
    assert (users["reward_received_money"] == 0).all()
