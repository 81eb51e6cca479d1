"""`flnft compare`: in which settings runs differ, and what that changed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from flnft_sim.cli.console import out, print_json, print_table
from flnft_sim.cli.options import Json
from flnft_sim.errors import InputError
from flnft_sim.formats import picture_format

if TYPE_CHECKING:
    from flnft_sim.results import Comparison


def compare_command(
    runs: Annotated[list[Path], typer.Argument(help="folders of two runs or more; the first is compared with")],
    picture: Annotated[
        Path | None, typer.Option("--out", help="draw accuracy and differences into this .png, .pdf or .svg")
    ] = None,
    as_json: Json = False,
) -> int:
    """Compare runs: settings that differ, figures, and differences paired by seed with their 95 % intervals."""
    if len({str(run) for run in runs}) < max(len(runs), 2):
        raise InputError(f"compare {' '.join(map(str, runs))}: give two runs or more, each once")
    if picture is not None:
        picture_format(picture)
    from flnft_sim.results import RunResult, compare

    results = {str(run): RunResult.load(run) for run in runs}
    comparison = compare(results)
    if as_json:
        print_json(_told(comparison))
    _print(comparison)
    if picture is not None:
        from flnft_sim.figures.comparison import draw_comparison
        from flnft_sim.formats import save_figure

        save_figure(draw_comparison(results, comparison), picture, dpi=120)
        out.print(str(picture), markup=False)
    return 0


def _told(comparison: "Comparison") -> dict[str, Any]:
    return {
        "groups": comparison.groups,
        "settings": comparison.settings.to_dict("index"),
        "metrics": comparison.metrics.to_dict("index"),
        "differences": comparison.differences.to_dict("records"),
    }


def _print(comparison: "Comparison") -> None:
    """Settings that differ, then the figures that do: a group's mean in a column, and the others' difference."""
    from rich.table import Table

    settings = Table("setting", *map(escape, comparison.settings.columns), box=None, pad_edge=False)
    for field, row in comparison.settings.iterrows():
        settings.add_row(escape(str(field)), *(escape(str(value)) for value in row))
    if len(comparison.settings):
        print_table(settings)
    else:
        out.print("All settings are the same.")
    out.print()
    _print_figures(comparison)
    unpaired = comparison.differences[comparison.differences["n"] == 0]["group"].unique()
    for group in unpaired:
        out.print(f"{group} shares no seed with the first: its differences hold chance, too.", markup=False)


def _print_figures(comparison: "Comparison") -> None:
    from rich.table import Table

    several = len(comparison.groups) > 1
    columns = dict(comparison.groups) if several else {name: [name] for name in map(str, comparison.metrics)}
    means = {name: comparison.metrics[list(group)].mean(axis=1) for name, group in columns.items()}
    differences = comparison.differences.set_index(["group", "metric"])
    others = list(comparison.groups)[1:]
    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    for name in columns:
        runs = f" (mean of {len(columns[name])})" if len(columns[name]) > 1 else ""
        table.add_column(escape(f"{name}{runs}"), justify="right")
    for name in others:
        table.add_column(escape(f"{name} less the first, 95 %"), justify="right")
    for metric in map(str, comparison.metrics.index):
        row = comparison.metrics.loc[metric]
        if row.nunique(dropna=False) == 1:
            continue
        cells = [f"{mean[metric]:,.5g}" for mean in means.values()]
        cells += [_difference(differences.loc[(name, metric)]) for name in others]
        table.add_row(str(metric), *cells)
    print_table(table)


def _difference(row: Any) -> str:
    if row["n"] < 2:
        return f"{row['mean']:+,.4g}"
    return f"{row['mean']:+,.4g} ({row['ci95_low']:+,.4g} to {row['ci95_high']:+,.4g})"
