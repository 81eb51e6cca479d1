"""Time to inclusion in a block against the load of a chain."""

import pandas as pd
from matplotlib.figure import Figure

from flnft_sim.figures.palette import series_colour
from flnft_sim.figures.style import finish, new_figure


def draw_inclusion(curve: pd.DataFrame, theory: pd.DataFrame, *, block_interval_s: float) -> Figure:
    """Measured means with 95 % confidence intervals by fee, and the closed form for the fee that all others pay.

    curve: columns load, fee ("less", "same", "more" than others), wait_s, wait_ci95_s. theory: load, wait_s.
    """
    figure, (axes,) = new_figure(width=8.0)
    markers = {"less": "v", "same": "o", "more": "^"}
    for place, (fee, points) in enumerate(curve.groupby("fee", sort=False)):
        axes.errorbar(
            points["load"],
            points["wait_s"],
            yerr=points["wait_ci95_s"],
            fmt=markers[str(fee)],
            capsize=3,
            color=series_colour(place),
            label=f"pays {fee} than the others" if fee != "same" else "pays what the others pay",
        )
    axes.plot(theory["load"], theory["wait_s"], color="black", label="closed form (bulk service)")
    axes.axhline(block_interval_s, color="grey", linestyle=":", label="mean block interval")
    axes.set_yscale("log")
    finish(
        axes,
        title="Waiting for a block grows as blocks fill up",
        x="load: gas asked for / gas of all blocks",
        y="mean time to inclusion (s)",
        legend=True,
    )
    return figure
