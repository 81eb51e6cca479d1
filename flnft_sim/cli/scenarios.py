"""`flnft scenarios`: what ships, every field that can be set, a scenario's text, and a file to begin one's own with."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from flnft_sim.cli.console import out, print_json
from flnft_sim.cli.options import Json, ScenarioName
from flnft_sim.errors import InputError, bare

scenarios_app = typer.Typer(
    help="List the scenarios, show one, begin one of your own, or describe every field.", invoke_without_command=True
)


@scenarios_app.callback()
def list_scenarios(context: typer.Context, as_json: Json = False) -> None:
    """List the shipped scenarios with a sentence each; show one, begin one of your own, or describe every field."""
    if context.invoked_subcommand is not None:
        return
    from rich.table import Table

    from flnft_sim.scenario import describe_scenario, find_scenario, scenario_names

    told = {name: describe_scenario(name) for name in scenario_names()}
    if as_json:
        print_json(
            [{"name": name, "description": text, "file": str(find_scenario(name))} for name, text in told.items()]
        )
    table = Table("scenario", "what it is", box=None, pad_edge=False)
    for name, text in told.items():
        table.add_row(name, escape(text))
    out.print(table)


@scenarios_app.command("show")
def show(
    name: ScenarioName,
    resolved: Annotated[bool, typer.Option("--resolved", help="every field, defaults and `extends` filled in")] = False,
    as_json: Json = False,
) -> None:
    """Print a scenario's YAML as it is written, or with every field."""
    from flnft_sim.scenario import find_scenario, load_scenario
    from flnft_sim.scenario.template import resolved_yaml
    from flnft_sim.scenario.yaml_text import read_text

    path = find_scenario(name)
    if as_json:
        print_json(load_scenario(path).model_dump(mode="json"))
    # As it is written it is only read: loading would run the files that it imports.
    out.print(resolved_yaml(load_scenario(path)) if resolved else read_text(path), markup=False, end="")


@scenarios_app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="what it is called; NAME.yaml is written into the current folder")],
    parent: Annotated[str, typer.Option("--from", help="the scenario it starts from")] = "roblox10",
) -> None:
    """Write a scenario of one's own: what it starts from, and every field of that, commented out."""
    from flnft_sim.scenario import load_scenario
    from flnft_sim.scenario.template import template

    stem = name.removesuffix(".yaml")
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", stem):
        raise InputError(f"a scenario named {bare(name)}: use letters, digits, '-', '_' and '.', at most 100")
    if stem == parent:
        raise InputError(f"{stem} would extend itself; choose another name")
    path = Path(f"{stem}.yaml")
    text = template(stem, parent, load_scenario(parent))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path} is there already; choose another name, or move it away") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); go to a folder that can be") from None
    out.print(f"{path}: take the # off the lines to change, then: flnft run {path}", markup=False)


@scenarios_app.command("describe")
def describe(
    section: Annotated[str | None, typer.Argument(help="only this section, e.g. game")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="as the documentation page")] = False,
    as_json: Json = False,
) -> None:
    """Print every field: default, unit, allowed values, source in the paper, meaning."""
    from flnft_sim.scenario import describe_fields, fields_markdown

    if markdown:
        out.print(fields_markdown(), markup=False, end="")
        return
    from rich.table import Table

    rows = describe_fields(section)
    if as_json:
        print_json(rows)
    table = Table("field", "default", "unit", "allowed", "paper", "meaning", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row.values())
    out.print(table)
