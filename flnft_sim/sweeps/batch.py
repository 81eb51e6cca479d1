"""The story of a sweep: plan, resume, run, write the tables."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flnft_sim.errors import did_you_mean
from flnft_sim.imports import bring_in_file
from flnft_sim.machine import code_version
from flnft_sim.sweeps.backends import Backend, backend
from flnft_sim.sweeps.job import Record
from flnft_sim.sweeps.journal import Journal, explained
from flnft_sim.sweeps.notes import notes
from flnft_sim.sweeps.plan import SweepPlan, load_plan
from flnft_sim.sweeps.progress import Progress, Reporter
from flnft_sim.sweeps.runs import Run, Runs
from flnft_sim.sweeps.sensitivity import INDICES, write_sensitivity
from flnft_sim.sweeps.simulator import FlnftSimulator, Simulator
from flnft_sim.sweeps.summary import write_differences, write_summary
from flnft_sim.sweeps.tables import Results, read_csv

if TYPE_CHECKING:
    import pandas as pd

PlanLike = SweepPlan | Mapping[str, Any] | str | Path

JOURNAL, RUNS, ROUNDS, PARQUET = "journal.jsonl", "runs.csv", "rounds.csv", "runs.parquet"
SUMMARY, DIFFERENCES, SENSITIVITY = "summary.csv", "differences.csv", "sensitivity.csv"


@dataclass(frozen=True)
class SweepOptions:
    """How a sweep runs; none of it changes a byte of its tables.

    `workers` processes on this machine (default: one a core), or the workers of the Dask `scheduler` at `tcp://…`, or
    `serial` in this process. `retry_failed` runs failed runs again; `accept_version` keeps results of other sources.
    `imports` are files of parts of one's own.
    Without `new_runs` nothing is run: the tables of what is finished are written anew.
    """

    workers: int | None = None
    scheduler: str | None = None
    serial: bool = False
    retry_failed: bool = False
    accept_version: bool = False
    parquet: bool = False
    new_runs: bool = True
    imports: tuple[str | Path, ...] = ()


@dataclass(frozen=True)
class SweepOutcome:
    """What a finished sweep left: its folder, the number of runs, how many of them failed, and what to know of them."""

    folder: Path
    runs: int
    failed: int
    notes: tuple[str, ...] = ()


def sweep(
    plan: PlanLike,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    serial: bool = False,
    retry_failed: bool = False,
    accept_version: bool = False,
    parquet: bool = False,
    new_runs: bool = True,
    imports: Sequence[str | Path] = (),
    progress: Reporter | bool | None = None,
    simulator: Simulator | None = None,
) -> "pd.DataFrame":
    """Run a sweep into the folder `out` and return runs.csv as a table: a row per run, in plan order.

    `SweepOptions` says what the options mean, `run_sweep` what is raised. `progress=True` shows how far it is: a bar
    in a notebook and on a terminal, a line a minute elsewhere.
    """
    options = SweepOptions(workers, scheduler, serial, retry_failed, accept_version, parquet, new_runs, tuple(imports))
    with _reporter(progress) as reporter:
        outcome = run_sweep(plan, options, out=out, reporter=reporter, simulator=simulator)
    return read_csv(outcome.folder / RUNS)


def _reporter(progress: Reporter | bool | None) -> AbstractContextManager[Reporter | None]:
    """The reporter itself, or for True one that shows."""
    if progress is True:
        from flnft_sim.sweeps.bar import shown_progress

        return shown_progress()
    return nullcontext(progress or None)


def run_sweep(
    plan: PlanLike,
    options: SweepOptions = SweepOptions(),
    *,
    out: str | Path | None = None,
    reporter: Reporter | None = None,
    simulator: Simulator | None = None,
    runs_on: Backend | None = None,
) -> SweepOutcome:
    """Run what is missing of a sweep, then write its tables into `out` (default `sweeps/NAME`).

    Memory does not grow with the results: each finished run is a line of the journal, and tables are written from there
    row by row. Stopped at any instant and started again, it goes on, and ends with the same bytes. `runs_on` is a place
    to run that several sweeps share; without it `options` say where.

    Raises `PlanError`, `JournalError`, `MetricError`, `ClusterError` and `DiskFullError`; a run that raises is a row.
    """
    for file in options.imports:  # a plan may name a sampling method of theirs
        bring_in_file(file)
    plan, reporter = load_plan(plan), reporter or Reporter()
    runs = Runs(plan, simulator or FlnftSimulator(options.imports))
    folder = Path(out) if out is not None else Path("sweeps") / plan.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with Journal(folder / JOURNAL, version=code_version(), accept_version=options.accept_version) as journal:
            if options.new_runs:
                _run_missing(runs, journal, options, reporter, runs_on)
            results = Results(runs, journal)
            _write_tables(results, folder, parquet=options.parquet)
            failed = sum(not entry.ok for run in runs if (entry := journal.find(run.identity)))
            told = tuple(notes(results))
    except OSError as error:
        raise explained(error, folder) from error
    return SweepOutcome(folder, runs=len(runs), failed=failed, notes=told)


def _run_missing(
    runs: Runs, journal: Journal, options: SweepOptions, reporter: Reporter, runs_on: Backend | None
) -> None:
    """Run every run that the journal does not have, and put it there as soon as it is finished.

    All points with the first seed come first: wherever a long sweep is stopped, every point has about as many seeds.
    """
    missing: dict[str, Run] = {}  # two points may resolve to one scenario: it runs once
    order = {seed: number for number, seed in enumerate(runs.plan.seeds)}
    for run in sorted(runs, key=lambda run: order[run.seed]):
        if not _is_done(run, runs, journal, retry_failed=options.retry_failed):
            missing.setdefault(run.identity, run)
    done = len(runs) - len(missing)
    progress = Progress(total=len(runs), resumed=done, done=done)
    if done:
        reporter.note(f"{done} of {len(runs)} runs are in {journal.path} already")
    if not missing:
        return
    version = code_version()
    jobs = (runs.job(run, code_version=version) for run in missing.values())
    place = nullcontext(runs_on) if runs_on else _backend(len(missing), options, reporter)
    with place as records:
        reporter.update(progress)
        try:
            for record in records(jobs):
                journal.append(record)
                progress.done += 1
                progress.failed += record["status"] != "ok"
                if progress.done == done + 1:
                    _warn_of_unknown_names(runs.plan, record, reporter)
                reporter.update(progress)
        except KeyboardInterrupt:
            reporter.note(f"{progress.done} of {progress.total} runs are in {journal.path}; start again to resume")
            raise


def _backend(runs: int, options: SweepOptions, reporter: Reporter) -> AbstractContextManager[Backend]:
    return backend(runs, options.workers, options.scheduler, serial=options.serial, reporter=reporter)


def _is_done(run: Run, runs: Runs, journal: Journal, *, retry_failed: bool) -> bool:
    entry = journal.find(run.identity)
    if entry is None:
        return False
    if not entry.ok:
        return not retry_failed
    return entry.series.issuperset(runs.plan.per_round)


def _warn_of_unknown_names(plan: SweepPlan, record: Record, reporter: Reporter) -> None:
    """Other runs may still report what the first one lacks; a misspelt name is worth knowing early."""
    summary = record.get("summary", {})
    lacking = [(name, did_you_mean(name, summary)) for name in plan.metrics if name not in summary]
    lacking += [(name, "") for name, values in record.get("series", {}).items() if not values]
    for name, hint in lacking if summary else ():
        reporter.note(f"the first run reports no {name!r}{hint}; stop now if it is misspelt")


def _write_tables(results: Results, folder: Path, *, parquet: bool) -> None:
    plan = results.plan
    results.write_runs(folder / RUNS)
    write_summary(folder / SUMMARY, results)
    if plan.per_round:
        results.write_rounds(folder / ROUNDS)
    if plan.baseline:
        write_differences(folder / DIFFERENCES, results, plan.baseline)
    if plan.sample and plan.sample.method in INDICES:
        write_sensitivity(folder / SENSITIVITY, results, plan.sample)
    if parquet:
        results.write_parquet(folder / PARQUET)
