"""Summaries, paired differences and sensitivity, held against closed forms and SciPy."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sweep_toys import Output, Toy

from flnft_sim.errors import InputError
from flnft_sim.statistics import intervals, statistics
from flnft_sim.sweeps import DESIGNS, FlnftSimulator, load_plan, sweep
from flnft_sim.sweeps.plan import Sample
from flnft_sim.sweeps.runs import Runs
from flnft_sim.sweeps.sensitivity import analyse


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_the_interval_is_students(values):
    n, mean, sd, low, high = statistics(values)
    assert (n, mean) == (len(values), pytest.approx(np.mean(values), abs=1e-6))
    assert sd == pytest.approx(np.std(values, ddof=1), abs=1e-6)
    if sd > 1e-6:
        expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-6)


def test_one_value_has_a_mean_and_no_interval():
    assert statistics([3.0])[:2] == (1, 3.0) and np.isnan(statistics([3.0])[2:]).all()
    assert statistics([])[0] == 0


def test_intervals_are_the_statistics_of_each_group_without_what_is_missing():
    frame = pd.DataFrame(
        {"kind": ["b", "b", None, "a", "b"], "x": [1.0, 2.0, 7.0, np.nan, np.nan], "y": [True, False, True, True, True]}
    )
    table = intervals(frame, ["kind"], ["x", "y"])
    assert list(table.columns) == ["kind", "metric", "n", "mean", "ci95_low", "ci95_high"]
    assert table["kind"].fillna("none").tolist() == ["b", "b", "none", "none", "a", "a"]
    assert table["n"].tolist() == [2, 3, 1, 1, 0, 1]
    for row, values in zip(table.itertuples(index=False), ([1, 2], [1, 0, 1], [7], [1], [], [1]), strict=True):
        n, mean, _, low, high = statistics(values)
        assert np.array_equal(row[2:], (n, mean, low, high), equal_nan=True)


def test_the_summary_has_a_row_per_point_and_metric(tmp_path):
    plan = {"scenario": "toy", "grid": {"x": [1, 3], "kind": ["plain", "broken"]}, "seeds": 4}
    runs = sweep(plan, out=tmp_path, serial=True, simulator=Toy())
    summary = pd.read_csv(tmp_path / "summary.csv")
    assert len(summary) == 2 * 2 * 2
    row = summary[(summary.x == 3) & (summary.kind == "plain") & (summary.metric == "pair")].iloc[0]
    values = runs[(runs.x == 3) & (runs.kind == "plain")].pair
    assert (row.n, row.failed, row["mean"]) == (4, 0, pytest.approx(values.mean()))
    broken = summary[summary.kind == "broken"]
    assert set(broken.failed) == {4} and set(broken.n) == {0} and broken["mean"].isna().all()


def test_differences_are_paired_by_seed(tmp_path):
    plan = {"scenario": "toy", "grid": {"x": [1, 3], "y": [0, 5]}, "seeds": 6, "baseline": {"x": 1}}
    runs = sweep(plan, out=tmp_path, serial=True, simulator=Toy()).set_index(["x", "y", "seed"])
    differences = pd.read_csv(tmp_path / "differences.csv").set_index(["x", "y", "metric"])
    assert len(differences) == 2 * 2  # the two points with x = 3, two metrics each
    for y in (0, 5):
        row = differences.loc[(3, y, "pair")]
        paired = stats.ttest_rel(runs.loc[(3, y)].pair, runs.loc[(1, y)].pair).confidence_interval(0.95)
        assert (row.ci95_low, row.ci95_high) == pytest.approx((paired.low, paired.high))
        assert differences.loc[(3, y, "z")].sd == pytest.approx(0, abs=1e-12)  # the seed's noise cancels


def test_a_baseline_value_that_no_point_has_is_refused(tmp_path):
    plan = {"scenario": "toy", "grid": {"x": [1, 3]}, "baseline": {"x": 2}}
    with pytest.raises(InputError, match=r"baseline x=2: no point of the plan has it; .* \(x is 1, 3\)"):
        sweep(plan, out=tmp_path / "out", serial=True, simulator=Toy())
    assert not (tmp_path / "out").exists()  # told before the first run


def test_a_baseline_is_compared_by_what_it_resolves_to():
    grid = {"game.budget_money": [500, 1000, 2000.0], "game.sigma": [0.4, 0.5]}
    for written in (1000, 1000.0, 1e3):
        plan = load_plan({"scenario": "tiny", "grid": grid, "baseline": {"game.budget_money": written}})
        assert Runs(plan, FlnftSimulator()).references == {2, 3}
    plan = load_plan({"scenario": "tiny", "grid": grid, "baseline": {"game.budget_money": "many"}})
    with pytest.raises(InputError, match="no point of the plan has it"):
        Runs(plan, FlnftSimulator())


@pytest.mark.parametrize("twins", [[0.5, 5e-1], [1, 1.0], [None, "none"]])
def test_values_that_resolve_alike_are_one_point(twins):
    field = "game.valuation_money" if None in twins else "radio.pause_s"
    with pytest.raises(InputError, match="are one scenario; list it once"):
        Runs(load_plan({"scenario": "tiny", "grid": {field: twins}}), FlnftSimulator())


def test_sobol_indices_of_the_ishigami_function():
    """Ishigami & Homma (1990): with a = 7, b = 0.1, S1 = (0.3139, 0.4424, 0), ST = (0.5576, 0.4424, 0.2437)."""
    sample = Sample(method="sobol", n=4096, ranges=dict.fromkeys("abc", (-np.pi, np.pi)))
    x = (DESIGNS.get("sobol")(3, 4096, 0) - 0.5) * 2 * np.pi
    outputs = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    first, _, total, _ = analyse(sample, outputs)
    assert first == pytest.approx([0.3139, 0.4424, 0], abs=0.02)
    assert total == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.02)


@dataclass(frozen=True)
class Linear(Toy):
    """An output that is linear in x, and does not know y."""

    def run(self, resolved):
        return Output({"out": 3.0 * resolved["x"], "flat": 1.0}, pd.DataFrame())


def test_elementary_effects_of_a_linear_function_are_slope_times_range(tmp_path):
    sample = {"method": "morris", "n": 6, "ranges": {"x": [10, 12], "y": [0, 1]}}
    sweep(
        {"scenario": "toy", "sample": sample, "grid": {"kind": ["a", "b"]}, "seeds": 2},
        out=tmp_path,
        serial=True,
        simulator=Linear(),
    )
    table = pd.read_csv(tmp_path / "sensitivity.csv").set_index(["kind", "metric", "parameter"]).sort_index()
    for kind in ("a", "b"):
        assert table.loc[(kind, "out", "x")].mu_star == pytest.approx(6)
        assert table.loc[(kind, "out", "y")].mu_star == pytest.approx(0)
        assert table.loc[(kind, "flat")].mu_star.isna().all()  # a constant has no indices


def test_sensitivity_is_the_same_in_every_session(tmp_path):
    plan = {"scenario": "toy", "sample": {"method": "sobol", "n": 8, "ranges": {"x": [0, 1], "y": [0, 1]}}}
    tables = []
    for folder in ("a", "b"):
        np.random.default_rng().normal()
        sweep(plan, out=tmp_path / folder, serial=True, simulator=Toy())
        tables.append((tmp_path / folder / "sensitivity.csv").read_bytes())
    assert tables[0] == tables[1]
