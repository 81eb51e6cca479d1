"""`flnft viz`: the market in the browser."""

import webbrowser
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from flnft_sim.cli.console import err, out
from flnft_sim.cli.options import Imports, ScenarioName, Seed, Settings


def viz_command(
    scenario: ScenarioName = "roblox10",
    settings: Settings = None,
    imports: Imports = None,
    seed: Seed = None,
    run: Annotated[
        list[Path] | None,
        typer.Option("--run", help="play back this folder of a finished run instead; twice: side by side on one clock"),
    ] = None,
    host: Annotated[str, typer.Option(help="name or address to listen on; 0.0.0.0 lets others in")] = "localhost",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port to listen on; 0 picks a free one")] = 8765,
    sessions: Annotated[
        int, typer.Option(min=1, max=1000, help="browser pages at once, each with a market of its own")
    ] = 8,
    idle_minutes: Annotated[
        float, typer.Option(min=0.01, max=1440, help="how long a market is kept whose page is gone")
    ] = 10.0,
    open_page: Annotated[bool, typer.Option("--open", help="open the page in the default browser")] = False,
) -> int:
    """Watch a scenario run in the browser, or replay a finished run; Ctrl-C stops the server."""
    from flnft_sim.scenario import load_scenario, parse_settings
    from flnft_sim.viz.server import serve

    overrides = parse_settings(settings or [])
    shown = run or load_scenario(scenario, overrides=overrides, seed=seed, imports=imports or ())
    serve(
        shown,
        host=host,
        port=port,
        sessions=sessions,
        idle_minutes=idle_minutes,
        on_address=partial(_tell, open_page=open_page),
    )
    return 0


def _tell(address: str, *, open_page: bool) -> None:
    out.print(f"open {address} (Ctrl-C stops)", markup=False)
    if open_page and not webbrowser.open(address):
        err.print("no browser was found; open the address by hand", markup=False)
