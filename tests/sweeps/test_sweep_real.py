"""Sweeps of real scenarios, the shipped sweeps, and Mesa's own batch runner."""

import re

import mesa
import numpy as np
import pandas as pd
import pytest

from flnft_sim.errors import InputError
from flnft_sim.scenario import load_scenario
from flnft_sim.simulation import FlnftModel
from flnft_sim.sweeps import FlnftSimulator, SweepOptions, load_plan, run_sweep, sweep, sweep_names
from flnft_sim.sweeps.plan import PlanError

PLAN = {"scenario": "tiny", "grid": {"game.sigma": [0.45, 0.5], "learning.learner": ["surrogate", "real"]}, "seeds": 2}


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """A finished serial sweep of the scenario `tiny`."""
    folder = tmp_path_factory.mktemp("serial")
    run_sweep(PLAN | {"per_round": ["accuracy"]}, SweepOptions(serial=True), out=folder)
    return folder


def test_worker_processes_give_the_bytes_of_a_serial_sweep(tmp_path, serial):
    run_sweep(PLAN | {"per_round": ["accuracy"]}, SweepOptions(workers=2), out=tmp_path)
    for table in ("runs.csv", "summary.csv", "rounds.csv"):
        assert (tmp_path / table).read_bytes() == (serial / table).read_bytes()


def test_a_rows_metrics_are_the_runs_summary(serial):
    from flnft_sim.scenario import load_scenario
    from flnft_sim.simulation import run

    table = pd.read_csv(serial / "runs.csv")
    assert set(table.status) == {"ok"}
    row = table[(table["game.sigma"] == 0.45) & (table["learning.learner"] == "surrogate") & (table.seed == 1)].iloc[0]
    fields = {"game.sigma": 0.45, "learning.learner": "surrogate"}
    summary = run(load_scenario("tiny", overrides=fields, seed=1)).summary
    assert {name: row[name] for name in ("accuracy", "user_utility", "minting_time_s")} == {
        name: summary[name] for name in ("accuracy", "user_utility", "minting_time_s")
    }


def test_a_misspelt_field_is_told_the_right_one(tmp_path):
    with pytest.raises(PlanError, match=re.escape("unknown field 'game.sigm', did you mean 'sigma'")):
        sweep({"scenario": "tiny", "grid": {"game.sigm": [0.5]}}, out=tmp_path / "out", serial=True)
    with pytest.raises(PlanError, match=r"point 1 \(game\.sigma=1\.5\).*below 1"):
        sweep({"scenario": "tiny", "grid": {"game.sigma": [0.5, 1.5]}}, out=tmp_path / "out", serial=True)


SHIPPED = [
    "block-time",
    "budget-elasticity",
    "mechanisms-by-users",
    pytest.param("price-of-privacy", marks=pytest.mark.slow),  # the accountant takes a second for each user's ε
    "riders-by-measure",
    "rules-by-market-size",
    "rules-on-totals",
    "schemes-by-users",
]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_sweep_resolves_at_every_point_and_its_metrics_exist(name):
    assert name in sweep_names()
    plan, simulator = load_plan(name), FlnftSimulator()
    points = plan.points()
    for point in points:
        simulator.resolve(plan.scenario, plan.set | point)
    small = {"learning.rounds": 1, "market.auctions": 1, "game.history_auctions": 8}
    rule = {} if name in ("rules-on-totals", "mechanisms-by-users") else {"market.rule": "pms-am"}
    output = simulator.run(simulator.resolve(plan.scenario, plan.set | points[-1] | small | rule))
    assert set(plan.metrics) <= set(output.summary)
    assert set(plan.per_round) <= set(output.rounds.columns)


def test_mesas_batch_run_gives_what_the_sweep_gives(serial):
    rows = mesa.batch_run(
        FlnftModel,
        {"scenario": "tiny", "game__sigma": [0.45, 0.5], "learning__learner": "surrogate"},
        rng=[0, 1],
        max_steps=100_000,
        display_progress=False,
    )
    table = pd.read_csv(serial / "runs.csv")
    ours = table[table["learning.learner"] == "surrogate"].set_index(["game.sigma", "seed"])
    assert len({row["RunId"] for row in rows}) == 4
    for row in rows:
        assert row["accuracy"] == ours.loc[(row["game__sigma"], row["iteration"])].accuracy


def test_mesas_batch_run_takes_a_scenario_and_gives_every_iteration_a_seed_of_its_own():
    small = {"learning.rounds": 1, "market.auctions": 1, "game.history_auctions": 8, "learning.learner": "surrogate"}
    scenario = load_scenario("tiny", overrides=small)
    options = {"max_steps": 100_000, "display_progress": False}
    with pytest.warns(DeprecationWarning, match="iterations"):  # Mesa's own word on it
        ends = ends_of(mesa.batch_run(FlnftModel, {"scenario": scenario}, iterations=3, **options))
    seeds = list(ends)
    assert len(seeds) == 3 and len(set(ends.values())) == 3
    assert ends_of(mesa.batch_run(FlnftModel, {"scenario": [scenario]}, rng=seeds, **options)) == ends
    by_field = ends_of(mesa.batch_run(FlnftModel, {"scenario": scenario, "seed": seeds[:2]}, **options))
    assert by_field == {seed: ends[seed] for seed in seeds[:2]}


def ends_of(rows):
    """When each run was over, by its seed; a batch run has a row an agent."""
    return {row["seed"]: row["clock_s"] for row in rows}


def test_the_datacollector_reports_every_agent():
    model = FlnftModel(load_scenario("tiny", overrides={"learning.learner": "surrogate"}))
    model.run()
    agents = model.datacollector.get_agent_vars_dataframe()
    assert set(agents["role"]) >= {"user", "provider", "dao"} and set(agents["activity"]) == {"idle"}
    accounts = model.result().accounts.set_index("name")["balance_money"]
    told = agents.set_index("name")["balance_money"]
    assert told[accounts.index].equals(accounts) and told.sum() == pytest.approx(accounts.sum())


def test_a_model_of_very_many_agents_reports_none(monkeypatch):
    monkeypatch.setattr("flnft_sim.simulation.story.MOST_REPORTED", 5)
    model = FlnftModel(load_scenario("tiny", overrides={"learning.learner": "surrogate"}))
    model.step()
    assert model.datacollector.agent_reporters == {} and len(model.datacollector.get_model_vars_dataframe()) == 1


def test_a_model_without_rng_has_the_scenarios_seed_and_takes_mesas_kinds_of_seed():
    scenario = load_scenario("tiny", overrides={"game.history_auctions": 0, "seed": 5})
    assert FlnftModel(scenario).settings.seed == 5
    assert FlnftModel(scenario, rng=np.int64(7)).settings.seed == 7
    mixed = [FlnftModel(scenario, rng=seed).settings.seed for seed in ([1, 2], np.random.SeedSequence([1, 2]))]
    assert mixed[0] == mixed[1] < 2**53
    for wrong in (np.random.default_rng(1), True, "3", -1, 1.5):
        with pytest.raises(InputError):
            FlnftModel(scenario, rng=wrong)
