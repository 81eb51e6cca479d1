"""`flnft export`: a run in other programs' formats."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flnft_sim.cli.console import check_folder, out
from flnft_sim.errors import InputError
from flnft_sim.files import write_atomic

if TYPE_CHECKING:
    from flnft_sim.results import RunResult


def export_command(
    run: Annotated[Path, typer.Argument(help="the folder of a run, e.g. runs/roblox10-s0")],
    latex: Annotated[bool, typer.Option("--latex", help="figures, auctions, bids, rounds as booktabs tables")] = False,
    graphml: Annotated[bool, typer.Option("--graphml", help="two graphs: the network, and the market")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="an auction as a sequence diagram")] = False,
    auction: Annotated[
        str | None, typer.Option(help="with --mermaid: which auction [default: the first that sold something]")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="folder of the files [default: a single file is printed]")
    ] = None,
) -> int:
    """Export a run: LaTeX tables, GraphML graphs, a Mermaid diagram."""
    if not (latex or graphml or mermaid):
        raise InputError(f"export {run}: say what, with --latex, --graphml or --mermaid")
    if auction is not None and not mermaid:
        raise InputError(f"--auction {auction}: only --mermaid draws an auction; give both")
    if folder is None and graphml + latex + mermaid + graphml > 1:
        raise InputError(f"export {run}: these are several files; say with --out into which folder")
    if folder is not None:
        check_folder(folder)
    from flnft_sim.results import RunResult

    files = dict(_files(RunResult.load(run), latex=latex, graphml=graphml, mermaid=mermaid, auction=auction))
    for name, text in files.items():
        if folder is None:
            sys.stdout.write(text)
            continue
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / name, text)
        out.print(str(folder / name), markup=False)
    return 0


def _files(
    result: "RunResult", *, latex: bool, graphml: bool, mermaid: bool, auction: str | None
) -> Iterator[tuple[str, str]]:
    """The name and text of each file."""
    from flnft_sim import export

    if latex:
        yield "tables.tex", export.latex_tables(result)
    if graphml:
        yield "topology.graphml", export.graphml(export.topology_graph(result))
        yield "market.graphml", export.graphml(export.market_graph(result))
    if mermaid:
        yield "auction.mmd", export.auction_diagram(result, auction)
