"""How old each DAO's model is, over time."""

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from flnft_sim.figures.palette import BLUE, INK
from flnft_sim.figures.run.series import PANELS, band_legend, draw_band, natural
from flnft_sim.figures.style import finish, legend_below, new_figure, small_multiples
from flnft_sim.results.pictures import FIGURES
from flnft_sim.results.record import RunRecord
from flnft_sim.results.summary import mean_ages, saw_teeth
from flnft_sim.results.told import counted

_TEETH = 40  # more in a panel of the full width would run into one another; teeth as high as the peak, lower ones less
_CLOSE = 6  # teeth in the close-up
_BINS = 80

type Teeth = tuple[np.ndarray, np.ndarray, np.ndarray]


@FIGURES.register("age")
def age(result: RunRecord) -> Figure | None:
    """Age of information, a panel a DAO: the measured saw-tooth, and its mean as a dashed line.

    Where teeth are too many to be told apart: their range and mean over time, and of a single DAO some of them close
    up. With many DAOs one panel holds the median of their ages and how far they spread.
    """
    if len(result.aoi) < 2:
        return None
    means = mean_ages(result.aoi)
    corners = {str(dao): own for dao, own in result.aoi.groupby("dao", sort=False)}
    daos = natural(corners)
    title = f"Age of information: mean {means.mean():,.1f} s, peak {result.aoi['age_s'].max():,.1f} s"
    teeth = {dao: _teeth(corners[dao]) for dao in daos}
    if len(daos) > PANELS:
        return _bands(list(teeth.values()), title)
    if len(daos) == 1:
        return _single(teeth[daos[0]], corners[daos[0]], float(means.mean()), title, daos[0])
    many = max(map(_crowding, teeth.values())) > _TEETH / 1.5
    note = f"{counted(len(daos), 'DAO')}, a panel each; "
    note += "range and mean over time" if many else "each drop is an aggregation"
    figure, panels = small_multiples(
        len(daos), title=title, note=note, x="simulated time (s)", y="age of freshest data (s)"
    )
    for axes, dao in zip(panels, daos, strict=True):
        axes.set_title(f"{dao}: mean {means.get(dao, np.nan):,.1f} s", fontsize=12, loc="left")
        if many:
            _range(axes, teeth[dao], _BINS // 2)
        else:
            _saw(axes, corners[dao], means.get(dao))
    panels[0].set_ylim(bottom=0)
    panels[0].xaxis.set_major_locator(MaxNLocator(nbins=4 if panels[0].get_xlim()[1] < 9000 else 3))
    _legend(figure, many)
    return figure


def _single(teeth: Teeth, corners: pd.DataFrame, mean_s: float, title: str, dao: str) -> Figure:
    """The whole of one DAO's saw-tooth, and where that is a wall, its range above and some teeth below."""
    x, y = "simulated time (s)", "age of freshest data (s)"
    if _crowding(teeth) <= _TEETH:
        figure, [axes] = new_figure()
        _saw(axes, corners, mean_s)
        finish(axes, title=title, x=x, y=y, note=f"{dao}: each drop is an aggregation")
        axes.set_ylim(bottom=0)
        _legend(figure, False)
        return figure
    figure, [above, below] = new_figure(height=6.8, heights=(1, 1))
    _range(above, teeth, _BINS)
    drops = counted(sum(int((np.diff(own["age_s"]) < 0).sum()) for _, own in saw_teeth(corners)), "drop")
    finish(above, title=title, x="", y="age (s)", note=f"{dao}: {drops}, one an aggregation; range and mean over time")
    first = len(teeth[0]) // 2 - _CLOSE // 2
    begin_s, end_s = teeth[0][first], teeth[1][first + _CLOSE - 1]
    _saw(below, corners[corners["time_s"].between(begin_s, end_s)], mean_s)
    below.margins(x=0.02)
    finish(below, title="Close up", x=x, y="age (s)", note=f"{_CLOSE} teeth in the middle; each drop is an aggregation")
    for axes in (above, below):
        axes.set_ylim(bottom=0)
    _legend(figure, True)
    return figure


def _bands(daos: list[Teeth], title: str) -> Figure:
    """Mean age by time of many DAOs: the median DAO, the middle half and all of them."""
    edges = _edges(min(begins[0] for begins, _, _ in daos), max(ends[-1] for _, ends, _ in daos), _BINS)
    figure, [axes] = new_figure()
    draw_band(axes, (edges[:-1] + edges[1:]) / 2, np.stack([_binned(teeth, edges)[0] for teeth in daos]))
    finish(
        axes,
        title=title,
        x="simulated time (s)",
        y="mean age of freshest data (s)",
        note=f"{len(daos)} DAOs; of each the mean over {edges[1] - edges[0]:,.1f} s at a time",
    )
    axes.margins(x=0.01)
    axes.set_ylim(bottom=0)
    band_legend(figure, "DAO")
    return figure


def _teeth(corners: pd.DataFrame) -> Teeth:
    """(begin s, end s, age at the begin s) of each stretch on which one DAO's age grows with time."""
    time_s, age_s = corners["time_s"].to_numpy(), corners["age_s"].to_numpy()
    lasts_s = np.diff(time_s)
    grows = (lasts_s > 0) & np.isclose(np.diff(age_s), lasts_s, rtol=1e-6, atol=1e-6)
    return time_s[:-1][grows], time_s[1:][grows], age_s[:-1][grows]


def _crowding(teeth: Teeth) -> float:
    """How many teeth as high as the peak climb as far as all of these together."""
    begins, ends, ages = teeth
    return float((ends - begins).sum() / (ages + ends - begins).max()) if len(begins) else 0.0


def _edges(begin_s: float, end_s: float, bins: int) -> np.ndarray:
    return np.linspace(begin_s, end_s, bins + 1)


def _binned(teeth: Teeth, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time average, lowest and highest age between neighbouring edges (s); NaN where there is no model."""
    begins, ends, ages = teeth
    low, high = np.full(len(edges) - 1, np.nan), np.full(len(edges) - 1, np.nan)
    mean = low.copy()
    for place, (left, right) in enumerate(pairwise(edges)):
        here = slice(np.searchsorted(ends, left, side="right"), np.searchsorted(begins, right, side="left"))
        since, until = np.maximum(begins[here], left), np.minimum(ends[here], right)
        if len(since):
            lowest, highest = ages[here] + since - begins[here], ages[here] + until - begins[here]
            low[place], high[place] = lowest.min(), highest.max()
            mean[place] = np.average((lowest + highest) / 2, weights=until - since)
    return mean, low, high


def _range(axes: Axes, teeth: Teeth, bins: int) -> None:
    grid = _edges(teeth[0][0], teeth[1][-1], bins)
    whole = teeth[0][teeth[0].searchsorted(grid[:-1]).clip(max=len(teeth[0]) - 1)]
    edges = np.unique([*whole, teeth[1][-1]])  # between starts of whole teeth, lest the mean beat with them
    if len(edges) > 2 and np.diff(edges)[-1] < np.median(np.diff(edges)) / 2:
        edges = np.delete(edges, -2)  # a last tooth cut short belongs to those before
    mean, low, high = _binned(teeth, edges)
    middle = (edges[:-1] + edges[1:]) / 2
    axes.fill_between(middle, low, high, color=BLUE, alpha=0.3, linewidth=0)
    axes.plot(middle, mean, color=INK, linestyle="--", linewidth=1.5)
    axes.margins(x=0.01)


def _saw(axes: Axes, corners: pd.DataFrame, mean_s: float | None) -> None:
    for _, own in saw_teeth(corners):  # between two mintings there is no model whose age could be told
        axes.plot(own["time_s"], own["age_s"], color=BLUE, linewidth=1.2)
    if mean_s is not None:
        axes.axhline(mean_s, color=INK, linestyle="--", linewidth=1.5)
    axes.margins(x=0.01)


def _legend(figure: Figure, ranges: bool) -> None:
    what = (
        Patch(color=BLUE, alpha=0.3, linewidth=0, label="lowest to highest age")
        if ranges
        else Line2D([], [], color=BLUE, label="age")
    )
    legend_below(figure, [what, Line2D([], [], color=INK, linestyle="--", label="mean")])
