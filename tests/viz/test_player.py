"""The player moves shows of any kind by words, and the stage sends what has changed."""

import json
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.clock.rate_log import TOLERANCE, RateLog
from flnft_sim.errors import InputError
from flnft_sim.scenario import load_scenario
from flnft_sim.viz.live import BrowserModel
from flnft_sim.viz.parts import parts_of
from flnft_sim.viz.player import Player
from flnft_sim.viz.scene import EVERY_DAO, Span, beside, density
from flnft_sim.viz.show import Jump
from flnft_sim.viz.strip import PHASES, Strip

QUICK = {"game.history_auctions": 0, "learning.learner": "surrogate", "learning.rounds": 2}


@pytest.fixture(scope="module")
def settings():
    return load_scenario("tiny", overrides=QUICK)


class Heard:
    """A player with its page's ear."""

    def __init__(self, *shows, reset=None):
        self.frames, self.complaints = [], []
        self.player = Player(
            shows, lambda panes, anew: self.frames.append((panes, anew)), reset=reset, fail=self.complaints.append
        )
        self.player.start()

    def tell(self, what, value=None):
        """Say a word and wait for its frame."""
        seen = len(self.frames)
        self.player.do(what, value)
        self.until(lambda: len(self.frames) > seen)
        return self.panes[0]

    def until(self, true):
        end = time.monotonic() + 60
        while not true():
            assert time.monotonic() < end
            time.sleep(0.01)

    @property
    def panes(self):
        return self.frames[-1][0]


def test_words_are_obeyed(settings):
    heard = Heard(BrowserModel(settings), reset=lambda: [BrowserModel(settings)])
    assert heard.tell("draw")["clock_s"] == 0
    assert heard.frames[-1][1]  # anew
    assert heard.tell("step")["clock_s"] == pytest.approx(settings.timeline.tick_s)
    assert heard.tell("select", {"pane": 0, "name": "provider-1"})["agent"]["name"] == "provider-1"
    assert heard.tell("dao", {"pane": 0, "name": "dao-0"})["dao"] == "dao-0"
    assert heard.tell("dao", {"pane": 7, "name": "no such DAO"})["dao"] == "dao-0"
    assert heard.tell("speed", "20 ×")["controls"]["speed"] == "20 ×"
    assert heard.tell("speed", "a million")["controls"]["speed"] == "20 ×"
    heard.tell("jump", Jump.END)
    heard.until(lambda: heard.panes[0]["controls"]["finished"] and not heard.panes[0]["controls"]["jump"])
    assert not heard.tell("play")["controls"]["playing"]
    assert heard.tell("reset")["clock_s"] == 0
    heard.player.close()
    heard.player._thread.join(10)
    assert not heard.player._thread.is_alive()
    assert heard.complaints == []


def test_the_highest_speed_runs_to_the_end(settings):
    heard = Heard(BrowserModel(settings))
    heard.tell("speed", "max")
    heard.tell("play")
    heard.until(lambda: heard.panes[0]["controls"]["finished"])
    assert not heard.panes[0]["controls"]["playing"]
    heard.player.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [(InputError("give a number"), "give a number"), (ZeroDivisionError("oh"), r"ZeroDivisionError\('oh'\); reset")],
)
def test_what_goes_wrong_is_said_and_the_page_lives_on(settings, error, said, capsys):
    model = BrowserModel(settings)

    def fail(_time_s):
        raise error

    heard = Heard(model)
    heard.tell("draw")
    model.go_to = fail
    heard.player.do("step")
    heard.until(lambda: heard.complaints)
    assert said.replace("\\", "") in heard.complaints[0]
    assert heard.tell("select", {"pane": 0, "name": "user-1"})["agent"]["name"] == "user-1"
    heard.player.close()
    assert ("Traceback" in capsys.readouterr().err) == isinstance(error, ZeroDivisionError)


