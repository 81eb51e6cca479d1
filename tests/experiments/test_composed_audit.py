"""The audit of the whole market: what the theorem promises is there, and what it does not promise is found."""

import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from flnft_sim.cli.audit import audit_command
from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.experiments.composed_audit import FACTORS, composed_audit, standings, summary
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
    assert len(shadings) == 2 * (6 + 6 + 2)
    assert (shadings["gain_money"] >= 0).all()
    assert ((shadings["gain_money"] > 0) == (shadings["factor"] != 1)).all()
    pays_own_bid = shadings[(shadings["rule"] == "first-price") & (shadings["kind"] == "bid")]
    winners = pays_own_bid[pays_own_bid["honest_utility_money"] > 0]
    assert (winners["gain_money"] > 0).any()  # shading a bid that is paid must be found to pay
    table = summary(shadings)
    assert table["parties"].sum() == len(shadings)
    assert table.groupby("rule")["parties"].sum().tolist() == [14, 14]


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
