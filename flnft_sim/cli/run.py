"""`flnft run`: a scenario from decision to settlement, with progress, a summary, and a run folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flnft_sim.cli.console import complain, err, out, print_json, show_announcements
from flnft_sim.cli.garbage import search_what_comes, unsearched_start
from flnft_sim.cli.options import DataDir, Imports, Json, ScenarioName, Seed, Settings
from flnft_sim.cli.stopping import exit_status, held_stops
from flnft_sim.cli.unread import import_keccak, import_mesa, leave_unread
from flnft_sim.errors import FlnftError
from flnft_sim.formats import Figures, Format, figure_format

if TYPE_CHECKING:
    from flnft_sim.cli.stopping import Stops
    from flnft_sim.figures import Drawer
    from flnft_sim.progress import RunProgress
    from flnft_sim.results import Claim, RunResult
    from flnft_sim.scenario import Scenario


@unsearched_start()
def run_command(
    scenario: ScenarioName,
    settings: Settings = None,
    imports: Imports = None,
    seed: Seed = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="folder of the run [default: runs/NAME-sSEED]", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="replace the folder of an earlier run")] = False,
    data_dir: DataDir = None,
    figures: Annotated[Figures, typer.Option("--figures", help="format of figures/*; none: draw none")] = "png",
    no_figures: Annotated[bool, typer.Option("--no-figures", help="the same as --figures none")] = False,
    as_json: Json = False,
) -> int:
    """Run a scenario: print a summary and leave a run folder with tables, ledger, trace, NFT, weights and figures."""
    from flnft_sim.scenario import load_scenario, parse_settings
    from flnft_sim.scenario.beforehand import refuse_early

    overrides = parse_settings(settings or [])
    if data_dir is not None:
        overrides["learning.data_dir"] = str(data_dir)
    resolved = load_scenario(scenario, overrides=overrides, seed=seed, imports=imports or ())
    refuse_early(resolved)
    target = folder or Path("runs") / f"{resolved.name}-s{resolved.seed}"

    from flnft_sim.figures import Drawer

    show_announcements()
    drawn = None if no_figures else figure_format(figures)
    with Drawer(wanted=drawn is not None) as drawer:
        from flnft_sim.results import Claim  # pandas comes with it, and the drawer need not wait for that

        with Claim(target, force=force) as claim, held_stops() as stops:
            return _run(resolved, claim, stops, drawer, force=force, figures=drawn, as_json=as_json)


def _run(
    scenario: "Scenario",
    claim: "Claim",
    stops: "Stops",
    drawer: "Drawer",
    *,
    force: bool,
    figures: Format | None,
    as_json: bool,
) -> int:
    """Run into a claimed folder; stopped or failed, what was finished is saved all the same, and the status says it."""
    from flnft_sim.progress import RunProgress
    from flnft_sim.results.run_result import SUMMARY

    with RunProgress(scenario.name, scenario.fl_rounds, console=err, enabled=not err.quiet) as progress:
        result, ended_by = _as_far_as_it_goes(scenario, claim, stops, progress)
    if figures and not isinstance(ended_by, Exception):
        drawer.begin(result, figures)
    result.save(claim.directory, force=force, figures="none", claim=claim)
    if as_json:
        print_json(_told(result, claim.directory))
    early = "Stopped early: what was finished is" if ended_by else "Everything is"
    out.print((claim.directory / SUMMARY).read_text(encoding="utf-8"), markup=False, soft_wrap=True)
    out.print(f"\n{early} in {claim.directory}/", markup=False)
    if isinstance(ended_by, FlnftError):
        return complain(ended_by, status=1)
    if isinstance(ended_by, Exception):
        raise ended_by
    if figures:
        ended_by = _draw(result, figures, claim.directory, stops, drawer) or ended_by
    if ended_by is not None:
        return exit_status(ended_by)
    out.print(f"check it with: flnft verify {claim.directory}", markup=False)
    return 0


def _told(result: "RunResult", folder: Path) -> dict[str, Any]:
    """A finished or stopped run for a program: where it lies, how it ended, and its figures."""
    about = {name: value for name, value in result.manifest.items() if name in ("name", "seed", "status", "error")}
    return {"folder": str(folder), **about, "summary": result.summary}


def _as_far_as_it_goes(
    scenario: "Scenario", claim: "Claim", stops: "Stops", progress: "RunProgress"
) -> tuple["RunResult", BaseException | None]:
    """The result, and what stopped the run short of its end; a run that fails before its first round has no result."""
    leave_unread()
    import_mesa()
    import_keccak()
    from flnft_sim.simulation import FlnftModel
    from flnft_sim.spool import Spool

    with stops.open():
        model = FlnftModel(scenario, on_round=progress, on_wait=progress.waiting, spool=Spool(claim.directory))
    search_what_comes()
    try:
        with stops.open():
            model.run()
    except KeyboardInterrupt as stop:
        return model.result(status="interrupted"), stop
    except Exception as error:
        if not model.world.records.rounds:
            raise
        return model.result(status="failed", error=str(error)), error
    return model.result(), None


def _draw(
    result: "RunResult", format: Format, folder: Path, stops: "Stops", drawer: "Drawer"
) -> KeyboardInterrupt | None:
    """Draw the figures of a saved run; returns what stopped that."""
    err.print("[dim]drawing figures …[/]")
    try:
        with stops.open():
            result.save_figures(folder, format, draw=drawer.render_all)
    except KeyboardInterrupt as stop:
        err.print(f"stopped while drawing; {folder}/ has everything but the rest of figures/", markup=False)
        return stop
    return None
