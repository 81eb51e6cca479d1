"""Today's code repeats the first rounds of published runs of Fig. 5 and 6 to the last digit: some minutes, slow."""

import gzip
import json
from pathlib import Path

import pytest

from flnft_sim import FlnftModel
from flnft_sim.learning.engines.cpu.host import vector_width
from flnft_sim.machine import one_thread
from flnft_sim.paper import FULL
from flnft_sim.paper.schemes import schemes_study
from flnft_sim.scenario import Scenario
from flnft_sim.sweeps.runs import Runs

JOURNAL = Path(__file__).parents[2] / "docs/results/paper/runs/schemes/journal.jsonl.gz"
PUBLISHED_ON = 16  # floats a vector of the machine that made the runs; sums round differently with another width


def published(parameters, seed):
    """The record of the run at these parameters."""
    with gzip.open(JOURNAL, "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            if record.get("parameters") == parameters and record["seed"] == seed:
                return record
    raise AssertionError(f"no published run with {parameters}, seed {seed}")


def planned(parameters, seed):
    """The resolved scenario of today's plan at these parameters."""
    plan = schemes_study(FULL)
    runs = Runs(plan.sweep, plan.simulator)
    run = next(run for run in runs if (run.parameters, run.seed) == (parameters, seed))
    return runs.job(run, code_version="").resolved


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.usefixtures("data_dir")
@pytest.mark.timeout(900)
@pytest.mark.skipif(vector_width() != PUBLISHED_ON, reason="the published runs are from a machine with AVX-512")
@pytest.mark.parametrize(("scheme", "model", "rounds"), [("pms-am", "mlp", 4), ("loss", "cnn", 3)])
def test_the_first_rounds_are_the_published_ones(scheme, model, rounds):
    parameters = {"learning.scheme": scheme, "learning.dataset": "mnist", "learning.model": model}
    series = published(parameters, seed=0)["series"]
    told = []
    with one_thread("torch", "numba"):
        market = FlnftModel(Scenario.model_validate(planned(parameters, seed=0)), on_round=told.append)
        while len(told) < rounds:  # all hundred are planned for, and prices depend on that: it only stops early
            market.env.step()
    for name in ("accuracy", "loss"):
        assert [row[name] for row in told] == series[name][:rounds]
