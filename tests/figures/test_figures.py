"""Figures show the tables' numbers, label their axes, and are left out where there is nothing to show."""

import io
import re
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image
from synthetic_episode import episode

from flnft_sim.figures import FIGURES, render_all
from flnft_sim.figures.palette import PHASE_COLOURS
from flnft_sim.figures.style import readable_on
from flnft_sim.results import Phase, RunResult


def axes_of(name, result):
    return FIGURES.get(name)(result).axes


def texts(figure):
    """Every text that is drawn, as (text, where it is in pixels)."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    found = set(figure.findobj(Text))
    for axes in figure.axes:
        for axis, place in ((axes.xaxis, 0), (axes.yaxis, 1)):
            low, high = sorted(axis.get_view_interval())
            for label in [*axis.get_ticklabels(which="both"), *(tick.label2 for tick in axis.get_major_ticks())]:
                if not low <= label.get_position()[place] <= high:
                    found.discard(label)
    drawn = sorted((text for text in found if text.get_visible() and text.get_text().strip()), key=Text.get_text)
    return [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in drawn]


def market(daos, auctions, *, rounds=3):
    """A run of several DAOs that mint, and sell in one auction, several times; every DAO's numbers are its own."""
    one = episode(rounds=rounds, providers=4)
    tables = {name: [] for name in ("rounds", "users", "phases", "spans", "aoi", "bids", "auctions")}
    for number in range(auctions):
        auction = f"category-0-e{number}"
        tables["bids"].append(one.bids.assign(auction=auction, total_money=one.bids["total_money"] + number))
        tables["auctions"].append(one.auctions.assign(auction=auction))
        for dao in range(daos):
            name, label = f"dao-{dao}", f"dao-{dao}-e{number}"
            accuracy = one.rounds["accuracy"] - 0.01 * dao - 0.001 * number
            tables["rounds"].append(one.rounds.assign(dao=name, accuracy=accuracy))
            tables["users"].append(one.users.assign(dao=name, user_utility=one.users["user_utility"] + dao))
            tables["phases"].append(
                one.phases.assign(dao=label, duration_s=one.phases["duration_s"] * (1 + dao + number / 10))
            )
            tables["spans"].append(one.spans.assign(dao=one.spans["dao"].replace("dao-1", label)))
            tables["aoi"].append(one.aoi.assign(dao=name, time_s=one.aoi["time_s"] + 200.0 * number))
    return RunResult(
        **{name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}, positions=one.positions
    )


RUNS = {
    "tiny": episode(),
    "one round": episode(rounds=1, users=1),
    "long": episode(rounds=60, users=50, providers=30),
    "market": market(3, 2),
    "large market": market(12, 8),
}


def luminance(colour):
    """Relative luminance as WCAG 2.2 defines it."""
    channels = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return float(np.dot([0.2126, 0.7152, 0.0722], list(channels)))


def test_every_figure_of_a_run_is_a_picture_wide_enough_to_read():
    pictures = dict(render_all(episode()))
    assert list(pictures) == FIGURES.names()
    for data in pictures.values():
        assert Image.open(io.BytesIO(data)).width >= 700


def test_an_empty_run_has_nothing_to_show():
    assert list(render_all(RunResult())) == []


@pytest.mark.parametrize("name", FIGURES.names())
def test_every_axis_says_what_it_shows(name):
    for axes in axes_of(name, episode()):
        assert axes.get_xlabel() or axes.get_ylabel()
        assert axes.get_title(loc="left") or axes.get_ylabel() == "mean SINR (dB)"


@pytest.mark.parametrize("name", FIGURES.names())
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_no_text_is_cut_off_or_written_over_another(name, run):
    figure = FIGURES.get(name)(run)
    shown = {"gas": run.transactions["call"].any(), "contributions": len(run.contributions)}
    if figure is None and not shown.get(name, True):
        return  # these runs have no executed contracts, or nothing measured, to show
    drawn, (width, height) = texts(figure), figure.bbox.size
    assert len(drawn) > 5
    for text, box in drawn:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    for (text, box), (other, its) in combinations(drawn, 2):
        across, along = min(box.x1, its.x1) - max(box.x0, its.x0), min(box.y1, its.y1) - max(box.y0, its.y0)
        assert across <= 1 or along <= 2, (text, other)


@pytest.mark.parametrize("shape", [{"rounds": 1, "users": 1}, {"rounds": 2, "users": 60, "providers": 14}])
def test_odd_sizes_can_be_drawn(shape):
    assert len(dict(render_all(episode(**shape)))) == len(FIGURES.names())


