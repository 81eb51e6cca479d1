"""`flnft tables`: every column of the tables that a run leaves."""

from typing import Annotated

import typer

from flnft_sim.cli.console import out


def tables_command(
    name: Annotated[str | None, typer.Argument(help="only this table, e.g. bids")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="as the documentation page")] = False,
) -> int:
    """Print the columns of every table a run leaves: type, unit, meaning, source in the paper."""
    from rich.table import Table

    from flnft_sim.results.tables import ROWS
    from flnft_sim.results.tables.reference import describe_table, tables_markdown

    if markdown:
        out.print(tables_markdown(), markup=False, end="", soft_wrap=True)
        return 0
    for table in ROWS if name is None else (name,):
        row, columns = describe_table(table)
        shown = Table("column", "type", "unit", "meaning", "paper", box=None, pad_edge=False)
        for column in columns:
            shown.add_row(column.name, column.type, column.unit, column.meaning, column.source)
        out.print(f"[bold]{table}.csv[/]: {row}")
        out.print(shown)
    return 0
