"""`flnft plot`: a metric of a sweep over a parameter."""

from pathlib import Path
from typing import Annotated

import typer

from flnft_sim.cli.console import out


def plot_command(
    sweep: Annotated[str, typer.Argument(help="a sweep's folder, its name under sweeps/, or a table of it")],
    x: Annotated[str | None, typer.Option("--x", help="column on the x axis [default: the first parameter]")] = None,
    y: Annotated[str | None, typer.Option("--y", help="column on the y axis [default: the first metric]")] = None,
    hue: Annotated[str | None, typer.Option("--hue", help="column that colours the lines")] = None,
    file: Annotated[Path | None, typer.Option("--out", help="the picture [default: beside the CSV]")] = None,
) -> int:
    """Plot a metric against a parameter: the mean over seeds with its 95 % band (one seed has none)."""
    from flnft_sim.sweeps.plot import plot_sweep

    out.print(str(plot_sweep(sweep, x=x, y=y, hue=hue, out=file)), markup=False)
    return 0
