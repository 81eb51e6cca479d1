"""What holds in every run: money, time, ages, rewards; and runs that must not change unnoticed."""

import json

import numpy as np
import pytest

from flnft_sim import FlnftModel, RunResult, load_scenario, run
from flnft_sim.game import age_closed_form, provider_utility
from flnft_sim.ledger import Block

QUICK = {"learning.learner": "surrogate", "learning.rounds": 3, "game.history_auctions": 8}


def quick(name, **fields):
    return load_scenario(name, overrides=QUICK | fields)


@pytest.mark.parametrize("name", ["tiny", "byzantine", "market"])
def test_money_is_conserved_after_every_event(name):
    model = FlnftModel(quick(name, **({"market.auctions": 1} if name == "market" else {})))
    accounts = model.world.accounts
    issued = accounts.total()
    while not model.finished:
        model.env.step()
        assert accounts.total() == issued
    assert model.phase == "finished"


def test_alone_and_uncontended_an_update_is_as_old_as_equation_11_says():
    """One user, no spread of delays: nothing to wait for but training, the band to itself, and consensus."""
    model = FlnftModel(quick("tiny", **{"population.users": 1, "private_ledger.delay_sd_ms": 0.0}))
    model.run()
    users, dao = model.result().users, model.daos[0]
    upload_s = model.world.cell.links.upload_alone_s(dao.learner.model.upload_bits)[0]
    expected_s = age_closed_form(
        epochs=users["local_epochs"].to_numpy(),
        seconds_per_epoch=dao.seconds_per_epoch[0],
        upload_s=upload_s,
        consensus_s=dao.ledger.expected_s,
    )
    np.testing.assert_allclose(users["age_s"], expected_s, rtol=1e-9)


def test_contended_uploads_take_longer_than_alone():
    model = FlnftModel(quick("tiny"))
    model.run()
    alone_s = model.world.cell.links.upload_alone_s(model.daos[0].learner.model.upload_bits)
    users = model.result().users
    for user in model.users:
        assert (users.loc[users["user"] == user.name, "upload_s"] >= alone_s[user.number] * (1 - 1e-12)).all()


def test_phases_add_up_to_the_minting_time():
    result = run(quick("tiny"))
    minted_s = result.spans[result.spans["phase"] == "minting"]["end_s"].max()
    assert result.phases["duration_us"].sum() == round(minted_s * 1e6)
    assert result.summary["minting_time_s"] == pytest.approx(minted_s, abs=1e-6)


def test_every_users_spans_follow_one_another_and_cover_its_rounds():
    result = run(quick("tiny"))
    for user in ("user-0", "user-3"):
        spans = result.spans[(result.spans["agent"] == user) & result.spans["round"].notna()].sort_values("start_s")
        gaps = spans["start_s"].to_numpy()[1:] - spans["end_s"].to_numpy()[:-1]
        assert gaps == pytest.approx(0.0, abs=1e-9)


def test_shares_sum_to_one_and_rewards_to_what_the_dao_received():
    result = run(quick("roblox10"))
    by_round = result.users.groupby("round")[["quality_share", "freshness_share"]].sum()
    np.testing.assert_allclose(by_round, 1.0)
    received = result.users["reward_received_money"].sum()
    assert received == pytest.approx(result.auctions["dao_receipt_money"].sum(), abs=1e-6)
    announced = result.users[result.users["round"] == 3]["reward_announced_money"].sum()
    assert announced == pytest.approx(result.rounds["reward_announced_money"].iloc[-1])


def test_utility_is_never_negative_and_cash_surplus_is_another_thing():
    result = run(load_scenario("roblox10", overrides=QUICK | {"game.cost_price": 4.13}))
    part = result.users[result.users["takes_part"]]
    assert (part["user_utility"] >= 0).all()  # Theorem 3
    assert (part["cash_surplus_money"] < 0).all()  # at k*, ε* ≥ 1 the announced reward is below the cost


@pytest.mark.parametrize("scheme", ["centralized", "random", "loss", "gradient-norm", "pms-am"])
def test_every_scheme_trains_mints_and_sells(scheme, tmp_path):
    result = run(load_scenario("tiny", overrides={"learning.scheme": scheme, "game.history_auctions": 8}))
    assert result.rounds["accuracy"].iloc[-1] > 0.5 and len(result.auctions) == 1
    assert (result.rounds["decision_s"] > 0).all() == (scheme == "pms-am")
    ranked = set(result.spans["phase"]) >= {"ranking"}
    assert ranked == (scheme in ("loss", "gradient-norm"))
    assert (result.users["upload_s"].sum() == 0) == (scheme == "centralized")
    result.save(tmp_path / scheme, figures=False)
    assert RunResult.load(tmp_path / scheme).users.equals(result.users)


def test_licences_are_resold_with_a_royalty():
    result = run(quick("byzantine", **{"market.resale_share": 1.0, "market.royalty": 0.1}))
    resold = result.licences[result.licences["royalty_money"] > 0]
    assert len(resold)
    np.testing.assert_allclose(resold["royalty_money"], 0.1 * resold["price_money"], atol=1e-6)
    assert resold["seller"].str.startswith("provider").all()


