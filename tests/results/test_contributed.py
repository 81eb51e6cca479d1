"""What was contributed and paid, summed up by user, in the summary and in its figure."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from flnft_sim.figures import FIGURES
from flnft_sim.results import RunResult
from flnft_sim.results.contribution import contributed, crowd_of, measures_in
from flnft_sim.results.page import summary_text

CONDUCT = ["honest", "honest", "free-rider", "free-rider", "poisoner"]
SHAPLEY = [[0.3, 0.2, 0.01, -0.01, -0.2], [0.3, 0.2, 0.0, 0.0, -0.2]]  # by round
PAID = [40.0, 40.0, 10.0, 5.0, 5.0]


def run_of(**columns):
    """Two rounds of five users, all paid after the second."""
    rows = [
        {
            "dao": "dao-0",
            "episode": 0,
            "round": number + 1,
            "user": f"user-{user}",
            "conduct": CONDUCT[user],
            "arrived": True,
            "volume": 100.0,
            "shapley": SHAPLEY[number][user],
            "shapley_error": 0.02,
            "pay_share": 0.2,
            "paid_money": PAID[user] * number,
        }
        for number in range(2)
        for user in range(5)
    ]
    return RunResult(contributions=pd.DataFrame(rows).assign(**columns), manifest={"name": "made-up"})


def test_values_add_up_over_rounds_and_shares_are_of_what_is_above_nothing():
    told = contributed(run_of())
    assert list(told.measured) == ["volume", "shapley"] and told.yardstick == "shapley"
    np.testing.assert_allclose(told.measured["shapley"], [0.6, 0.4, 0.01, -0.01, -0.4] / np.float64(1.01))
    np.testing.assert_allclose(told.measured["volume"], 0.2)
    np.testing.assert_allclose(told.paid, np.array(PAID) / 100)


def test_mintings_and_daos_add_up_and_names_are_told_apart_by_dao():
    table = run_of().contributions
    again = RunResult(contributions=pd.concat([table, table.assign(episode=1), table.assign(dao="dao-1")]))
    told = contributed(again)
    assert len(told.paid) == 10
    np.testing.assert_allclose(told.paid, np.repeat([2 / 3, 1 / 3], 5) * np.tile(PAID, 2) / 100)


def test_where_nothing_was_sold_it_is_told_what_a_sale_would_have_paid():
    run = run_of(paid_money=0.0)
    told = contributed(run)
    assert not told.was_paid
    np.testing.assert_allclose(told.paid, 0.2)
    assert "2 free riders would have had 40.0% of what a sale earns" in summary_text(run)


def test_the_summary_says_what_adversaries_received_for_what():
    text = " ".join(summary_text(run_of()).split())
    assert "2 free riders received 15.0% of the money for 0.0% of the measured contribution (shapley)" in text
    assert "1 poisoner received 5.0% of the money for −39.6% of the measured contribution (shapley)" in text
    assert "did harm 2 of 5 users, by shapley" in text
    assert "of shapley at most 0.02, the largest value 0.3" in text


@pytest.mark.parametrize(
    "table", [pd.DataFrame(), run_of().contributions.drop(columns=["volume", "shapley", "shapley_error"])]
)
def test_without_a_measure_nothing_is_told_nor_drawn(table):
    run = RunResult(contributions=table)
    assert contributed(run) is None or not measures_in(table)
    assert FIGURES.get("contributions")(run) is None
    assert "Contribution" not in summary_text(run)


def test_where_nobody_did_any_good_shares_are_of_the_harm():
    told = contributed(run_of(shapley=np.tile([-1.0, -3.0, 0.0, 0.0, 0.0], 2)))
    np.testing.assert_allclose(told.measured["shapley"], [-0.25, -0.75, 0, 0, 0])


def test_an_error_is_no_measure_and_a_measure_of_ones_own_is_one():
    table = run_of(trial_error=1.0, mine=2.0).contributions
    assert measures_in(table) == ["volume", "shapley", "trial_error", "mine"]


@pytest.mark.parametrize(
    ("conduct", "count", "words"), [("lazy", 2, "2 lazy users"), ("label-flipper", 1, "1 label flipper")]
)
def test_crowds_have_names(conduct, count, words):
    assert crowd_of(conduct, count) == words


def test_the_figure_shows_the_tables_numbers_and_each_conduct_by_a_shape_of_its_own():
    run = run_of()
    told, figure = contributed(run), FIGURES.get("contributions")(run)
    FigureCanvasAgg(figure).draw()
    panel = figure.axes[1]
    points = {tuple(np.round(point, 6)) for marks in panel.collections for point in marks.get_offsets()}
    assert points == {tuple(np.round(point, 6)) for point in zip(told.measured["shapley"], told.paid, strict=True)}
    shapes = [marks.get_paths()[0].vertices.tobytes() for marks in panel.collections]
    assert len(set(shapes)) == len(shapes) == 3
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["2 honest users", "2 free riders", "1 poisoner"]


def test_harm_beyond_what_anybody_contributed_stands_at_the_edge_and_is_said_to():
    harmful = run_of(shapley=np.tile([1.0, 1.0, 0.1, 0.1, -50.0], 2))
    figure = FIGURES.get("contributions")(harmful)
    assert "stands at the left edge" in " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert min(float(marks.get_offsets()[:, 0].min()) for marks in figure.axes[1].collections) > -0.5
