"""`flnft sweep`: a batch of runs to CSV."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flnft_sim.cli.console import err, out
from flnft_sim.cli.options import AcceptVersion, ImportsFirst, Scheduler, Serial, Workers

if TYPE_CHECKING:
    from flnft_sim.sweeps import Forecast

POINTS_SHOWN = 12


def sweep_command(
    plan: Annotated[str, typer.Argument(help="a shipped sweep's name or a YAML file")],
    folder: Annotated[
        Path | None, typer.Option("--out", help="folder of the results [default: sweeps/NAME]", show_default=False)
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="set any scenario field for all runs")
    ] = None,
    imports: ImportsFirst = None,
    seeds: Annotated[int | None, typer.Option(help="seeds per point, in place of the plan's")] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="write each point's difference from the point with these values"),
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    serial: Serial = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the plan and time one run; write nothing")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="run failed runs again")] = False,
    accept_version: AcceptVersion = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="write runs.parquet as well")] = False,
) -> int:
    """Run a sweep, every point once per seed, to CSV. Stopped at any moment and started again, it resumes."""
    from flnft_sim.scenario import parse_settings
    from flnft_sim.scenario.loading import flat
    from flnft_sim.sweeps import SweepOptions, forecast, load_plan, run_sweep
    from flnft_sim.sweeps.bar import shown_progress

    files = tuple(imports or ())
    fields = load_plan(plan).model_dump(exclude_unset=True)
    fields["set"] = flat(fields.get("set", {})) | flat(parse_settings(settings or []))
    if seeds is not None:
        fields["seeds"] = seeds
    if baseline:
        fields["baseline"] = parse_settings(baseline, option="--baseline")
    chosen = load_plan(fields)
    if dry_run:
        _show(forecast(chosen, workers=1 if serial else workers, imports=files))
        return 0
    options = SweepOptions(workers, scheduler, serial, retry_failed, accept_version, parquet, imports=files)
    with shown_progress(err) as reporter:
        outcome = run_sweep(chosen, options, out=folder, reporter=reporter)
    failed = f", {outcome.failed} failed (--retry-failed runs them again)" if outcome.failed else ""
    out.print(f"{outcome.runs} runs{failed}; tables in {outcome.folder}", markup=False)
    for note in outcome.notes:
        out.print(note, markup=False)
    return 0


def _show(plan: "Forecast") -> None:
    """Print a plan's points, its number of runs, and how long they would take."""
    from rich.table import Table

    from flnft_sim.sweeps.progress import duration

    table = Table("point", *plan.plan.parameters, title=f"{plan.plan.name}: {plan.plan.scenario}", title_justify="left")
    for number, point in enumerate(plan.points[:POINTS_SHOWN]):
        table.add_row(str(number), *(str(value) for value in point.values()))
    if len(plan.points) > POINTS_SHOWN:
        table.add_row("…", *("…" for _ in plan.plan.parameters))
    out.print(table)
    out.print(f"{len(plan.points)} points × {len(plan.plan.seeds)} seeds = {plan.runs} runs")
    out.print(
        f"one run took {duration(plan.probe_s)}: about {duration(plan.estimate_s)} on {plan.workers} worker processes"
    )
    for metric in plan.unknown_metrics:
        err.print(f"the probe run reports no metric {metric!r}", markup=False)