def test_strip_pieces_add_up_to_the_spans(settings):
    model = BrowserModel(settings)
    heard = Heard(model)
    pieces = [*heard.tell("draw")["more_spans"]]
    while not model.finished:
        pieces += heard.tell("step")["more_spans"]
    assert pieces == Strip(model.scene(), EVERY_DAO).rows(model.spans(0))
    heard.player.close()


def test_the_stage_sends_only_what_changed(settings):
    stage_module = pytest.importorskip("flnft_sim.viz.stage")
    sent = []
    stage = stage_module.Stage()
    stage.send = sent.append
    parts = parts_of(BrowserModel(settings).scene(), EVERY_DAO)
    stage.show([parts | {"more_spans": [[0, 1, 0.0, 1.0]]}])
    stage.show([parts | {"clock_s": 7.0, "more_spans": []}])
    stage.show([parts], anew=True)
    first, second, third = (message["args"][0][0] for message in sent)
    assert set(first) == set(parts) | {"more_spans"}
    assert second == {"clock_s": 7.0}
    assert set(third) == set(parts)


def test_a_redraw_of_many_users_sends_little():
    model = BrowserModel(
        load_scenario("tiny", overrides=QUICK | {"population.users": 500, "radio.placement": "random"})
    )
    parts = parts_of(model.scene(), EVERY_DAO)
    model.aim(Jump.PHASE)
    model.pursue(60)
    model.step()
    later = parts_of(model.scene(), EVERY_DAO)
    changed = {name: value for name, value in later.items() if value != parts[name]}
    assert "places" not in changed
    assert len(json.dumps(changed)) < 0.5 * len(json.dumps(parts))


# ---- pieces ----------------------------------------------------------------------------------------------------------


@given(st.integers(1, 60), st.floats(100, 5000), st.floats(100, 5000))
def test_providers_stand_beside_the_area_and_apart(count, width_m, height_m):
    places = [beside((width_m, height_m), number, count) for number in range(count)]
    assert len(set(places)) == count
    assert all(x_m > width_m and 0 < y_m < height_m for x_m, y_m in places)


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1200)), min_size=1, max_size=50))
def test_density_counts_everybody(places):

    assert sum(map(sum, density(np.array(places), (1000.0, 1200.0)))) == len(places)


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0.0, 5.0)), max_size=60))
def test_of_a_long_run_no_more_is_drawn_than_can_be_seen(drawn):
    spans = [Span("dao-0", "", PHASES[0], None, start_s, start_s + seconds) for start_s, seconds in drawn]
    strip = Strip.__new__(Strip)
    strip.lanes, strip._lane = ["dao-0"], {"dao-0": 0}
    assert len(strip.rows(spans)) == len(spans)
    assert len(strip.rows(spans * 200, end_s=1005.0)) <= 1500


RATES = st.dictionaries(st.integers(0, 3), st.floats(1e3, 1e8), max_size=4)


@given(st.lists(st.tuples(st.floats(0.001, 10), RATES), max_size=30))
def test_kept_rates_are_as_near_as_promised(changes):
    log, now_s, truth = RateLog(), 0.0, []
    for wait_s, rates in changes:
        now_s += wait_s
        log.note(now_s, rates)
        truth.append((now_s, rates))
    rows = log.rows()
    assert len(rows) <= sum(len(rates) for _, rates in truth)
    for time_s, rates in truth:
        for user, rate_bps in rates.items():
            told = [told_bps for teller, since_s, told_bps in rows if teller == user and since_s <= time_s]
            assert told
            assert math.isclose(told[-1], rate_bps, rel_tol=TOLERANCE / (1 - TOLERANCE))


def test_of_several_rates_at_one_instant_the_last_counts():
    log = RateLog()
    log.note(1.0, {0: 5.0})
    log.note(1.0, {0: 9.0})
    log.note(2.0, {})
    log.note(3.0, {0: 9.0})  # another upload: told again
    assert [row[1:] for row in log.rows()] == [(1.0, 9.0), (3.0, 9.0)]
