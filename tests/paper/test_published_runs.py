"""The runs under docs/results/paper/runs are the ones that today's plans ask for: none of them would run again."""

import gzip
import json
from pathlib import Path

import pytest

from flnft_sim.machine import code_version
from flnft_sim.paper import FULL, PARTS
from flnft_sim.sweeps import SweepOptions, run_sweep
from flnft_sim.sweeps.identity import ADDED, RENAMED, as_of_then, identity
from flnft_sim.sweeps.job import execute
from flnft_sim.sweeps.journal import Journal
from flnft_sim.sweeps.runs import Runs
from flnft_sim.sweeps.simulator import FlnftSimulator
from flnft_sim.sweeps.tables import read_csv

PUBLISHED = Path(__file__).parents[2] / "docs/results/paper/runs"
PLANS = {plan.name: plan for part in PARTS.values() for plan in part.studies(FULL)}


@pytest.mark.parametrize("study", PLANS)
def test_every_published_run_is_found_by_todays_plan(study, tmp_path):
    """If this fails, a scenario's meaning has changed: see flnft_sim/sweeps/identity.py, and scenarios/paper10.yaml.

    What runs on `market` costs minutes; where its meaning is changed on purpose, run that study and publish it anew.
    """
    path = tmp_path / "journal.jsonl"
    path.write_bytes(gzip.decompress((PUBLISHED / study / "journal.jsonl.gz").read_bytes()))
    plan = PLANS[study]
    runs = Runs(plan.sweep, plan.simulator)
    with Journal(path, version=code_version(), accept_version=True) as journal:
        found = [journal.find(run.identity) for run in runs]
        for run, entry in zip(runs, found, strict=True):
            assert entry is not None and entry.ok, (study, run.parameters, run.seed)
            assert entry.series.issuperset(plan.sweep.per_round)
            record = journal.read(entry)  # and it is that run
            assert (record["parameters"], record["seed"]) == (run.parameters, run.seed)
    assert len(found) == plan.sweep.runs >= (80 if study == "schemes" else 1)


#: What the published page tells of a run; what else a summary holds may be measured in new ways.
TOLD = (
    "accuracy", "loss", "minting_time_s", "minting_decision_s", "minting_upload_s", "minting_consensus_s", "aoi_mean_s",
    "local_epochs", "privacy_budget", "user_utility", "cost_round_money", "reward_announced_money", "price_money",
    "licences_total", "paid_total_money",
)  # fmt: skip


@pytest.mark.parametrize("study", ["schemes-surrogate", pytest.param("table3", marks=pytest.mark.slow)])
def test_todays_code_repeats_a_published_run(study):
    """A run without training, of users who play: what comes of decisions, radio, consensus, prices and utilities.

    Equal on the machine that made it; others round logarithms differently.
    """
    plan = PLANS[study]
    runs = Runs(plan.sweep, plan.simulator)
    run = next(run for run in runs if run.parameters["learning.scheme"] == "pms-am" and run.seed == 0)
    with gzip.open(PUBLISHED / study / "journal.jsonl.gz", "rt", encoding="utf-8") as lines:
        records = [record for record in map(json.loads, lines) if record.get("parameters") == run.parameters]
    then = plan.simulator.as_of_now(next(record["summary"] for record in records if record["seed"] == 0))
    now = execute(runs.job(run, code_version=code_version()))["summary"]
    assert {name: now[name] for name in TOLD} == pytest.approx({name: then[name] for name in TOLD}, rel=1e-6)


def test_figures_that_published_journals_name_otherwise_are_read_by_todays_names(tmp_path):
    (tmp_path / "journal.jsonl").write_bytes(gzip.decompress((PUBLISHED / "schemes" / "journal.jsonl.gz").read_bytes()))
    plan = PLANS["schemes"]
    options = SweepOptions(new_runs=False, accept_version=True)
    run_sweep(plan.sweep, options, out=tmp_path, simulator=plan.simulator)
    table = read_csv(tmp_path / "runs.csv")
    with gzip.open(PUBLISHED / "schemes" / "journal.jsonl.gz", "rt", encoding="utf-8") as lines:
        written = [record["summary"]["cost_money"] for record in map(json.loads, lines) if "summary" in record]
    assert sorted(table["cost_round_money"]) == sorted(written) and "cost_money" not in table
    assert (PUBLISHED / "schemes" / "runs.csv").read_text() == (tmp_path / "runs.csv").read_text()


def test_a_field_that_came_later_is_left_out_only_with_the_value_of_then():
    added = {"game.reply": "plain", "hops.first.seconds": False}
    then = {"game": {"sigma": 0.5}, "name": "a", "seed": 3}
    now = {"game": {"sigma": 0.5, "reply": "plain"}, "hops": {"first": {"seconds": False}}, "name": "a", "seed": 3}
    assert as_of_then(now, added=added, renamed={}) == then
    assert as_of_then(then, added=added, renamed={}) == then
    other = now | {"game": {"sigma": 0.5, "reply": "sly"}}
    assert as_of_then(other, added=added, renamed={})["game"] == other["game"]
    slower = now | {"hops": {"first": {"seconds": False}, "n": 1}}
    assert as_of_then(slower, added=added, renamed={})["hops"] == {"n": 1}
    assert now["game"]["reply"] == "plain"  # nothing was changed in place


def test_a_renamed_scenario_is_the_one_of_then_and_no_other():
    resolved = FlnftSimulator().resolve("paper10", {})
    assert identity(resolved) == identity({**resolved, **RENAMED["paper10"]})
    assert identity(resolved) != identity({**resolved, "name": "paper11"})
    assert identity(resolved) != identity({**resolved, "seed": 1})


@pytest.mark.parametrize("dotted", ADDED)
def test_what_came_later_is_a_field_with_that_value_allowed(dotted):
    resolved = FlnftSimulator().resolve("paper10", {dotted: ADDED[dotted]})
    for part in dotted.split("."):
        resolved = resolved[part]
    assert resolved == ADDED[dotted]
