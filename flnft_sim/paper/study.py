"""The runs behind the parts: sweeps that resume, told about as one piece of work."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from flnft_sim.learning import load_dataset
from flnft_sim.machine import cores
from flnft_sim.sweeps import FlnftSimulator, Progress, Reporter, Simulator, SweepOptions, SweepPlan, run_sweep
from flnft_sim.sweeps.backends import shared_backend
from flnft_sim.sweeps.batch import JOURNAL, ROUNDS, RUNS
from flnft_sim.sweeps.progress import duration
from flnft_sim.sweeps.tables import read_csv

SURROGATE_SCENARIOS = ("table3", "market", "market-cyclic")  # they name a data set, and train on nothing


@dataclass(frozen=True)
class StudyPlan:
    """A sweep that parts read; `seconds_per_run` (one core, roughly) tells the time left until runs are measured."""

    sweep: SweepPlan
    seconds_per_run: float
    simulator: Simulator = field(default_factory=FlnftSimulator)

    @property
    def name(self) -> str:
        return self.sweep.name

    @property
    def images(self) -> set[str]:
        """The data sets that its runs train on."""
        if self.sweep.set.get("learning.learner") == "surrogate" or self.sweep.scenario in SURROGATE_SCENARIOS:
            return set()
        named = self.sweep.set.get("learning.dataset")
        return {*(self.sweep.zip or {}).get("learning.dataset", ()), *([named] if named else [])}


@dataclass(frozen=True)
class Study:
    """A finished study: a row per run that ended well, and per round where the plan asks for series."""

    plan: SweepPlan
    folder: Path
    runs: pd.DataFrame
    rounds: pd.DataFrame
    failed: int
    hours: float  # of one core, all runs together
    versions: tuple[str, ...]  # of the code that computed them

    def source(self, where: str = "") -> str:
        """What a number is from, for the report."""
        seeds = sorted(self.runs["seed"].unique().tolist())
        span = f"seeds {seeds[0]}–{seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}" if seeds else "no run"
        return f"`runs/{self.plan.name}`, " + (f"{where}, " if where else "") + span


def run_studies(
    plans: Sequence[StudyPlan], out: Path, options: SweepOptions, reporter: Reporter
) -> Mapping[str, Study]:
    """Run what is missing of the studies, one after another, each in `out/runs/NAME`; returns them by name.

    Raises `DataError` before the first run where images are neither here nor to be had.
    """
    if options.new_runs:
        for name in sorted({name for plan in plans for name in plan.images}):
            load_dataset(name)
    workers = 1 if options.serial else options.workers or cores()
    studies = {}
    with shared_backend(options.workers, options.scheduler, serial=options.serial, reporter=reporter) as place:
        for number, plan in enumerate(plans):
            later_s = sum(other.sweep.runs * other.seconds_per_run for other in plans[number + 1 :]) / workers
            telling = _Telling(reporter, f"{plan.name} ({number + 1} of {len(plans)})", plan, later_s, workers)
            folder = out / "runs" / plan.name
            outcome = run_sweep(
                plan.sweep, options, out=folder, reporter=telling, simulator=plan.simulator, runs_on=place
            )
            studies[plan.name] = _read(plan.sweep, folder, outcome.failed)
    return studies


@dataclass
class _StudyProgress(Progress):
    """The counts of one study, and the time left of all."""

    title: str = ""
    expected_run_s: float = 0.0  # of wall time, before the first run has been measured
    later_s: float = 0.0

    @property
    def left_s(self) -> float:
        """This study at its rate so far, the others as expected."""
        own_s = super().left_s
        return self.later_s + (own_s if own_s is not None else (self.total - self.done) * self.expected_run_s)

    def sentence(self) -> str:
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.title}: {self.done}/{self.total} runs{failed}; about {duration(self.left_s)} left in all"


class _Telling(Reporter):
    """Passes on what a sweep tells, with the study's name and the time left of all studies."""

    def __init__(self, inner: Reporter, title: str, plan: StudyPlan, later_s: float, workers: int) -> None:
        self._inner, self._title, self._later_s = inner, title, later_s
        self._expected_run_s = plan.seconds_per_run / workers

    def note(self, text: str) -> None:
        self._inner.note(f"{self._title}: {text}")

    def update(self, progress: Progress) -> None:
        counts = (progress.total, progress.resumed, progress.done, progress.failed, progress.started_s)
        self._inner.update(_StudyProgress(*counts, self._title, self._expected_run_s, self._later_s))


def _read(plan: SweepPlan, folder: Path, failed: int) -> Study:
    runs = read_csv(folder / RUNS)
    rounds = read_csv(folder / ROUNDS) if plan.per_round else pd.DataFrame()
    seconds, versions = 0.0, []
    with (folder / JOURNAL).open(encoding="utf-8") as journal:
        for line in journal:
            record = json.loads(line)
            seconds += record.get("wall_s", 0.0)
            if "code_version" in record:
                versions.append(record["code_version"])
    return Study(plan, folder, runs[runs["status"] == "ok"], rounds, failed, seconds / 3600, tuple(versions))
