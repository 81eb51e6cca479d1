"""The contract every figure of a run keeps; a figure of your own inherits its tests:

class TestMyFigure(FigureContract):
    figure = "my-figure"
"""

from functools import cache
from typing import Any, Literal

import pandas as pd

from flnft_sim.formats import FORMATS
from flnft_sim.results import RunResult
from flnft_sim.results.pictures import FIGURES, render
from flnft_sim.scenario import load_scenario
from flnft_sim.simulation import run

type Size = Literal["one", "several"]

_SIZES: dict[Size, dict[str, Any]] = {
    "one": {"learning.rounds": 1},
    "several": {"learning.rounds": 3, "population.daos": 3, "market.auctions": 2},
}
_BEGINS = {"png": b"\x89PNG", "pdf": b"%PDF-", "svg": b"<?xml"}


@cache
def sample_run(size: Size) -> RunResult:
    """A small run: one round of one DAO, or a few of several that sell twice."""
    return run(load_scenario("tiny", overrides={"learning.learner": "surrogate", **_SIZES[size]}))


class FigureContract:
    """Subclass it in a test module, set `figure` to a registered name, and pytest runs the rest."""

    figure: str

    def test_a_run_without_rows_has_nothing_to_show(self) -> None:
        """None, and no error."""
        assert FIGURES.get(self.figure)(RunResult()) is None

    def test_what_is_drawn_has_a_title(self) -> None:
        """A picture has a title."""
        for size in _SIZES:
            figure = FIGURES.get(self.figure)(sample_run(size))
            if figure is None:
                continue
            titles = [axes.get_title(loc) for axes in figure.axes for loc in ("left", "center")]
            assert any([*titles, *(text.get_text() for text in figure.texts)])

    def test_equal_runs_give_equal_bytes_in_every_format(self) -> None:
        """Nothing of the moment or of the process gets in."""
        for format in FORMATS:
            one, other = (render(self.figure, sample_run("several"), format) for _ in range(2))
            assert one == other
            assert one is None or one.startswith(_BEGINS[format])

    def test_the_tables_are_left_as_they_were(self) -> None:
        """A figure looks and does not touch."""
        for size in _SIZES:
            result = sample_run(size)
            kept = {name: table.copy(deep=True) for name, table in result.tables.items()}
            FIGURES.get(self.figure)(result)
            for name, table in result.tables.items():
                pd.testing.assert_frame_equal(table, kept[name])
