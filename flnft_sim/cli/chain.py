"""`flnft chain`: what a run's transactions took on the public chain, of whom, and what that costs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flnft_sim.cli.console import out, print_json, print_table
from flnft_sim.cli.options import Json
from flnft_sim.errors import InputError, bare

if TYPE_CHECKING:
    import pandas as pd

_UNPRICED_GWEI = 20.0  # where a run's gas costs nothing


def chain_command(
    run: Annotated[Path, typer.Argument(help="the folder of a run, e.g. runs/roblox10-evm-s0")],
    price_gwei: Annotated[
        float | None,
        typer.Option("--gas-price", min=0.0, help="gwei a unit of gas; else the run's, or 20 where gas was free"),
    ] = None,
    as_json: Json = False,
) -> int:
    """Tell a run's gas by kind of transaction, by party, and for a minting and an auction; in money at a gas price."""
    from flnft_sim.results import RunResult
    from flnft_sim.results.gas import gas_by_kind, gas_by_party, gas_by_story

    result = RunResult.load(run)
    if result.transactions.empty:
        raise InputError(f"{bare(str(run))}: nothing was final on the public chain; give a run with a minting")
    chain = result.manifest.get("scenario", {}).get("public_chain", {})
    price = price_gwei if price_gwei is not None else float(chain.get("gas_price_gwei") or _UNPRICED_GWEI)
    tables = {
        "by kind of transaction": gas_by_kind(result.transactions, price_gwei=price),
        "by party": gas_by_party(result.transactions, price_gwei=price),
        "what one takes": gas_by_story(result.transactions, price_gwei=price),
    }
    if as_json:
        print_json({"gas_price_gwei": price} | {name: table.to_dict("index") for name, table in tables.items()})
        return 0
    executed = (result.transactions["call"] != "").any()
    out.print(
        f"Gas {'as executed by contracts' if executed else 'by formula: contracts are a model in this run'}; money at "
        f"{price:g} gwei a unit of gas, 1 money being 1 ether."
    )
    for name, table in tables.items():
        out.print()
        _print(name, table)
    return 0


def _print(name: str, table: "pd.DataFrame") -> None:
    from rich.table import Table

    shown = Table(box=None, pad_edge=False)
    shown.add_column(name)
    for column in table.columns:
        shown.add_column(column.replace("_", " "), justify="right")
    for row in table.itertuples():
        shown.add_row(
            str(row[0]), *(_figure(column, value) for column, value in zip(table.columns, row[1:], strict=True))
        )
    print_table(shown)


def _figure(column: str, value: float) -> str:
    if "money" in column:
        return f"{value:,.6f}"
    return f"{value:,.1f}" if column.endswith("_s") else f"{value:,.0f}"
