"""Promises, pots and deliveries on the page: told live and played back in the same words."""

import pytest

from flnft_sim.scenario import load_scenario
from flnft_sim.viz.live import BrowserModel
from flnft_sim.viz.narrator import narrate
from flnft_sim.viz.parts import parts_of
from flnft_sim.viz.playback import Playback
from flnft_sim.viz.scene import EVERY_DAO

FIELDS = {
    "market.mechanism": "sound",
    "market.reserve_money": 800,
    "market.delivery_deadline_s": 300,
    "population.users": 12,
    "population.daos": 4,
    "population.providers": 6,
    "population.categories": 2,
    "learning.rounds": 2,
    "learning.learner": "surrogate",
    "game.history_auctions": 2,
    "game.cost_price": 0.5,
    "radio.placement": "random",
    "failures.idle_daos": 1,
    "timeline.tick_s": 5.0,
}


@pytest.fixture(scope="module")
def watched():
    """Scenes of a live model every few seconds, and the playback of its run."""
    model = BrowserModel(load_scenario("tiny", overrides=FIELDS))
    scenes = [model.scene()]
    while not model.finished:
        model.go_to(model.clock_s + model.step_s)
        scenes.append(model.scene())
    return scenes, Playback(model.result())


def test_the_page_tells_promise_contest_and_delivery_live_and_played_back(watched):
    scenes, playback = watched
    again = [playback.at(scene.time_s) for scene in scenes]
    assert "promise a model" in narrate(scenes[0]) == narrate(again[0])
    for told in (scenes, again):
        words = " ".join(narrate(scene) for scene in told)
        assert "works for a pot of" in words and "promised 5 epochs a round" in words
        assert "minted nothing in time" in words and "delivered what it had promised" in words
    assert scenes[-1].pots == again[-1].pots and len(scenes[-1].pots) == 2
    assert narrate(scenes[-1]) == narrate(again[-1])


def test_a_dao_is_told_of_its_own_pot_alone(watched):
    scenes, _ = watched
    busy = next(scene for scene in scenes if scene.pots)
    owners = [pot.split()[0] for pot in busy.pots]
    assert f"{owners[0]} works" in narrate(busy, owners[0])
    assert "works for a pot" not in narrate(busy, next(dao for dao in busy.daos if dao not in owners))


def test_a_paid_book_is_open_and_no_news_while_members_train(watched):
    scenes, playback = watched
    busy = next(scene for scene in scenes if any(book.state == "funded" for book in scene.books))
    for scene in (busy, playback.at(busy.time_s)):
        parts = parts_of(scene, EVERY_DAO)
        assert all(book["state"] == "funded" and book["lines"] for book in parts["books"])
        assert not parts["market"]


def test_settlements_are_among_the_events(watched):
    scenes, playback = watched
    for scene in (scenes[-1], playback.at(playback.end_s)):
        words = " ".join(event.words for event in scene.happenings)
        assert "nothing was minted in time" in words
