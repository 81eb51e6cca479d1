"""Efficiency and DAO revenue by clearing rule and market size."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from flnft_sim.figures.palette import series_colour
from flnft_sim.figures.style import finish, legend_below
from flnft_sim.market.audit import SizeRow

_MARKERS = "osD^vPX*"


def draw_rules_by_size(rows: Sequence[SizeRow]) -> Figure:
    """A column of panels per number of DAOs: welfare above, money to the DAOs below, a line per rule."""
    rules, daos = list(dict.fromkeys(r.rule for r in rows)), list(dict.fromkeys(r.daos for r in rows))
    figure = Figure(figsize=(4.2 * len(daos), 7.5), layout="constrained")
    grid = figure.subplots(2, len(daos), sharex=True, sharey="row", squeeze=False)
    for column, sellers in enumerate(daos):
        welfare, revenue = grid[:, column]
        for number, rule in enumerate(rules):
            points = [r for r in rows if r.rule == rule and r.daos == sellers]
            size = max(11 - 1.2 * number, 3)  # of rules on the same line each marker shows inside the one before
            look = {
                "color": series_colour(number),
                "marker": _MARKERS[number % len(_MARKERS)],
                "markersize": size,
                "label": rule,
            }
            welfare.plot([r.bidders for r in points], [r.efficiency for r in points], **look)
            revenue.plot([r.bidders for r in points], [r.revenue for r in points], **look)
        for axes, y in ((welfare, "welfare / first best"), (revenue, "money to DAOs / first best")):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
            axes.set_ylim(bottom=0)
            finish(axes, title=f"{sellers} DAO{'s' if sellers > 1 else ''}", x="providers", y=y if column == 0 else "")
    figure.suptitle("What each rule makes of truthful reports", fontsize=14)
    legend_below(figure, grid[0, 0].get_lines())
    return figure
