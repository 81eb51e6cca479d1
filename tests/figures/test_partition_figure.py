"""The picture of a partition shows the table's numbers."""

import numpy as np

from flnft_sim.figures.partition import draw_partition
from flnft_sim.learning import partition_table


def test_the_picture_stacks_the_table() -> None:
    table = partition_table([np.arange(4), np.arange(4, 6)], np.array([0, 0, 1, 2, 2, 2]), 3)
    axes = draw_partition(table).axes[0]
    tops = [max(bar.get_y() + bar.get_height() for bar in bars) for bars in zip(*axes.containers, strict=True)]
    assert tops == [4, 2]
    assert axes.get_xlabel() == "user"
