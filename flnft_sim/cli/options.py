"""Arguments and options that several commands share, each spelt once."""

from pathlib import Path
from typing import Annotated

import typer

from flnft_sim.cli.console import only_json


def _shipped(incomplete: str) -> list[str]:
    """The names of scenarios that begin so, for a shell that completes."""
    from flnft_sim.scenario.loading import scenario_names

    return [name for name in scenario_names() if name.startswith(incomplete)]


ScenarioName = Annotated[
    str,
    typer.Argument(
        help="a shipped scenario's name (see `flnft scenarios`) or a YAML file",
        autocompletion=_shipped,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", callback=only_json, help="print JSON to standard output, and nothing else there")
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="set any field, e.g. game.sigma=0.6")
]
Imports = Annotated[
    list[Path] | None,
    typer.Option("--import", metavar="FILE.py", help="a Python file of parts of your own"),
]


def _bring_in(files: list[Path] | None) -> list[Path] | None:
    from flnft_sim.imports import bring_in_file

    for file in files or ():
        bring_in_file(file)
    return files


ImportsFirst = Annotated[
    list[Path] | None,
    typer.Option(
        "--import", metavar="FILE.py", callback=_bring_in, help="run a Python file that registers parts of your own"
    ),
]
Seed = Annotated[int | None, typer.Option(help="the one number all randomness comes from")]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="folder of data files [default: FLNFT_DATA, else the platform's cache]"),
]
Workers = Annotated[int | None, typer.Option(help="worker processes [default: one a core]")]
Scheduler = Annotated[str | None, typer.Option(metavar="ADDRESS", help="a Dask scheduler, tcp://host:port")]
Serial = Annotated[bool, typer.Option("--serial", help="one run after another in this process")]
AcceptVersion = Annotated[
    bool, typer.Option("--accept-version", help="keep finished runs that another code version computed")
]
