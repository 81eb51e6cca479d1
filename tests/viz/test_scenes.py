"""The scenes of a live model and of its run's playback, against each other and against the tables."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from flnft_sim.errors import InputError
from flnft_sim.results import RunResult
from flnft_sim.scenario import load_scenario
from flnft_sim.viz.charts import charts_of
from flnft_sim.viz.controls import KNOBS, value_of
from flnft_sim.viz.live import BrowserModel
from flnft_sim.viz.narrator import narrate
from flnft_sim.viz.parts import facts_of, parts_of
from flnft_sim.viz.playback import Playback, PlaybackShow
from flnft_sim.viz.scene import EVERY_DAO, summarise_kinds
from flnft_sim.viz.show import Jump

WALK = {"radio.movement": "random-waypoint", "timeline.tick_s": 0.37}


def watched(name, **overrides):
    """Scenes of a live model, where users begin something else and now and then, and the playback of its run."""
    model = BrowserModel(load_scenario(name, overrides=overrides))
    scenes = [model.scene()]
    while not model.finished:
        soon_s = model.clock_s + model.step_s
        model.go_to(min(model.env.peek(), soon_s))
        scene = model.scene()
        if scene.time_s == soon_s or scene.states() != scenes[-1].states() or scene.finished:
            scenes.append(scene)
    return scenes, Playback(model.result())


@pytest.fixture(scope="module")
def episode():
    """Of walking users: decision, bidding and the end are among the scenes."""
    return watched("tiny", **WALK)


@pytest.fixture(scope="module")
def market():
    """Two DAOs of unlike categories over two episodes, with auctions side by side."""
    return watched(
        "tiny",
        **{
            "population.users": 6,
            "population.daos": 2,
            "population.providers": 6,
            "population.categories": 2,
            "market.auctions": 2,
            "learning.rounds": 2,
            "learning.learner": "surrogate",
            "radio.placement": "random",
            "game.history_auctions": 2,
            "timeline.tick_s": 2.0,
        },
    )


# ---- live against played back ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["episode", "market"])
def test_playback_shows_what_was_to_be_seen_live(which, request):
    scenes, playback = request.getfixturevalue(which)
    for live in scenes[:-1]:
        replayed = playback.at(live.time_s)
        assert [row["accuracy"] for row in replayed.rounds] == [row["accuracy"] for row in live.rounds]
        assert replayed.user_ages_s == live.user_ages_s
        assert list(replayed.user_means) == list(live.user_means)
        assert replayed.mean_ages_s == pytest.approx(dict(live.mean_ages_s))
        if live.rounds:
            for dao, phases in live.phases_s.items():
                assert replayed.phases_s[dao] == pytest.approx(phases)
        assert {block.hash for block in live.blocks if block.chain == "public"} == {
            block.hash for block in replayed.blocks if block.chain == "public"
        }


@pytest.mark.parametrize("which", ["episode", "market"])
def test_who_does_what_is_the_same_live_and_played_back(which, request):
    scenes, playback = request.getfixturevalue(which)
    compared = set()
    for live in scenes:
        replayed = playback.at(live.time_s)
        for figure in live.figures:
            # The contract does several things at once, and a vote is its DAO's span.
            if figure.role != "contract" and figure.activity not in ("idle", "voting", "waiting"):
                assert replayed.figure(figure.name).activity == figure.activity
                compared.add((figure.role, figure.activity))
    assert {("user", "decision"), ("provider", "decision"), ("provider", "bidding")} <= compared


def test_movement_and_rates_are_played_back_as_they_were(episode):
    scenes, playback = episode
    moved, rates = set(), []
    for live in scenes:
        replayed = playback.at(live.time_s)
        for figure in live.figures:
            if figure.role == "user":
                there = replayed.figure(figure.name)
                assert math.hypot(there.x_m - figure.x_m, there.y_m - figure.y_m) < 3  # it turned within a second
                moved.add((figure.name, round(figure.x_m)))
        rates += [(f.rate_bps, replayed.figure(f.name).rate_bps) for f in live.figures if f.rate_bps]
    assert len(moved) > 20
    assert rates
    for live_bps, replayed_bps in rates:
        assert replayed_bps == pytest.approx(live_bps, rel=0.26)  # told again from a quarter on, to three digits


def test_a_run_of_an_earlier_version_is_played_back_without_movement(episode):
    _, playback = episode
    old = replace(playback.result, moves=RunResult().moves, rates=RunResult().rates)
    scene = Playback(old).at(playback.end_s / 10)
    standing = {row["name"]: row["x_m"] for row in old.positions.to_dict("records")}
    assert all(figure.x_m == standing[figure.name] for figure in scene.figures if figure.role == "user")


# ---- against the tables ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["episode", "market"])
def test_the_mean_age_is_the_summarys(which, request):
    scenes, playback = request.getfixturevalue(which)
    wanted = playback.result.summary["aoi_mean_s"]
    for last in (scenes[-1], playback.at(playback.end_s)):
        assert np.mean(list(last.mean_ages_s.values())) == pytest.approx(wanted)
        assert dict((name, text) for name, _, text in facts_of(last, EVERY_DAO))["age"] == f"{wanted:,.2f} s"


def test_minting_time_by_phase_ends_as_the_table_has_it(episode):
    scenes, playback = episode
    table = playback.result.phases.groupby("phase")["duration_s"].sum()
    assert dict(scenes[-1].phases_s["dao-0"]) == pytest.approx(table[table > 0].to_dict())


def test_minting_time_of_several_daos_never_exceeds_the_clock(market):
    scenes, _ = market
    for scene in scenes[1:]:
        for dao in (EVERY_DAO, *scene.daos):
            assert sum(seconds for _, seconds in charts_of(scene, dao)["phases"]["stack"]) <= scene.time_s + 1e-6


def test_bids_are_ciphertexts_until_the_auction_closes(episode):
    scenes, playback = episode
    [auction] = playback.result.auctions.to_dict("records")
    sealed = [scene for scene in scenes if scene.books and scene.time_s < auction["closed_at_s"]]
    opened = [scene for scene in scenes if scene.books and scene.time_s > auction["closed_at_s"]]
    assert sealed and opened
    for scene in sealed:
        assert all(line.fate == "sealed" and line.bid_money is None for line in scene.books[0].lines)
        assert not scene.beliefs
    in_blocks = [line for line in sealed[-1].books[0].lines if line.words == "in a block"]
    assert in_blocks and list(playback.at(sealed[-1].time_s).books[0].lines) == in_blocks
    assert opened[-1].books == playback.at(playback.end_s).books
    paid = sum(line.payment_money or 0 for line in opened[-1].books[0].lines)
    assert paid == pytest.approx(auction["dao_receipt_money"])
    assert opened[-1].beliefs


def test_the_book_is_sorted_and_says_who_lost_and_why(episode):
    scenes, playback = episode
    [auction] = playback.result.auctions.to_dict("records")
    book = scenes[-1].books[0]
    assert [line.rank for line in book.lines if line.rank] == list(range(1, auction["winners"] + 1))
    losers = [line for line in book.lines if line.fate == "lost"]
    assert losers
    assert [line.bid_money for line in losers] == sorted((line.bid_money for line in losers), reverse=True)
    for line in losers:
        assert line.bid_money < auction["price_money"]
        assert line.words == f"lost: below the price of {auction['price_money']:,.2f}"
    setter = auction["price_set_by"].removeprefix("the ")
    assert book.price.startswith(f"price {auction['price_money']:,.2f} = {setter} (")
    assert f"{auction['ask_money']:,.2f}" in book.price


def test_money_on_the_map_is_what_was_paid(episode):
    scenes, playback = episode
    for last in (scenes[-1], playback.at(playback.end_s)):
        paid = sum(flow.money for flow in last.flows if flow.payee == "contract-0")
        received = sum(flow.money for flow in last.flows if flow.payer == "contract-0")
        assert paid == pytest.approx(playback.result.bids["payment_money"].sum())
        assert received == pytest.approx(playback.result.users["reward_received_money"].sum())


def test_providers_are_told_apart_by_what_they_are_in_the_auction(episode):
    scenes, _ = episode
    badges = {figure.badge for scene in scenes for figure in scene.figures}
    assert {"", "sealed", "won, rank 1", "lost"} <= badges


# ---- several DAOs ----------------------------------------------------------------------------------------------------


def test_every_auction_of_an_episode_is_shown(market):
    scenes, playback = market
    wanted = set(playback.result.auctions["auction"])
    assert len(wanted) == 4
    shown = {book.auction for scene in scenes for book in scene.books}
    assert shown == wanted
    assert all(len(scene.books) in (0, 1, 2) for scene in scenes)


def test_curves_join_neither_daos_nor_episodes(market):
    scenes, playback = market
    rounds = playback.result.rounds
    for dao in ("dao-0", "dao-1"):
        lines = charts_of(scenes[-1], dao)["accuracy"]["lines"]
        own = rounds[rounds["dao"] == dao]
        assert len(lines) == own["episode"].nunique() == 2
        for line, (_, episode) in zip(lines, own.groupby("episode"), strict=True):
            assert [y for _, y in line["points"]] == pytest.approx((100 * episode["accuracy"]).tolist(), rel=1e-5)
            assert line["band"] == []


def test_all_daos_are_a_mean_with_its_band(market):
    scenes, playback = market
    rounds = playback.result.rounds
    for line, (_, episode) in zip(
        charts_of(scenes[-1], EVERY_DAO)["accuracy"]["lines"], rounds.groupby("episode"), strict=True
    ):
        by_round = 100 * episode.groupby("round")["accuracy"].agg(["mean", "min", "max"])
        assert [y for _, y in line["points"]] == pytest.approx(by_round["mean"].tolist(), rel=1e-5)
        band = [limits for _, *limits in line["band"]]
        assert np.array(band) == pytest.approx(by_round[["min", "max"]].to_numpy(), rel=1e-5)


def test_utility_and_money_share_no_chart(market):
    charts = charts_of(market[0][-1])
    assert charts["utility"]["y"] == "no money"
    assert charts["surplus"]["y"] == "money"


# ---- a crowd ---------------------------------------------------------------------------------------------------------


def test_a_crowd_is_counted_and_spread_over_the_map():
    model = BrowserModel(
        load_scenario("tiny", overrides={
            "population.users": 300, "population.crowd_from": 100, "radio.placement": "random",
            "radio.cross_talk": 0.0, "learning.learner": "surrogate", "learning.rounds": 1, "game.history_auctions": 0,
        })
    )  # fmt: skip
    states = set()
    while not model.world.records.rounds:
        model.go_to(model.env.peek())
        scene = model.scene()
        parts = parts_of(scene, EVERY_DAO)
        assert scene.users == 300
        assert sum(map(sum, parts["density"])) == 300
        assert not any(figure.role == "user" for figure in scene.figures)
        if model.world.records.rounds:
            break
        assert sum(scene.states().values()) == 300
        states |= set(scene.states())
    assert {"decision", "training", "upload", "consensus"} <= states


# ---- the story -------------------------------------------------------------------------------------------------------


def test_the_story_names_what_happens(episode):
    scenes, playback = episode
    assert narrate(scenes[0]).startswith("Press ▶ or the space bar: 4 users of one DAO")
    told = [narrate(scene) for scene in scenes]
    assert "Round 1: users and providers negotiate" in " ".join(told)
    uploads = [(scene, text) for scene, text in zip(scenes, told, strict=True) if " uploads at " in text]
    assert uploads
    for scene, text in uploads:
        name = text.split(": ")[1].split(" ")[0]
        rate = f"{scene.figure(name).rate_bps / 1e6:,.1f} Mbit/s"
        assert f"{name} uploads at {rate}" in text
        others = sum(figure.activity == "upload" for figure in scene.figures) - 1
        assert ("the band to itself" in text) == (others == 0)
    last = playback.result.rounds["accuracy"].iloc[-1]
    assert f"accuracy {last:.1%}" in told[-1]
    assert f"{playback.result.bids['payment_money'].sum():,.2f} money" in told[-1]


@pytest.mark.parametrize("which", ["episode", "market"])
def test_events_are_the_last_twenty_in_order_and_the_same_played_back(which, request):
    scenes, playback = request.getfixturevalue(which)
    for live in scenes[::10]:
        times_s = [event.time_s for event in live.happenings]
        assert len(times_s) <= 20
        assert all(time_s <= live.time_s for time_s in times_s)
    final = {event.words for event in scenes[-1].happenings}
    assert final & {event.words for event in playback.at(playback.end_s).happenings}
    assert any("accuracy" in event.words for scene in scenes for event in scene.happenings)


def test_jumps_lead_to_the_same_instants_live_and_played_back():
    settings = load_scenario("tiny", overrides={"game.history_auctions": 2})
    model = BrowserModel(settings)
    reached = {}
    for jump in Jump:
        model.aim(jump)
        while not model.pursue(1.0):
            pass
        reached[jump] = model.clock_s, model.phase, len(model.world.records.rounds)
    assert reached[Jump.ROUND][2] == 1
    assert reached[Jump.AUCTION][1] == "auction"
    assert reached[Jump.END][1] == "finished"
    show = PlaybackShow(Playback(model.result()))
    for jump in (Jump.ROUND, Jump.END):
        show.aim(jump)
        show.pursue(1.0)
        assert show.now_s == pytest.approx(reached[jump][0])
    show.go_to(0.0)
    show.aim(Jump.AUCTION)
    show.pursue(1.0)
    assert show.scene().books and show.scene().books[0].state == "bidding"
    show.go_to(0.0)
    phases = []
    while not show.finished:
        show.aim(Jump.PHASE)
        show.pursue(1.0)
        phases.append(show.now_s)
    assert phases == sorted(set(phases))  # each leads on


def test_a_run_without_spans_cannot_be_played_back():
    with pytest.raises(InputError, match="no spans"):
        Playback(RunResult())


# ---- what the page is sent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["episode", "market"])
def test_parts_are_plain_json_at_every_instant(which, request):
    scenes, playback = request.getfixturevalue(which)
    for scene in (*scenes[:: max(1, len(scenes) // 8)], playback.at(0), playback.at(playback.end_s)):
        for dao in (EVERY_DAO, *scene.daos):
            json.dumps(parts_of(scene, dao), allow_nan=False)


def test_empty_charts_say_what_will_come(episode):
    for chart in charts_of(episode[0][0]).values():
        assert not (chart.get("lines") or chart.get("bars") or chart.get("stack"))
        assert chart["empty"].endswith(".")


def test_every_control_is_a_field_of_the_scenario_and_holds_its_value():
    settings = load_scenario("roblox10")
    for knob in KNOBS:
        value = value_of(settings, knob.field)
        assert knob.least <= value and (knob.most is None or value <= knob.most)
        assert isinstance(value, int) is knob.whole


def test_a_blocks_contents_in_words():
    assert summarise_kinds(["bid", "mint", "bid"]) == "2 × bid, mint"
