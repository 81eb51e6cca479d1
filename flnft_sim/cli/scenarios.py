"""`flnft scenarios`: what ships, and every field that can be set."""

from typing import Annotated

import typer
from rich.markup import escape

from flnft_sim.cli.console import out

scenarios_app = typer.Typer(help="List the scenarios, or describe every field.", invoke_without_command=True)


@scenarios_app.callback()
def list_scenarios(context: typer.Context) -> None:
    """List the shipped scenarios with a sentence each."""
    if context.invoked_subcommand is not None:
        return
    from rich.table import Table

    from flnft_sim.scenario import describe_scenario, scenario_names

    table = Table("scenario", "what it is", box=None, pad_edge=False)
    for name in scenario_names():
        table.add_row(name, escape(describe_scenario(name)))
    out.print(table)


@scenarios_app.command("describe")
def describe(
    section: Annotated[str | None, typer.Argument(help="only this section, e.g. game")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="as the documentation page")] = False,
) -> None:
    """Print every field: default, unit, allowed values, source in the paper, meaning."""
    from flnft_sim.scenario import describe_fields, fields_markdown

    if markdown:
        out.print(fields_markdown(), markup=False, end="")
        return
    from rich.table import Table

    table = Table("field", "default", "unit", "allowed", "paper", "meaning", box=None, pad_edge=False)
    for row in describe_fields(section):
        table.add_row(*row.values())
    out.print(table)
