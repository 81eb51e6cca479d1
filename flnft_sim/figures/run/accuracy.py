"""How good each DAO's model is, round by round."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from flnft_sim.figures.palette import BLUE, INK
from flnft_sim.figures.run.series import LINES, PANELS, band_legend, draw_band, natural
from flnft_sim.figures.style import legend_below, percents, small_multiples, whole_numbers
from flnft_sim.results.pictures import FIGURES
from flnft_sim.results.record import RunRecord
from flnft_sim.results.told import counted


@FIGURES.register("accuracy")
def accuracy(result: RunRecord) -> Figure | None:
    """Test accuracy after each FL round: a panel a DAO and a line a minting, or bands where these are many."""
    rounds = result.rounds.dropna(subset=["accuracy"])
    if rounds.empty:
        return None
    curves = _curves(rounds)
    daos, numbers = natural(curves.index.unique("dao")), curves.columns.to_numpy(dtype=float)
    panels = [curves.loc[[dao]] for dao in daos] if len(daos) <= PANELS else [curves]
    last = rounds.drop_duplicates("dao", keep="last")["accuracy"]
    several = f" (mean of {len(daos)} DAOs)" if len(daos) > 1 else ""
    counts = [counted(len(daos), "DAO"), counted(len(curves), "minting"), counted(len(numbers), "round")]
    banded = any(len(own) > LINES for own in panels)
    each = "a panel a DAO" if len(panels) > 1 else ""
    lines = "" if banded else "a line a minting, later ones darker" if len(curves) > len(daos) else ""
    figure, axes = small_multiples(
        len(panels),
        title=f"Accuracy by round: {last.mean():.1%} in the end{several}",
        note="; ".join(filter(None, [", ".join(counts), each, lines])),
        x="FL round",
        y="test accuracy",
    )
    for place, own in zip(axes, panels, strict=True):
        _panel(place, numbers, own.to_numpy())
        if len(panels) > 1:
            place.plot(numbers, curves.mean(), color=INK, linestyle=":", linewidth=1.5, zorder=3)
    for place, dao in zip(axes, daos, strict=False):
        if len(panels) > 1:
            place.set_title(dao, fontsize=12, loc="left")
    whole_numbers(axes[0])
    percents(axes[0])
    if banded:
        band_legend(figure, "minting")
    elif len(panels) > 1:
        legend_below(figure, [Line2D([], [], color=INK, linestyle=":", label="mean of all DAOs")])
    return figure


def _curves(rounds: pd.DataFrame) -> pd.DataFrame:
    """Accuracy, one row a minting (index dao, minting), one column a round; NaN where a minting has no such round."""
    starts = rounds.groupby("dao")["round"].diff() <= 0  # a round that does not follow on the last begins another
    mintings = starts.groupby(rounds["dao"]).cumsum()
    return rounds.assign(minting=mintings).pivot_table(index=["dao", "minting"], columns="round", values="accuracy")


def _panel(axes: Axes, numbers: np.ndarray, curves: np.ndarray) -> None:
    if len(curves) > LINES:
        draw_band(axes, numbers, curves)
        return
    for place, curve in enumerate(curves, start=1):
        known = ~np.isnan(curve)
        axes.plot(
            numbers[known],
            curve[known],
            color=BLUE,
            alpha=place / len(curves),
            linewidth=2,
            marker="o" if known.sum() == 1 else "",
        )
