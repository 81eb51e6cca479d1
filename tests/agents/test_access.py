"""Holders fetch a model in order of rank over a shared downlink; rank is worth the age it saves."""

import numpy as np
import pandas as pd
import pytest
import simpy

from flnft_sim import load_scenario
from flnft_sim.clock.downlink import Downlink
from flnft_sim.errors import InputError
from flnft_sim.network import Links, RadioSettings
from flnft_sim.results.page import summary_text
from flnft_sim.results.phase import Phase
from flnft_sim.simulation import FlnftModel, run


def market(**fields):
    quick = {"population.daos": 2, "population.users": 4, "population.providers": 6, "population.categories": 1}
    told = (
        quick
        | {"game.history_auctions": 2, "learning.rounds": 2}
        | {name.replace("__", "."): value for name, value in fields.items()}
    )
    return load_scenario("market", overrides=told)


@pytest.fixture(scope="module")
def done():
    return run(market(market__auctions=2))


def granted(result):
    """Licences as granted by auctions, by auction in order of rank."""
    licences = result.licences[result.licences["seller"].str.startswith("dao-")]
    return {name: rows.sort_values("priority") for name, rows in licences.groupby("auction")}


def test_the_first_in_rank_has_the_youngest_model(done):
    auctions = granted(done)
    assert any(len(rows) > 1 for rows in auctions.values())
    for rows in auctions.values():
        assert (np.diff(rows["accessed_at_s"]) > 0).all()
        np.testing.assert_allclose(np.diff(rows["model_age_s"]), np.diff(rows["accessed_at_s"]))
        closed = float(done.auctions.set_index("auction").loc[rows["auction"].iloc[0], "closed_at_s"])
        assert (rows["accessed_at_s"] > closed).all()


def test_a_span_tells_of_every_fetch_and_one_dao_serves_one_after_another(done):
    spans = done.spans[done.spans["phase"] == Phase.ACCESS]
    for name, rows in granted(done).items():
        of_auction = spans[spans["details"].str.contains(f'"{name}"')].sort_values("start_s")
        assert of_auction["agent"].tolist() == rows["holder"].tolist()
        np.testing.assert_allclose(of_auction["end_s"], rows["accessed_at_s"])
        np.testing.assert_allclose(of_auction["start_s"].iloc[1:], of_auction["end_s"].iloc[:-1])


def test_nobody_waits_for_access_but_the_end(done):
    """Episodes and auctions are where they would be if fetching took a hundred times as long."""
    slow = run(market(market__auctions=2, radio__downlink_dbm=-20.0))
    pd.testing.assert_frame_equal(slow.auctions, done.auctions)
    pd.testing.assert_frame_equal(slow.rounds, done.rounds)
    assert slow.licences["model_age_s"].mean() > done.licences["model_age_s"].mean()
    assert slow.licences["model_age_s"].notna().all()


def test_who_bought_a_licence_second_hand_fetches_after_the_winners():
    result = run(market(market__auctions=1, market__resale_share=1.0))
    second_hand = result.licences[~result.licences["seller"].str.startswith("dao-")]
    assert len(second_hand)
    for name, rows in second_hand.groupby("auction"):
        assert rows["accessed_at_s"].min() > granted(result)[name]["accessed_at_s"].max()
        assert rows.sort_values("priority")["accessed_at_s"].is_monotonic_increasing


def test_the_topology_of_the_replicas_counts():
    """On a ring of four replicas the third is two links away: there and back makes four links of 50 ms."""
    one = {"population.daos": 1, "population.categories": 1, "population.users": 4, "private_ledger.delay_sd_ms": 0.0}
    one |= {"game.history_auctions": 0}
    model = FlnftModel(load_scenario("market", overrides=one | {"private_ledger.topology": "ring"}))
    np.testing.assert_allclose(model.cast.daos[0].replica_delays_s, [0, 0.05, 0.1, 0.05])
    alone = FlnftModel(load_scenario("market", overrides=one | {"private_ledger.protocol": "instant"}))
    assert alone.cast.daos[0].replica_delays_s.tolist() == [0.0]


def test_a_downlink_is_shared_and_sends_once_at_a_time_to_each():
    env = simpy.Environment()
    links = Links(RadioSettings(shadowing_db=0.0, cross_talk=0.0), np.full((3, 2), 300.0), rng=np.random.default_rng(0))
    alone_s = links.upload_alone_s(1e7)[0]
    downlink, ends = Downlink(env, links), []

    def receive(receiver):
        yield downlink.send(receiver, 1e7)
        ends.append(env.now)

    for receiver in range(2):
        env.process(receive(receiver))
    env.run(until=1e-6)
    assert downlink.is_sending_to(0) and not downlink.is_sending_to(2)
    with pytest.raises(InputError, match="user 0 is still uploading"):
        downlink.send(0, 1.0)
    env.run()
    np.testing.assert_allclose(ends, 2 * alone_s)


def test_the_summary_says_what_rank_was_worth(done):
    figures = done.summary
    assert figures["access_age_last_s"] > figures["access_age_first_s"] > 0
    assert "the first in rank had a model" in summary_text(done)