def notes(axes):
    """The small print below an axes' title."""
    return " ".join(text.get_text() for text in axes.texts)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7])
def test_a_run_that_was_cut_short_can_be_drawn(run, share):
    cut = RunResult(**{name: table.head(max(1, int(share * len(table)))) for name, table in run.tables.items()})
    for name in FIGURES.names():
        FIGURES.get(name)(cut)


@pytest.mark.parametrize("missing", RunResult().tables)
def test_a_run_without_a_table_can_be_drawn(missing):
    run = RunResult(**{name: table for name, table in episode().tables.items() if name != missing})
    for name in FIGURES.names():
        FIGURES.get(name)(run)


def test_accuracy_line_is_the_rounds_table():
    result = episode(rounds=5)
    [axes] = axes_of("accuracy", result)
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), result.rounds[["round", "accuracy"]])


def test_every_minting_has_an_accuracy_line_of_its_own():
    once = episode(rounds=3)
    twice = RunResult(rounds=pd.concat([once.rounds, once.rounds]))
    [axes] = axes_of("accuracy", twice)
    for line in axes.lines:
        np.testing.assert_array_equal(line.get_xydata(), once.rounds[["round", "accuracy"]])
    assert len(axes.lines) == 2


def test_every_dao_has_an_accuracy_panel_on_the_same_axes_beside_the_mean_of_all():
    result = market(8, 1)
    panels = axes_of("accuracy", result)
    assert [axes.get_title(loc="left") for axes in panels] == [f"dao-{number}" for number in range(8)]
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in panels}) == 1
    mean = result.rounds.groupby("round")["accuracy"].mean()
    for dao, axes in enumerate(panels):
        own = result.rounds[result.rounds["dao"] == f"dao-{dao}"]
        np.testing.assert_allclose(axes.lines[0].get_ydata(), own["accuracy"])
        np.testing.assert_allclose(axes.lines[1].get_ydata(), mean)


def test_accuracy_of_many_daos_is_a_band_from_the_lowest_to_the_highest():
    result = market(9, 1)
    [axes] = axes_of("accuracy", result)
    whole = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (whole.min(), whole.max()) == (result.rounds["accuracy"].min(), result.rounds["accuracy"].max())
    last = result.rounds.loc[result.rounds["round"] == 3, "accuracy"]
    assert axes.lines[0].get_ydata()[-1] == pytest.approx(last.median())
    assert "9 DAOs, 9 mintings, 3 rounds" in notes(axes)


def test_age_has_a_panel_a_dao_up_to_eight_and_one_with_bands_for_more():
    assert [axes.get_title(loc="left").partition(":")[0] for axes in axes_of("age", market(8, 1))] == [
        f"dao-{number}" for number in range(8)
    ]
    [axes] = axes_of("age", market(9, 1))
    assert len(axes.collections) == 2
    assert "9 DAOs" in notes(axes)


def test_a_few_teeth_are_drawn_as_they_are():
    result = episode(rounds=5)
    [axes] = axes_of("age", result)
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), result.aoi[["time_s", "age_s"]])


@pytest.mark.parametrize("teeth", [42, 60, 100, 300])
def test_a_wall_of_teeth_is_their_range_and_exact_mean_with_some_teeth_close_up(teeth):
    """Teeth of 0 to 10 s: age 5 s on average in any whole number of them, and in all the time."""
    starts = 10.0 * np.arange(teeth)
    corners = pd.DataFrame(
        {"dao": "dao-1", "time_s": np.repeat(starts, 2)[1:], "age_s": np.tile([0.0, 10.0], teeth)[:-1]}
    )
    above, below = axes_of("age", RunResult(aoi=corners))
    assert f"{teeth - 1} drops" in notes(above)
    np.testing.assert_allclose(above.lines[0].get_ydata(), 5.0)
    heights = above.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((0.0, 10.0))
    shown = below.lines[0].get_xydata()
    assert 10 <= len(shown) <= 16
    assert {tuple(corner) for corner in shown} <= {tuple(corner) for corner in corners[["time_s", "age_s"]].to_numpy()}


def test_phase_bars_are_as_long_as_the_minting_time():
    result = episode(rounds=5)
    above, _ = axes_of("phases", result)
    bars = [bar for container in above.containers for bar in container]
    assert sum(bar.get_width() for bar in bars) == pytest.approx(result.phases["duration_s"].sum())
    assert max(bar.get_x() + bar.get_width() for bar in bars) == pytest.approx(result.summary["minting_time_s"])


