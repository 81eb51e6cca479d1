"""What providers believed of their rivals, against what these bid."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from flnft_sim.figures.palette import BLUE, INK, ORANGE
from flnft_sim.figures.style import finish, legend_below, new_figure
from flnft_sim.results.forecast import forecast_quality, rivals_foreseen
from flnft_sim.results.pictures import FIGURES
from flnft_sim.results.record import RunRecord
from flnft_sim.results.told import counted

_BY_NAME = 12  # as many beliefs have a row each
_BINS = 8


@FIGURES.register("beliefs")
def beliefs(result: RunRecord) -> Figure | None:
    """Each provider's predicted sum of its rivals' first bids beside the real one: rows of a few, a cloud of many.

    In the cloud a belief that was right lies on the diagonal; the line of means over equal shares of the forecasts
    shows what predictions are worth: flat where they tell nothing. The title has the correlation r, the mean absolute
    error and, as a yardstick, that of the constant that would have been best.
    """
    bids = rivals_foreseen(result.bids)
    quality = forecast_quality(bids)
    if quality is None:
        return None
    real, predicted = (bids[f"{word}_rivals_money"].to_numpy() for word in ("real", "predicted"))
    errors = f"off by {quality.mean_error:,.0f} (best constant: {quality.constant_error:,.0f})"
    title = f"Rivals foreseen: {quality.correlation}, {errors}"
    number = f"{counted(quality.n, 'forecast')} in {counted(bids['auction'].nunique(), 'auction')}"
    note = f"{number}; first bids, mean errors in money"
    draw = _rows if quality.n <= _BY_NAME else _cloud
    return draw(bids, predicted, real, title, note)


def _rows(bids: pd.DataFrame, predicted: np.ndarray, real: np.ndarray, title: str, note: str) -> Figure:
    """A row a forecast: predicted and real money of the rivals, joined by a line."""
    order = np.argsort(-real, kind="stable")
    bids, predicted, real = bids.iloc[order], predicted[order], real[order]
    names = list(bids["provider"])
    if bids["auction"].nunique() > 1:
        names = [f"{auction}: {name}" for auction, name in zip(bids["auction"], names, strict=True)]
    left = max(0.95, 0.45 + 0.09 * max(map(len, names)))
    figure, [axes] = new_figure(width=max(7.5, left + 6.2), height=1.9 + 0.34 * len(bids), left=left)
    places = np.arange(len(bids))
    axes.hlines(places, np.minimum(predicted, real), np.maximum(predicted, real), color=INK, linewidth=1.5)
    axes.plot(real, places, "o", color=BLUE, markersize=9, label="real")
    axes.plot(
        predicted,
        places,
        "D",
        color="white",
        markeredgecolor=ORANGE,
        markeredgewidth=2,
        markersize=8,
        label="predicted",
    )
    axes.set_yticks(places, names)
    axes.set_ylim(len(bids) - 0.5, -0.5)
    axes.margins(x=0.08)
    finish(axes, title=title, x="bids of all rivals together (money)", y="", note=note)
    legend_below(figure, axes.get_lines())
    return figure


def _cloud(_bids: pd.DataFrame, predicted: np.ndarray, real: np.ndarray, title: str, note: str) -> Figure:
    """A point a forecast, the diagonal, and the mean prediction in equal shares of forecasts by what really came."""
    figure, [axes] = new_figure(width=7.5, height=6.6)
    size, alpha = (36, 0.7) if len(real) <= 100 else (12, 0.35)
    axes.scatter(
        real, predicted, s=size, color=BLUE, alpha=alpha, linewidth=0, rasterized=len(real) > 5000, label="forecast"
    )
    low, high = min(real.min(), predicted.min()), max(real.max(), predicted.max())
    pad = 0.04 * (high - low) or 1.0
    axes.plot([low - pad, high + pad], [low - pad, high + pad], color=INK, linewidth=1.2, linestyle=":", label="exact")
    axes.axhline(np.median(real), color=INK, linewidth=1.4, linestyle="--", label="best constant")
    shares = np.array_split(np.argsort(real, kind="stable"), min(_BINS, len(real) // 4))
    means = [(real[share].mean(), predicted[share].mean()) for share in shares]
    axes.plot(*zip(*means, strict=True), color="black", marker="s", markersize=6, linewidth=2, label="mean forecast")
    axes.set_xlim(low - pad, high + pad)
    axes.set_ylim(low - pad, high + pad)
    finish(axes, title=title, x="rivals' bids together, real (money)", y="the same, predicted (money)", note=note)
    handle = Line2D([], [], color=BLUE, marker="o", linestyle="", label="forecast")
    legend_below(figure, [handle, *axes.get_lines()])
    return figure
