"""The curve of waiting against load."""

import pandas as pd

from flnft_sim.figures.inclusion import draw_inclusion


def test_draws_a_series_a_fee_the_theory_and_the_block_interval():
    curve = pd.DataFrame(
        [(load, fee, 13.0 + load, 1.0) for load in (0.1, 0.9) for fee in ("less", "same", "more")],
        columns=["load", "fee", "wait_s", "wait_ci95_s"],
    )
    theory = pd.DataFrame({"load": [0.1, 0.9], "wait_s": [13.0, 70.0]})
    (axes,) = draw_inclusion(curve, theory, block_interval_s=13.0).axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert sum("pays" in label for label in labels) == 3
    assert any("closed form" in label for label in labels)
    assert "(s)" in axes.get_ylabel()
    measured = [bars.lines[0].get_ydata().tolist() for bars in axes.containers]
    assert measured == [[13.1, 13.9]] * 3