def test_a_phase_of_milliseconds_has_a_line_beside_one_of_seconds_and_its_share_in_the_legend():
    result = episode(rounds=5)
    tiny = result.phases["phase"] == "upload"
    result = RunResult(phases=result.phases.assign(duration_s=result.phases["duration_s"].where(~tiny, 2e-3)))
    figure = FIGURES.get("phases")(result)
    _, below = figure.axes
    low, high = below.get_ylim()
    place = np.log(2e-3 / low) / np.log(high / low)
    assert 0.02 < place < 0.98
    assert any((line.get_ydata() == 2e-3).all() for line in below.lines)
    assert any(text.get_text() == "upload 10 ms (< 0.1%)" for text in figure.legends[0].texts)


def test_phases_of_one_round_are_shown_once():
    assert len(axes_of("phases", episode(rounds=1))) == 1


def test_a_phase_bar_is_the_mean_minting_of_its_dao():
    result = market(3, 4)
    above, below = axes_of("phases", result)
    ends = {}
    for container in above.containers:
        for bar in container:
            row = round(bar.get_y() + bar.get_height() / 2)
            ends[row] = max(ends.get(row, 0.0), bar.get_x() + bar.get_width())
    labels = [label.get_text() for label in above.get_yticklabels()]
    for row, dao in enumerate(labels):
        own = result.phases[result.phases["dao"].str.startswith(f"{dao}-")]
        assert ends[row] == pytest.approx(own["duration_s"].sum() / 4)
    assert labels == ["dao-0", "dao-1", "dao-2"]
    assert "3 DAOs, 12 mintings" in notes(above)
    assert "mean over 12 mintings" in notes(below)


def test_many_daos_are_told_by_the_quickest_the_middle_and_the_slowest_minting():
    above, _ = axes_of("phases", market(13, 1))
    labels = [label.get_text() for label in above.get_yticklabels()]
    assert labels == ["quickest: dao-0-e0", "middle: dao-6-e0", "slowest: dao-12-e0", "mean of all"]
    assert "13 DAOs, 13 mintings" in notes(above)


def bars_of(axes):
    """(begin s, end s, row) of each bar of a Gantt chart."""
    corners = [
        path.vertices for bars in axes.collections if isinstance(bars, PolyCollection) for path in bars.get_paths()
    ]
    return sorted((c[:, 0].min(), c[:, 0].max(), c[:, 1].mean().round()) for c in (v[:4] for v in corners))


def test_gantt_has_a_bar_for_every_span_of_its_round_from_its_beginning():
    result = episode(rounds=3)
    _, axes = axes_of("gantt", result)
    spans = result.spans[result.spans["round"] == 2]
    spans = spans[spans["duration_s"] > 0]
    begin_s = spans["start_s"].min()
    expected = sorted(zip(spans["start_s"] - begin_s, spans["end_s"] - begin_s, strict=True))
    np.testing.assert_allclose([bar[:2] for bar in bars_of(axes)], expected, atol=1e-9)
    assert axes.get_xlim()[0] == 0


def test_gantt_of_a_long_decision_has_the_whole_round_and_what_follows_with_no_bar_cut_off():
    once = episode(rounds=3)
    decided = once.spans["phase"] == "decision"
    spans = once.spans.assign(start_s=once.spans["start_s"].where(~decided, once.spans["start_s"] - 100))
    _, whole, after = axes_of("gantt", RunResult(spans=spans))
    assert whole.get_xlim()[0] == min(bar[0] for bar in bars_of(whole)) == 0
    left, right = after.get_xlim()
    assert left == pytest.approx(100.8)
    for begin_s, end_s, _ in bars_of(after):
        assert end_s <= left + 1e-9 or left - 1e-9 <= begin_s <= end_s <= right + 1e-9


def test_gantt_says_how_many_agents_it_leaves_out():
    _, axes = axes_of("gantt", episode(users=50))
    assert "40 of 51 agents" in notes(axes)
    assert len(axes.get_yticklabels()) == 40


def test_gantt_says_where_in_the_minting_its_round_lies_and_how_long_minting_took():
    result = episode(rounds=3)
    strip, _ = axes_of("gantt", result)
    spans = result.spans[result.spans["dao"] != ""]
    minted = result.spans[result.spans["phase"] == "minting"].iloc[0]
    rounds = spans.dropna(subset=["round"])
    second = rounds[rounds["round"] == 2]
    drawn = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in strip.patches]
    expected = [
        (rounds["start_s"].min(), rounds["end_s"].max()),
        (second["start_s"].min(), second["end_s"].max()),
        (minted["start_s"], minted["end_s"]),
    ]
    np.testing.assert_allclose(drawn, expected)


