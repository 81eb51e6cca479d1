"""The audit of the whole market: what the theorem promises is there, and what it does not promise is found."""

import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from flnft_sim.cli.audit import audit_command
from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.experiments.composed_audit import FACTORS, composed_audit, sound_attacks, standings, summary
from flnft_sim.market import clear
from flnft_sim.scenario import load_scenario

SMALL = {
    "population.users": 8,
    "population.providers": 6,
    "population.daos": 2,
    "learning.learner": "surrogate",
    "learning.dataset": "mnist",
    "learning.model": "mlp",
    "learning.rounds": 2,
    "game.history_auctions": 4,
    "radio.placement": "random",
    "market.ask_fraction": 0.5,
}


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("tiny", overrides=SMALL)


@pytest.fixture(scope="module")
def markets(scenario):
    return list(standings(scenario, 2))


def test_every_market_has_both_sides_and_reserves_learned_on_the_way(markets):
    assert [market.name[-2:] for market in markets] == ["e0", "e1"]
    assert markets[0].valuations.tolist() != markets[1].valuations.tolist()  # demand moved on
    for market in markets:
        reports = market.honest()
        assert reports.bids.shape == (6,) and reports.asks.shape == (2,)
        assert (reports.bids <= market.budgets).all()
        assert (reports.bids > 0).any() and (reports.asks > 0).all()


def test_a_provider_that_prices_lower_bids_less_and_lowers_every_ask(markets):
    market = markets[0]
    honest = market.honest()
    top = int(honest.bids.argmax())
    lower = market.priced_otherwise(top, 0.8)
    assert lower.bids[top] < honest.bids[top]
    assert (lower.asks < honest.asks).all()  # users answer the lower price, and claim less
    np.testing.assert_allclose(market.priced_otherwise(top, 1.0).bids, honest.bids)


def test_within_one_clearing_no_other_sealed_bid_pays(markets):
    """Where a licence is worth the honest bid and nobody rebids, the rule's own guarantee must show."""
    for market in markets:
        honest = market.honest()
        reserve = float(honest.asks.max())
        truth = clear("pms-am", honest.bids, honest.asks, reserve=reserve)
        for party, worth in enumerate(honest.bids):
            fair = (worth if party in truth.buyers else 0.0) - truth.payments[party]
            for factor in FACTORS:
                lying = clear("pms-am", market.bid_otherwise(party, factor).bids, honest.asks, reserve=reserve)
                assert (worth if party in lying.buyers else 0.0) - lying.payments[party] <= fair + 1e-9


def test_shading_is_measured_party_by_party(scenario):
    shadings = composed_audit(scenario, ["pms-am", "first-price"], episodes=1, factors=(0.98, 0.8, 1.5))
    reports = shadings[shadings["kind"].isin(["price", "bid", "ask"])]
    assert len(reports) == 2 * (6 + 6 + 2) and (reports["tried"] == 3).all()
    assert len(shadings) == len(reports) + 2 * 8 * 2  # eight members' epochs and ε
    assert (shadings["gain_money"] >= 0).all()
    assert ((shadings["gain_money"] > 0) == (shadings["factor"] != 1)).all()
    pays_own_bid = shadings[(shadings["rule"] == "first-price") & (shadings["kind"] == "bid")]
    winners = pays_own_bid[pays_own_bid["honest_utility_money"] > 0]
    assert (winners["gain_money"] > 0).any()  # shading a bid that is paid must be found to pay
    table = summary(shadings)
    assert table["parties"].sum() == len(shadings)
    assert table.groupby("rule")["parties"].sum().tolist() == [30, 30]
    assert table["tried"].sum() == shadings["tried"].sum()


def test_the_same_seed_gives_the_same_markets(scenario, markets):
    for again, market in zip(standings(scenario, 2), markets, strict=True):
        np.testing.assert_array_equal(again.honest().bids, market.honest().bids)
        np.testing.assert_array_equal(again.honest().asks, market.honest().asks)


def test_command_and_bad_arguments(scenario, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = Typer()
    app.command()(audit_command)
    words = ["pms-am", "--composed", "tiny", "--episodes", "1"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "does not" in done.stdout or "trades" in done.stdout
    assert not list(tmp_path.iterdir())  # it was asked for no file
    assert CliRunner().invoke(app, [*words, "--out", "audit"]).exit_code == 0
    assert (tmp_path / "audit" / "composed-tiny.csv").read_text().startswith("rule,kind,market,party,factor")
    with pytest.raises(InputError, match="0 episodes"):
        composed_audit(scenario, ["pms-am"], episodes=0)
    with pytest.raises(UnknownNameError, match="did you mean 'pms-am'"):
        composed_audit(scenario, ["pmsam"])


def test_who_is_paid_for_delivery_but_not_for_epochs_saves_them(scenario):
    """In the paper's market fewer epochs cost less and deliver fresher updates of the same contribution."""
    shadings = composed_audit(scenario, ["pms-am"], episodes=1, factors=(1.5,))
    efforts = shadings[shadings["kind"] == "effort"]
    assert (efforts["gain_money"] > 0).any() and (efforts.loc[efforts["gain_money"] > 0, "factor"] < 1).all()


SOUND = SMALL | {
    "population.daos": 1,
    "market.mechanism": "sound",
    "market.rule": "cost-sharing",
    "market.ask_fraction": 1.0,
    "market.reserve_prior_money": 2000.0,
    "game.cost_price": 1.0,
}


@pytest.fixture(scope="module")
def sound():
    return load_scenario("tiny", overrides=SOUND)


def test_where_promises_are_sold_no_misreport_pays_but_pacts(sound):
    """All kinds are tried; rules whose pot depends on bids are found to be open to them, and so are pacts."""
    shadings = composed_audit(sound, ["cost-sharing"], episodes=1, factors=(0.0, 0.5, 0.9, 1.1, 2.0))
    assert set(shadings["kind"]) == {"value", "ask", "promise", "effort", "privacy", "pact"}
    assert (shadings.loc[shadings["kind"] == "ask", "honest_utility_money"] > 0).all()  # there is a trade
    alone = shadings[shadings["kind"] != "pact"]
    assert alone["gain_money"].max() <= 1e-6
    assert alone["tried"].sum() > 100
    bids_move_the_pot = composed_audit(sound, ["rspe", "rsop"], episodes=1, factors=(0.5, 0.8, 2.0))
    assert bids_move_the_pot.loc[bids_move_the_pot["kind"] == "value", "gain_money"].max() > 1e-3


def test_attacks_on_a_scenario_s_contest_are_a_table(sound):
    table = sound_attacks(sound, "cost-sharing")
    assert {"claim and skip", "an update sent twice", "ask little, fall short"} <= set(table["attack"])
    assert (table["claimed"].dropna() == 0).all() and table["claimed"].isna().any()
    with pytest.raises(InputError, match="ask for the whole model"):
        composed_audit(sound, ["pms-am"], episodes=1)
