"""`flnft run`: a scenario from decision to settlement, with progress, a summary, and a run folder."""

from pathlib import Path
from typing import Annotated

import typer

from flnft_sim.cli.console import err, out, show_announcements
from flnft_sim.formats import Figures


def run_command(
    scenario: Annotated[str, typer.Argument(help="a shipped scenario's name (see `flnft scenarios`) or a YAML file")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="set any field, e.g. game.sigma=0.6")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="the one number all randomness comes from")] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="folder of the run [default: runs/NAME-sSEED]", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="replace the folder of an earlier run")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="folder of data files [default: FLNFT_DATA]")] = None,
    figures: Annotated[Figures, typer.Option("--figures", help="format of figures/*; none: draw none")] = "png",
    no_figures: Annotated[bool, typer.Option("--no-figures", help="the same as --figures none")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")] = False,
) -> int:
    """Run a scenario: print a summary and leave a run folder with tables, ledger, trace, NFT, weights and figures."""
    from flnft_sim.scenario import load_scenario, parse_settings

    overrides = parse_settings(settings or [])
    if data_dir is not None:
        overrides["learning.data_dir"] = str(data_dir)
    resolved = load_scenario(scenario, overrides=overrides, seed=seed)
    target = folder or Path("runs") / f"{resolved.name}-s{resolved.seed}"

    from flnft_sim.cli.progress import RunProgress
    from flnft_sim.results import prepare_folder, summary_text
    from flnft_sim.simulation import Interrupted, run

    prepare_folder(target, force=force)
    if not quiet:
        show_announcements()
    status = 0
    with RunProgress(resolved, enabled=not quiet) as progress:
        try:
            result = run(resolved, progress=progress)
        except Interrupted as stop:
            result, status = stop.result, 130
    figures = "none" if no_figures else figures
    if figures != "none" and not quiet:
        err.print("[dim]drawing figures …[/]")
    result.save(target, force=force, figures=figures)
    if not quiet:
        out.print(summary_text(result), markup=False)
        out.print(
            f"\n{'Stopped early: what was finished is' if status else 'Everything is'} in {target}/", markup=False
        )
        if not status:
            out.print(f"check it with: flnft verify {target}", markup=False)
    return status