def test_winners_pay_below_their_bids_and_marks_sit_at_the_payments():
    result = episode()
    [axes] = axes_of("winners", result)
    heights = [bar.get_height() for bar in axes.containers[0]]
    assert heights == sorted(result.bids["total_money"], reverse=True)
    marks = axes.collections[0].get_offsets()
    np.testing.assert_allclose(sorted(marks[:, 1]), sorted(result.bids.loc[result.bids["won"], "payment_money"]))


def test_winners_show_the_reserve_that_set_the_price_and_say_so():
    result = episode()
    auctions = result.auctions.assign(reserve_money=123.25, price_money=123.25, price_set_by="the reserve")
    [axes] = axes_of("winners", RunResult(bids=result.bids, auctions=auctions))
    assert {line.get_ydata()[0] for line in axes.lines} == {123.25, auctions["ask_money"].iloc[0]}
    assert "price 123.25, set by the reserve; reserve 123.25, ask 75.00" in notes(axes)


def test_winners_without_a_reserve_draw_none():
    result = episode()
    [axes] = axes_of("winners", RunResult(bids=result.bids, auctions=result.auctions.assign(reserve_money=np.inf)))
    assert [line.get_ydata()[0] for line in axes.lines] == [75.0]


def test_winners_of_many_auctions_show_all_in_short_and_say_which_are_in_full():
    result = market(1, 9)
    figure = FIGURES.get("winners")(result)
    *full, overview = sorted(figure.axes, key=lambda axes: "9 auctions" in axes.get_title(loc="left"))
    assert len(full) == 4
    assert "the last 4 of 9 in full" in notes(overview)
    reserves, asks = overview.lines
    np.testing.assert_array_equal(reserves.get_ydata(), result.auctions["reserve_money"])
    np.testing.assert_array_equal(asks.get_ydata(), result.auctions["ask_money"])
    ranges = np.array([path.vertices[:, 1] for path in overview.collections[0].get_paths()])
    bids = result.bids.groupby("auction", sort=False)["total_money"]
    np.testing.assert_array_equal(ranges, np.stack([bids.min(), bids.max()], axis=1))


def test_winners_say_how_many_bids_are_left_out():
    [axes] = axes_of("winners", episode(providers=30))
    assert "the 16 highest of 30 bids" in notes(axes)
    assert len(axes.containers[0]) == 16


def test_an_auction_that_a_dao_left_is_shown_as_it_was_held_again():
    result = episode()
    left = result.auctions.assign(winners=0, reason="dao-2 withdrew", price_money=np.nan)
    auctions = pd.concat([left, result.auctions], ignore_index=True)
    [axes] = axes_of("winners", RunResult(bids=result.bids, auctions=auctions))
    assert "held again, as dao-2 withdrew" in notes(axes)
    assert axes.get_title(loc="left") == "auction-1 (pms-am): 2 licences"


def test_beliefs_are_held_against_the_sum_of_the_others():
    result = episode(providers=4)
    [axes] = axes_of("beliefs", result)
    real, predicted = (line.get_xdata() for line in axes.lines)
    expected = sorted(zip(result.bids["real_rivals_money"], result.bids["predicted_rivals_money"], strict=True))
    np.testing.assert_allclose(sorted(zip(real, predicted, strict=True)), expected)


@pytest.mark.parametrize("slope, r", [(1.0, "1.00"), (-0.5, "-1.00"), (0.0, "undefined")])
def test_beliefs_tell_r_and_the_error_beside_that_of_a_constant(slope, r):
    """Forty auctions of two bids, 1 … 80: a rival's bid b is predicted as 100 + slope·b."""
    bids = pd.DataFrame(
        {
            "auction": [f"a-{n // 2}" for n in range(80)],
            "provider": "p",
            "status": "accepted",
            "total_money": np.arange(1.0, 81.0),
        }
    )
    rivals = bids.groupby("auction")["total_money"].transform("sum") - bids["total_money"]
    bids = bids.assign(real_rivals_money=rivals, predicted_rivals_money=100 + slope * rivals)
    bids["provider"] = ["p", "q"] * 40
    [axes] = axes_of("beliefs", RunResult(bids=bids))
    off = np.mean([abs(100 + slope * b - b) for b in range(1, 81)])
    told = "no r" if r == "undefined" else f"r = {r}"
    constant = 20  # mean |b − 40.5|
    assert axes.get_title(loc="left") == f"Rivals foreseen: {told}, off by {off:.0f} (best constant: {constant})"
    assert "80 forecasts in 40 auctions" in notes(axes).replace("\n", " ")
    means = axes.lines[-1].get_xydata()
    np.testing.assert_allclose(means[:, 1], 100 + slope * means[:, 0])


