"""Beyond the paper: the surrogate learner against real training that its curves were not fitted to."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from flnft_sim.paper.scale import Scale
from flnft_sim.paper.schemes import by_scheme, schemes_study
from flnft_sim.paper.section import Section, Statement, Table, Verdict
from flnft_sim.paper.study import Study, StudyPlan

KEY = ["workload", "scheme", "seed", "round"]


def studies(scale: Scale) -> list[StudyPlan]:
    """The runs of Fig. 5, and the same scenarios on the surrogate."""
    real = schemes_study(scale)
    fields = real.sweep.set | {"learning.learner": "surrogate"}
    sweep = real.sweep.model_copy(update={"name": "schemes-surrogate", "set": fields})
    return [real, replace(real, sweep=sweep, seconds_per_run=scale.rounds / 25)]


def tell(done: Mapping[str, Study], _scale: Scale) -> Section:
    """Absolute errors of test accuracy, run by run and round by round."""
    study = done["schemes"]
    table = errors(by_scheme(study.rounds), by_scheme(done["schemes-surrogate"].rounds))
    columns = [table[name] for name in ("workload", "mean_error", "final_error")]
    told = [f"{name} {mean * 100:.1f} ({last * 100:.1f})" for name, mean, last in zip(*columns, strict=True)]
    return Section(
        title="Beyond the paper: the surrogate against real training",
        introduction=(
            "The surrogate learner's curves are fitted by `analysis/fit_surrogate.py` to other runs than these, on "
            "MNIST and CIFAR-10 to shorter ones with smaller shards: beyond those it extrapolates."
        ),
        statements=(
            Statement(
                "–",
                f"mean error over all rounds (after the last), accuracy points: {', '.join(told)}",
                Verdict.OURS,
                f"{study.source()} and `runs/schemes-surrogate`",
            ),
        ),
        tables=(
            Table("surrogate", "Absolute errors of the surrogate's test accuracy (points).", table, _shown(table)),
        ),
    )


def errors(real: pd.DataFrame, surrogate: pd.DataFrame) -> pd.DataFrame:
    """Columns workload, runs, mean_error (over runs and rounds), final_error (last round), worst_error (any round)."""
    both = real.merge(surrogate, on=KEY, suffixes=("", "_surrogate"))
    both["error"] = (both["accuracy"] - both["accuracy_surrogate"]).abs()
    rows = []
    for workload, own in both.groupby("workload", sort=False):
        last = own[own["round"] == own["round"].max()]
        runs = len(own.groupby(["scheme", "seed"]))
        rows.append((workload, runs, own["error"].mean(), last["error"].mean(), own["error"].max()))
    return pd.DataFrame(rows, columns=["workload", "runs", "mean_error", "final_error", "worst_error"])


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    points = {name: [f"{value * 100:.1f}" for value in table[name]] for name in table.columns[2:]}
    named = {"mean_error": "mean", "final_error": "after the last round", "worst_error": "worst round of a run"}
    return table[["workload", "runs"]].assign(**points).rename(columns=named)
