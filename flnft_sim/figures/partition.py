"""What a partition gives each user."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from flnft_sim.figures.style import finish, legend_below, new_figure


def draw_partition(table: pd.DataFrame) -> Figure:
    """One bar a user, stacked by class; `table` is that of `flnft_sim.learning.partition_table`."""
    figure, [axes] = new_figure(width=8.0)
    classes = [column for column in table.columns if column.startswith("class_")]
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 1, len(classes)))
    bottom = np.zeros(len(table))
    for column, colour in zip(classes, colours, strict=True):
        axes.bar(table.index, table[column], bottom=bottom, color=colour)
        bottom += table[column].to_numpy()
    axes.set_ylim(0, 1.05 * bottom.max())
    finish(axes, title="What each user holds", x="user", y="training samples")
    names = [column.removeprefix("class_") for column in classes]
    legend_below(
        figure, [Patch(color=colour, label=name) for colour, name in zip(colours, names, strict=True)], title="class"
    )
    return figure