def test_map_has_the_areas_border_and_colours_that_tell_users_apart_beside_an_outlier():
    result = episode(users=10)
    users = result.positions["role"] == "user"
    sinr_db = np.array([np.nan, *np.linspace(8.0, 16.0, 9), 60.0])
    positions = result.positions.assign(sinr_db=np.where(users, sinr_db, np.nan))
    manifest = {"scenario": {"radio": {"area_m": [1500.0, 1300.0]}}}
    axes, bar = axes_of("map", RunResult(positions=positions, manifest=manifest))
    assert (axes.get_xlim(), axes.get_ylim()) == ((0.0, 1500.0), (0.0, 1300.0))
    assert all(spine.get_visible() for spine in axes.spines.values())
    marks = axes.collections[1]
    colours = marks.to_rgba(sinr_db[1:])
    lightness = [luminance(colour[:3]) for colour in colours[1:9]]
    contrasts = [(light + 0.05) / (dark + 0.05) for dark, light in pairwise(lightness)]
    assert min(contrasts) > 1.12  # on a scale from 8 to 60 dB it would be 1.05
    assert bar.get_ylabel() == "mean SINR (dB)"


def test_map_names_stand_clear_of_links_and_of_one_another():
    result = episode(users=12)
    figure = FIGURES.get("map")(result)
    names = {text: box for text, box in texts(figure) if re.fullmatch(r"\d+", text)}
    axes = figure.axes[0]
    station = axes.transData.transform((500.0, 600.0))
    users = result.positions[result.positions["role"] == "user"]
    ends = axes.transData.transform(users[["x_m", "y_m"]].to_numpy())
    crossed = sum(
        box.x0 < x < box.x1 and box.y0 < y < box.y1
        for box in (axes.texts[n].get_window_extent() for n in range(12))
        for end in ends
        for x, y in (station + along * (end - station) for along in np.linspace(0, 1, 100))
    )
    assert crossed == 0
    assert names


def test_a_crowd_is_a_map_of_mean_sinr():
    users = 4000
    side = np.repeat([250.0, 750.0], users // 2)
    positions = pd.DataFrame(
        {
            "name": [f"user-{n}" for n in range(users)],
            "role": "user",
            "x_m": side,
            "y_m": np.tile([100.0, 900.0], users // 2),
            "sinr_db": np.where(side > 500, 20.0, 10.0) + np.tile([-1.0, -1.0, 1.0, 1.0], users // 4),
            "rate_bps": 1e6,
        }
    )
    axes, _ = axes_of("map", RunResult(positions=positions))
    [image] = axes.images
    values = image.get_array().compressed() if hasattr(image.get_array(), "compressed") else image.get_array()
    assert sorted(set(np.asarray(values)[np.isfinite(values)])) == [10.0, 20.0]
    assert "4,000 users" in notes(axes)


@pytest.mark.parametrize("rounds", [1, 20])
def test_utilities_are_the_users_mean_and_range(rounds):
    result = market(2, 1, rounds=rounds)
    above, _ = axes_of("utilities", result)
    by_round = result.users.groupby("round")["user_utility"]
    np.testing.assert_allclose(above.lines[0].get_ydata(), by_round.mean())
    edges = np.concatenate([path.vertices[:, 1] for path in above.collections[0].get_paths()])
    assert (edges.min(), edges.max()) == (result.users["user_utility"].min(), result.users["user_utility"].max())
    assert f"8 users of 2 DAOs, {rounds} round" in notes(above)


def test_phases_that_meet_in_a_stack_differ_in_grey():
    """Each phase of a minting and the one that may follow it, where those between take no time."""
    meeting = [
        ("decision", "ranking"),
        ("decision", "training"),
        ("ranking", "training"),
        ("training", "upload"),
        ("training", "consensus"),
        ("upload", "consensus"),
        ("consensus", "aggregation"),
        ("consensus", "waiting"),
        ("consensus", "minting"),
        ("aggregation", "waiting"),
        ("aggregation", "minting"),
        ("waiting", "minting"),
    ]
    for phases in meeting:
        dark, light = sorted(luminance(PHASE_COLOURS[phase]) for phase in phases)
        assert (light + 0.05) / (dark + 0.05) >= 1.5, phases


def test_phases_have_distinct_colours_and_readable_labels():
    assert set(PHASE_COLOURS) == set(Phase)
    assert len(set(PHASE_COLOURS.values())) == len(Phase)
    for colour in PHASE_COLOURS.values():
        light, dark = sorted([luminance(colour), luminance(readable_on(colour))], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG AA for text
