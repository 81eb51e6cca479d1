"""Where minting time goes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from flnft_sim.figures.palette import INK, PHASE_COLOURS
from flnft_sim.figures.run.series import dao_of, natural
from flnft_sim.figures.style import (
    NOTE,
    finish,
    legend_below,
    new_figure,
    phase_look,
    readable_on,
    whole_numbers,
)
from flnft_sim.results.phase import Phase
from flnft_sim.results.pictures import FIGURES
from flnft_sim.results.record import RunRecord
from flnft_sim.results.told import counted

_SHOWN_BARS = 12
_NAMED_FROM = 0.45  # inches that a part's share needs
_BETWEEN_LABELS = 0.09  # of the panel's height


@FIGURES.register("phases")
def phases(result: RunRecord) -> Figure | None:
    """Minting time by phase along the critical path: whole, as bars, and by round, a line a phase.

    A bar is a DAO's mean minting. With more DAOs than fit there are the quickest, the middle and the slowest minting,
    and the mean of all. The lower axis is logarithmic, so that a phase of milliseconds shows beside one of minutes.
    """
    if result.phases.empty:
        return None
    mintings = _by_phase(result.phases, "dao")
    bars, what = _bars(mintings)
    by_round = _by_phase(result.phases.dropna(subset=["round"]), "round") / len(mintings)
    left = 0.35 + 0.09 * max(len(str(name)) for name in bars.index)
    heights = (0.6 + 0.32 * len(bars), 2.6)
    rounds = len(by_round) > 1
    figure, [above, *below] = new_figure(
        height=(1.5 + heights[0]) + (1.3 + heights[1]) * rounds,
        heights=heights[: 1 + rounds],
        left=max(left, 0.95),
        right=1.15 if rounds else 0.2,
    )
    _stack(above, bars)
    mean_s = mintings.sum(axis=1).mean()
    title = f"Minting time by phase: {mean_s:,.1f} s" + (" on average" if len(mintings) > 1 else "")
    finish(above, title=title, x="simulated time (s)", y="", note=what)
    if rounds:
        _lines(below[0], by_round)
        over = f", mean over {counted(len(mintings), 'minting')}" if len(mintings) > 1 else ""
        note = f"{counted(len(by_round), 'round')}{over}; logarithmic"
        finish(below[0], title="Time of a round by phase", x="FL round", y="time (s)", note=note)
    means = mintings.mean()
    legend_below(
        figure,
        [
            Patch(
                **phase_look(phase),
                label=f"{phase} {_seconds(means[phase])} ({_share(means[phase] / mean_s)})",
            )
            for phase in map(str, mintings)
        ],
    )
    return figure


def _by_phase(table: pd.DataFrame, row: str) -> pd.DataFrame:
    """Seconds, one row a `row`, one column a phase in the order of an episode; phases that never happened left out."""
    sums = table.pivot_table(index=row, columns="phase", values="duration_s", aggfunc="sum", fill_value=0.0, sort=False)
    return sums[[phase for phase in Phase.of_minting() if phase in sums and sums[phase].any()]]


def _bars(mintings: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The bars to draw, one row each, and what they are."""
    daos = dao_of(mintings.index.to_series())
    names = natural(daos)
    counts = f"{counted(len(names), 'DAO')}, {counted(len(mintings), 'minting')}"
    if len(names) <= _SHOWN_BARS:
        bars = mintings.groupby(daos).mean().loc[names]
        return bars, counts + ("; a bar is a DAO's mean minting" if len(mintings) > len(names) else "")
    order = mintings.sum(axis=1).sort_values(kind="stable").index
    chosen = {"quickest": order[0], "middle": order[len(order) // 2], "slowest": order[-1]}
    rows = {f"{word}: {name}": mintings.loc[name] for word, name in chosen.items()}
    bars = pd.DataFrame({**rows, "mean of all": mintings.mean()}).T
    return bars, f"{counts}: three, and the mean of all"


def _stack(axes: Axes, whole: pd.DataFrame) -> None:
    totals = whole.sum(axis=1).to_numpy()
    left = np.zeros(len(whole))
    smallest = _NAMED_FROM * totals.max() / (axes.bbox.width / axes.figure.dpi)
    for phase in map(str, whole):
        widths = whole[phase].to_numpy()
        bars = axes.barh(whole.index.astype(str), widths, left=left, **phase_look(phase))
        labels = [
            f"{width / total:.0%}" if width >= smallest else "" for width, total in zip(widths, totals, strict=True)
        ]
        axes.bar_label(bars, labels, label_type="center", fontsize=12, color=readable_on(PHASE_COLOURS[phase]))
        left += widths
    axes.invert_yaxis()
    axes.margins(x=0, y=0.02)


def _lines(axes: Axes, by_round: pd.DataFrame) -> None:
    """A line a phase; where it took no time it has a gap. Named at the end, names moved apart where they would meet."""
    numbers = by_round.index.to_numpy(dtype=int)
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    for phase in map(str, by_round):
        axes.plot(
            numbers,
            by_round[phase].where(by_round[phase] > 0),
            color=PHASE_COLOURS[phase],
            linewidth=2.2,
            path_effects=[Stroke(linewidth=3.6, foreground=INK), Normal()],
            marker="o" if len(numbers) <= 10 else "",
        )
    axes.margins(x=0.02, y=0.08)
    whole_numbers(axes)
    low, high = by_round.where(by_round > 0).min().min() / 1.5, by_round.max().max() * 1.5
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(LogLocator(subs=(1,) if high / low > 500 else (1, 2, 5)))
    ends = by_round.where(by_round > 0).ffill().iloc[-1]
    heights = (np.log(ends) - np.log(low)) / (np.log(high) - np.log(low))
    for phase, height in zip(ends.index, _apart(heights.to_numpy()), strict=True):
        axes.text(1.01, height, phase, transform=axes.transAxes, fontsize=NOTE, va="center")


def _apart(heights: np.ndarray) -> np.ndarray:
    """The heights (0 to 1) moved up as little as keeps neighbours apart, and down together where they pass the top."""
    order = np.argsort(heights, kind="stable")
    steps = _BETWEEN_LABELS * np.arange(len(heights))
    moved = np.maximum.accumulate(heights[order] - steps) + steps
    moved -= np.maximum(0, np.maximum.accumulate((moved - 1 - steps + steps[-1])[::-1])[::-1])
    return moved[np.argsort(order, kind="stable")]


def _seconds(duration_s: float) -> str:
    if duration_s < 0.1:
        return f"{1000 * duration_s:.2g} ms"
    return f"{duration_s:,.0f} s" if duration_s >= 100 else f"{duration_s:.3g} s"


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "< 0.1%"
