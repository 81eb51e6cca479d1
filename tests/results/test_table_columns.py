"""A table has the columns of its row class, in every scenario and however far a run came; the page lists them."""

import pytest

from flnft_sim import FlnftModel, load_scenario
from flnft_sim.results.tables import COLUMNS, ROWS, columns_of
from flnft_sim.results.tables.reference import tables_markdown
from flnft_sim.scenario import scenario_names

QUICK = {
    "learning.learner": "surrogate",
    "learning.rounds": 2,
    "game.history_auctions": 6,
    "market.auctions": 1,
    "population.crowd_from": 100,
}


def assert_declared(result):
    for name, table in result.tables.items():
        declared = list(COLUMNS[name])
        if name in ("contributions", "privacy") and len(table):  # columns of the measures asked for, of the mechanism
            declared = [column for column in declared if column in table]
        assert list(table.columns) == declared, name


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_leaves_exactly_the_declared_columns(name):
    few = {"mega": {"population.users": 200}, "riders": {"learning.learner": "real"}}.get(name, {})
    model = FlnftModel(load_scenario(name, overrides=QUICK | few))
    model.run()
    assert_declared(model.result())


@pytest.mark.parametrize("seconds", [0.0, 25.0])
def test_a_run_that_was_interrupted_does_too(seconds):
    model = FlnftModel(load_scenario("tiny", overrides=QUICK | {"timeline.tick_s": 25.0}))
    while model.clock_s < seconds:
        model.step()
    result = model.result(status="interrupted")
    assert (len(result.rounds) == 0) == (seconds == 0.0) and not len(result.auctions)
    assert_declared(result)


def test_a_column_that_nobody_declared_is_seen():
    model = FlnftModel(load_scenario("tiny", overrides=QUICK))
    model.run()
    result = model.result()
    object.__setattr__(result, "bids", result.bids.assign(surprise=1))
    with pytest.raises(AssertionError, match="bids"):
        assert_declared(result)


def test_every_column_says_what_it_is():
    for table, row in ROWS.items():
        for column in columns_of(row):
            assert column.meaning, (table, column.name)
        ends = [column.name for column in columns_of(row) if column.name.endswith(("_s", "_money", "_m", "_bps"))]
        assert all(column.unit for column in columns_of(row) if column.name in ends)


def test_the_page_is_up_to_date(root):
    page = (root / "docs" / "tables.md").read_text(encoding="utf-8")
    assert page == tables_markdown(), "run: flnft tables --markdown > docs/tables.md"
