"""Plans: which points a sweep has, and what a wrong plan is told."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweep_toys import Toy

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.sweeps import DESIGNS, load_plan, run_sweep
from flnft_sim.sweeps.designs import Range
from flnft_sim.sweeps.plan import PlanError, Sample
from flnft_sim.sweeps.runs import Runs

lists = st.lists(st.integers(-5, 5), min_size=1, max_size=4, unique=True)


@given(a=lists, b=lists, c=lists, seeds=st.integers(1, 4))
def test_a_plan_is_the_product_of_its_blocks(a, b, c, seeds):
    plan = load_plan({"scenario": "toy", "grid": {"a": a, "b": b}, "zip": {"c": c, "d": c}, "seeds": seeds})
    expected = [{"a": x, "b": y, "c": z, "d": z} for x, y, z in itertools.product(a, b, c)]
    assert plan.points() == expected
    assert plan.seeds == tuple(range(seeds))
    assert plan.parameters == ("a", "b", "c", "d")


def test_runs_go_point_by_point_and_every_point_has_the_same_seeds():
    runs = list(Runs(load_plan({"scenario": "toy", "grid": {"x": [1, 2]}, "seeds": [7, 3]}), Toy()))
    assert [(run.point, run.seed) for run in runs] == [(0, 7), (0, 3), (1, 7), (1, 3)]
    assert len({run.identity for run in runs}) == 4


def test_the_same_scenario_written_twice_has_one_identity():
    one, other = (
        {"scenario": "toy", "zip": {"x": [1], "y": [3]}},
        {"scenario": "toy", "set": {"y": 3}, "grid": {"x": [1]}},
    )
    assert [run.identity for run in Runs(load_plan(one), Toy())] == [
        run.identity for run in Runs(load_plan(other), Toy())
    ]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"grid": {}}, "grid is empty"),
        ({"grid": {"x": []}}, "grid.x is empty"),
        ({"zip": {"x": [1, 2], "y": [1]}}, "zip needs lists of one length"),
        ({"grid": {"x": [1]}, "set": {"x": 2}}, "x is given twice"),
        ({"grid": {"seed": [1, 2]}}, "list seeds under `seeds:`"),
        ({"seeds": 0}, "at least one seed"),
        ({"seeds": [1, 1]}, "listed twice"),
        ({"seeds": [1, 1.0]}, "listed twice"),
        ({"metrics": ["z", "pair", "z"]}, "metrics lists 'z' twice"),
        ({"per_round": ["loss", "loss"]}, "per_round lists 'loss' twice"),
        ({"seeds": [True]}, "whole number, not true or false"),
        ({"seeds": True}, "whole number, not true or false"),
        ({"seeds": "4"}, "whole number, not text"),
        ({"seeds": [2**64]}, "less than or equal to 9007199254740991"),
        ({"seeds": [-1]}, "greater than or equal to 0"),
        ({"seeds": 10**12}, "at most 1,000,000"),
        ({"grid": {f"x{i}": list(range(399)) for i in range(5)}}, "points × 1 seeds are too many"),
        ({"grid": {f"x{i}": [1, 2] for i in range(20_000)}}, "more than 10^18 points"),
        ({"grid": {"x": [1, 2]}, "seeds": 600_000}, "too many"),
        ({"sample": {"method": "sobol", "n": 65536, "ranges": {"x": [0, 1]}}}, "too many"),
        ({"sample": {"method": "sobol", "n": True, "ranges": {"x": [0, 1]}}}, "not true or false"),
        ({"sample": {"method": "sobol", "n": 2, "ranges": {"x": [False, 1]}}}, "not true or false"),
        ({"sample": {"method": "sobol", "n": 2, "ranges": {"x": ["0", 1]}}}, "not text"),
        ({"grid": {"x": [1]}, "set": {"x": {"a": 2}}, "zip": {"x.a": [3]}}, "x.a is given twice"),
        ({"grid": {"x": [{"a": 1}]}, "set": {"x": {"a": 2}}}, "x.a is given twice"),
        ({"name": ".."}, "letters, digits, dots"),
        ({"gird": {"x": [1]}}, "did you mean 'grid'"),
        ({"grid": {"x": [1]}, "baseline": {"z": 1}}, "'z' is not varied"),
        ({"sample": {"method": "morri", "n": 4, "ranges": {"x": [0, 1]}}}, "did you mean 'morris'"),
        ({"sample": {"method": "morris", "n": 4, "ranges": {}}}, "sample.ranges"),
        ({"sample": {"method": "morris", "n": 4, "ranges": {"x": [1, 0]}}}, "low (1) must lie below high (0)"),
        ({"sample": {"method": "morris", "n": 4, "range": {"x": [0, 1]}}}, "did you mean 'ranges'"),
    ],
)
def test_a_wrong_plan_is_told_what_is_wrong(fields, sentence):
    with pytest.raises(PlanError) as caught:
        load_plan({"scenario": "toy", **fields})
    assert sentence in str(caught.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(PlanError) as caught:
        load_plan({"scenario": "toy", "gird": {}, "seeds": -1, "metrcs": []})
    assert len(str(caught.value).splitlines()) == 3


def test_an_unknown_scenario_field_names_the_point_and_stops_before_anything_is_written(tmp_path):
    with pytest.raises(PlanError, match=r"point 0 \(kimd=plain\): unknown field 'kimd', did you mean 'kind'"):
        run_sweep({"scenario": "toy", "grid": {"kimd": ["plain"]}}, out=tmp_path / "out", simulator=Toy())
    assert not (tmp_path / "out").exists()


def test_a_sample_of_a_sobol_design_needs_a_power_of_two():
    plan = load_plan({"scenario": "toy", "sample": {"method": "sobol", "n": 6, "ranges": {"x": [0, 1]}}})
    with pytest.raises(InputError, match="power of two, such as 4"):
        plan.points()


def test_plans_are_read_from_files_and_their_scenario_is_looked_up_beside_them(tmp_path):
    (tmp_path / "own.yaml").write_text("learning: {rounds: 1}")
    (tmp_path / "mine.yaml").write_text("scenario: own.yaml\ngrid: {game.sigma: [0.4, 0.5]}\nseeds: 2\n")
    plan = load_plan(tmp_path / "mine.yaml")
    assert (plan.name, plan.scenario) == ("mine", str(tmp_path / "own.yaml"))
    with pytest.raises(PlanError, match="does not exist"):
        load_plan(tmp_path / "yours.yaml")
    (tmp_path / "bad.yaml").write_text("grid: [1")
    with pytest.raises(PlanError, match="not YAML"):
        load_plan(tmp_path / "bad.yaml")
    (tmp_path / "twice.yaml").write_text("scenario: tiny\nset: {game.mu0: 1}\nset: {game.mu1: 2}\n")
    with pytest.raises(PlanError, match="'set' stands twice, on line 2 and on line 3"):
        load_plan(tmp_path / "twice.yaml")
    (tmp_path / "twice.yaml").write_text("scenario: tiny\ngrid:\n  game.mu0: [1]\n  game.mu0: [1e-3]\n")
    with pytest.raises(PlanError, match=r"'game.mu0' stands twice, on line 3 and on line 4"):
        load_plan(tmp_path / "twice.yaml")
    (tmp_path / "my plan.yaml").write_text("scenario: tiny\ngrid: {game.mu0: [1e-3, 1_0]}\n")
    plan = load_plan(tmp_path / "my plan.yaml")
    assert (plan.name, plan.grid) == ("my-plan", {"game.mu0": [0.001, 10]})
    with pytest.raises(UnknownNameError, match="unknown sweep"):
        load_plan("no-such-sweep")


@pytest.mark.parametrize("method", ["latin-hypercube", "sobol-sequence", "sobol", "morris"])
def test_designs_fill_the_unit_cube_and_depend_on_nothing_but_their_seed(method):
    design = DESIGNS.get(method)
    points = design(3, 8, 5)
    assert points.shape[1] == 3 and points.min() >= 0 and points.max() <= 1
    np.random.default_rng().normal()
    assert np.array_equal(points, design(3, 8, 5))
    assert not np.array_equal(points, design(3, 8, 6))


def test_designs_have_the_sizes_of_their_publications():
    sizes = {name: len(DESIGNS.get(name)(3, 8, 0)) for name in DESIGNS}
    assert sizes == {"latin-hypercube": 8, "sobol-sequence": 8, "sobol": 8 * (3 + 2), "morris": 8 * (3 + 1)}


def test_a_latin_hypercube_has_one_point_in_every_slice():
    points = DESIGNS.get("latin-hypercube")(4, 50, 1)
    assert all(sorted(np.floor(points[:, i] * 50)) == list(range(50)) for i in range(4))


@given(low=st.floats(0.001, 10), width=st.floats(0.01, 10), unit=st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_ranges_are_respected_in_every_scale(low, width, unit):
    for scale in ("linear", "log"):
        values = Range(low=low, high=low + width, scale=scale).spread(np.array(unit))
        assert all(low * (1 - 1e-9) <= value <= (low + width) * (1 + 1e-9) for value in values)
        assert [a < b for a in values for b in values].count(True) <= [a < b for a in unit for b in unit].count(True)


def test_integers_of_a_range_come_up_equally_often():
    values = Range(low=2, high=5, integer=True).spread(np.linspace(0, 1, 4000, endpoint=False))
    assert [values.count(k) for k in (2, 3, 4, 5)] == [1000] * 4
    assert Range(low=2, high=5, integer=True).spread(np.array([1.0])) == [5]


def test_the_middle_of_a_log_range_is_the_geometric_mean():
    assert Range(low=1, high=100, scale="log").spread(np.array([0.5]))[0] == pytest.approx(10)
    assert math.isclose(Sample(method="morris", n=1, ranges={"x": [0, 3]}).ranges["x"].high, 3)


def test_numpys_numbers_are_pythons_in_a_plan():
    plan = load_plan(
        {
            "scenario": "toy",
            "grid": {"x": np.linspace(1, 2, 3)},
            "zip": {"y": [np.int64(3)]},
            "baseline": {"x": np.float64(1)},
        }
    )
    assert plan.points() == [{"x": 1.0, "y": 3}, {"x": 1.5, "y": 3}, {"x": 2.0, "y": 3}]
    assert json.dumps([plan.points(), plan.baseline])
    assert Runs(plan, Toy()).references == {0}


def test_sections_of_a_plan_merge_with_one_another():
    plan = load_plan({"scenario": "tiny", "set": {"game": {"mu0": 3}}, "grid": {"game": [{"sigma": 0.4}, {"mu1": 5}]}})
    assert [plan.overrides(point) for point in plan.points()] == [
        {"game.mu0": 3, "game.sigma": 0.4},
        {"game.mu0": 3, "game.mu1": 5},
    ]
