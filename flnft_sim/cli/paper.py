"""`flnft paper`: the paper's tables and figures, ours beside theirs."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from flnft_sim.cli.console import err, out
from flnft_sim.cli.options import AcceptVersion, Scheduler, Serial, Workers
from flnft_sim.errors import InputError

FOLDER = Path("analysis/out")


def paper_command(
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            help="fig4, fig5, ablation, fig6, table3, privacy, private, surrogate, sensitivity, dirichlet, rules, "
            "beliefs, mechanisms, contribution [default: all]",
            show_default=False,
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="on digits, few seeds: about a minute")] = False,
    full: Annotated[bool, typer.Option("--full", help="the real thing, hours (this is the default)")] = False,
    seeds: Annotated[int | None, typer.Option(min=1, help="seeds of Fig. 5 and 6, in place of the scale's")] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", help=f"where it goes [default: {FOLDER}, quick: {FOLDER}/quick]", show_default=False),
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    serial: Serial = False,
    finished_only: Annotated[
        bool, typer.Option("--finished-only", help="run nothing: the page of what is finished so far")
    ] = False,
    accept_version: AcceptVersion = False,
) -> int:
    """Make the paper's tables and figures, ours beside theirs, as one page. Stopped and started again, it resumes."""
    if quick and full:
        raise InputError("--quick and --full exclude each other; give one of them")
    from flnft_sim.paper import FULL, QUICK, reproduce
    from flnft_sim.sweeps import SweepOptions
    from flnft_sim.sweeps.bar import shown_progress

    scale = QUICK if quick else FULL
    scale = replace(scale, seeds=seeds) if seeds is not None else scale
    folder = folder or (FOLDER / "quick" if quick else FOLDER)
    options = SweepOptions(
        workers=workers,
        scheduler=scheduler,
        serial=serial,
        accept_version=accept_version,
        new_runs=not finished_only,
    )
    with shown_progress(err) as reporter:
        made = reproduce(parts or [], scale, options=options, out=folder, reporter=reporter)
    for section in made.sections.values():
        for statement in section.statements:
            out.print(f"{section.title:<45} {statement.verdict}", markup=False)
    if made.waiting:
        err.print(f"not made, no run of theirs has finished: {', '.join(made.waiting)}", markup=False)
    failed = sum(study.failed for study in made.studies.values())
    if failed:
        err.print(f"{failed} runs failed; {folder}/runs/*/runs.csv says why", markup=False)
    out.print(f"page: {made.report} (and report.md); tables and figures beside it", markup=False)
    return 0
