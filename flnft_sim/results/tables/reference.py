"""The tables as a page: what `flnft tables` prints and docs/tables.md holds."""

from flnft_sim.errors import UnknownNameError
from flnft_sim.results.tables.columns import Column, columns_of
from flnft_sim.results.tables.registry import ROWS

_HEADINGS = ("column", "type", "unit", "meaning", "source")


def describe_table(table: str) -> tuple[str, tuple[Column, ...]]:
    """What a row of a table is, and its columns. Raises `UnknownNameError` for a table that no run leaves."""
    if table not in ROWS:
        raise UnknownNameError("table", table, list(ROWS))
    return (ROWS[table].__doc__ or "").strip(), columns_of(ROWS[table])


def tables_markdown() -> str:
    """The documentation page of all tables."""
    lines = [
        "# Every column of every table",
        "",
        "Made by `flnft tables --markdown` from `flnft_sim/results/tables/`. Each table is a CSV file in a run's",
        "folder and a DataFrame of the `RunResult`; its types are in the manifest. An empty cell is a number that",
        "does not exist. Seconds are simulated, sources are the paper's.",
    ]
    for table in ROWS:
        row, columns = describe_table(table)
        lines += ["", f"## {table}", "", f"A row: {row[0].lower()}{row[1:]}", ""]
        lines += [f"| {' | '.join(_HEADINGS)} |", "|" + "---|" * len(_HEADINGS)]
        lines += [
            f"| `{column.name}` | {column.type} | {column.unit} | {column.meaning} | {column.source} |"
            for column in columns
        ]
    return "\n".join(lines) + "\n"
