"""A run as it shows itself: one screen of text, a notebook's page, figures by name."""

import dataclasses
import io

import pytest
from matplotlib.figure import Figure
from rich.console import Console
from synthetic_episode import episode

from flnft_sim import run
from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.results import RunResult

SMALL = {"learning.learner": "surrogate", "game.history_auctions": 8}


def test_its_repr_fits_one_screen():
    lines = repr(episode(rounds=300, users=50)).splitlines()
    assert len(lines) <= 24 and sum(len(line) for line in lines) < 24 * 80
    assert "seed 0" in lines[0] and "users (15,000 rows)" in lines[-1]
    assert repr(RunResult()).endswith("Tables: all empty.")


def test_a_notebook_shows_summary_tables_and_figures():
    page = episode(rounds=12)._repr_html_()
    assert "<pre>synthetic, seed 0" in page
    assert "the first 10 of 12 rows" in page
    assert page.count('src="data:image/png;base64,') == 3
    assert 'alt="accuracy"' in page and "<code>gantt</code>" in page


def test_what_a_stranger_wrote_is_text_there():
    result = episode()
    hostile = dataclasses.replace(
        result,
        bids=result.bids.assign(provider="<script>alert(1)</script>"),
        manifest=result.manifest | {"name": "<script>alert(2)</script>"},
    )
    page = hostile._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;alert(1)" in page and "&lt;script&gt;alert(2)" in page


def test_a_figure_by_its_name_shows_itself_in_a_notebook():
    figure = episode().plot("accuracy")
    assert isinstance(figure, Figure) and figure._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(UnknownNameError, match="did you mean 'accuracy'"):
        episode().plot("acuracy")
    with pytest.raises(InputError, match="nothing to show"):
        RunResult().plot("accuracy")


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_without_a_callback(terminal, monkeypatch):
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100)
    monkeypatch.setattr("flnft_sim.progress.Console", lambda **_: console)
    monkeypatch.setattr("flnft_sim.progress.LOG_EVERY_S", -1.0)
    run_small(progress=True)
    assert "3/3" in written.getvalue() and "accuracy" in written.getvalue()
    written.truncate(0)
    for quiet in (False, None):
        run_small(progress=quiet)
    assert not written.getvalue().strip("\0")


def test_a_function_is_told_of_every_round():
    rows = []
    run_small(progress=rows.append)
    assert [row["round"] for row in rows] == [1, 2, 3]


def run_small(**options):
    from flnft_sim import load_scenario

    return run(load_scenario("tiny", overrides=SMALL), **options)