def test_windows_and_licences_end_on_whole_seconds_and_a_resale_keeps_its_licences_end():
    result = run(quick("byzantine", **{"market.resale_share": 1.0, "market.licence_s": 86_400}))
    assert (result.auctions["closed_at_s"].dropna() % 1 == 0).all()
    ends = result.licences.groupby("licence")["expires_s"].agg(["min", "max", "size"])
    assert (ends["min"] == ends["max"]).all() and (ends["size"] == 2).any()
    assert (ends["min"] % 1 == 0).all()
    closed = result.licences.merge(result.auctions, on="auction")
    assert (closed["expires_s"] == closed["closed_at_s"] + 86_400).all()


def test_a_licence_that_has_expired_before_resales_is_not_resold():
    result = run(quick("byzantine", **{"market.resale_share": 1.0, "market.licence_s": 1}))
    assert len(result.licences) and not result.licences["seller"].str.startswith("provider").any()


def test_a_step_is_a_tick_and_ticking_to_the_end_is_running_to_the_end():
    whole = run(quick("tiny"))
    ticking = FlnftModel(quick("tiny", **{"timeline.tick_s": 7.0}))
    while ticking.running:
        ticking.step()
    assert ticking.steps == np.ceil(ticking.env.now / 7.0)
    # The genesis block holds the scenario's hash, and the tick is part of it: hashes differ, what happened does not.
    happened = [
        [(block.time_s, block.transactions) for block in map(Block.from_line, result.ledger_lines)]
        for result in (whole, ticking.result())
    ]
    assert happened[0] == happened[1]
    collected = ticking.datacollector.get_model_vars_dataframe()
    assert len(collected) == ticking.steps and collected["clock_s"].is_monotonic_increasing


@pytest.mark.parametrize("name", ["tiny", "byzantine", "market-cyclic", "sound10", "sound-failing"])
def test_golden_runs(name, root):
    """Runs of the surrogate learner, kept to notice change: a difference is to be explained, then written anew.

    Write them anew with: python tests/end_to_end/write_golden.py
    """
    kept = json.loads((root / f"tests/end_to_end/golden/{name}.json").read_text(encoding="utf-8"))
    for table, rows in playthrough(name).items():
        assert len(rows) == len(kept[table])
        for row, old in zip(rows, kept[table], strict=True):
            assert row == pytest.approx(old, rel=1e-6, abs=1e-9, nan_ok=True), f"{table} of {name}"


def playthrough(name):
    """The few tables that tell a small run, as plain rows."""
    few = {"market.auctions": 2} if name not in ("tiny", "sound10") else {}
    result = run(quick(name, **few))
    columns = {
        "rounds": ["round", "participants", "late_dropped", "accuracy", "quality", "freshness", "end_s"],
        "bids": ["total_money", "payment_money", "priority", "sealed_at_s"],
        "auctions": ["ask_money", "reserve_money", "winners", "dao_receipt_money", "rebids"],
    }
    if name.startswith("sound"):
        paid = [f"{each}_money" for each in ("pot", "released", "refunded", "sink")]
        columns["deliveries"] = ["minted_at_s", "delivered", *paid]
    tables = {table: getattr(result, table)[names].astype(float) for table, names in columns.items()}
    return {table: frame.to_numpy().tolist() for table, frame in tables.items()}


def test_a_providers_utility_counts_each_rivals_money_at_that_rivals_own_satisfaction():
    """With elasticities that differ; recomputed from the opened bids alone (one DAO, so no mean over several)."""
    model = FlnftModel(quick("tiny", **{"game.elasticity_spread": 0.2, "population.providers": 4}))
    model.run()
    result = model.result()
    bids = result.bids[result.bids["status"] == "accepted"].set_index("provider")
    freshness = result.rounds["freshness"].iloc[-1]
    quality_price, freshness_price = bids["quality_price_money"], bids["freshness_price_money"]
    satisfaction = (bids["total_money"] - freshness_price * freshness) / quality_price
    assert satisfaction.max() > 2 * satisfaction.min()
    for provider in (one for one in model.providers if one.name in bids.index):
        name, told = provider.name, 0.0
        for prices, worth, valuation in (
            (quality_price, satisfaction[name], provider.quality_valuation_money),
            (freshness_price, freshness, provider.freshness_valuation_money),
        ):
            told += provider_utility(prices[name], prices.drop(name).sum(), valuation, worth)
        assert bids.loc[name, "provider_utility"] == pytest.approx(told, rel=1e-4)


def test_every_row_of_auctions_has_an_id_of_its_own():
    """Also where a DAO withdraws beside an auction of its category: bids joined with auctions stay as many."""
    result = run(quick("byzantine", **{"learning.rounds": 1, "game.history_auctions": 6}))
    assert (result.auctions["reason"].str.contains("withdrew")).sum() == 2
    assert result.auctions["auction"].is_unique
    joined = result.bids.merge(result.auctions, on="auction", how="left", suffixes=("", "_of_auction"))
    assert len(joined) == len(result.bids) > 0 and (joined["daos"] > 0).all()
    assert not result.users.duplicated(["dao", "episode", "round", "user"]).any()
    assert not result.rounds.duplicated(["dao", "episode", "round"]).any()


def test_costs_of_the_rounds_sum_to_the_cost_of_the_minting():
    """Where users keep to one decision: κ·C is `cost_price` × rounds, and each round's cost is its part of it."""
    users = run(quick("tiny", **{"population.users": 1, "failures.dropout_rate": 0.0})).users
    minting = users["reward_announced_money"] - users["cash_surplus_money"]
    assert users["cost_round_money"].to_numpy() * 3 == pytest.approx(minting.to_numpy())
