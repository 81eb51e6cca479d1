"""`flnft verify`: does a run's folder hold what its ledger says, and does the run, computed again, leave the same?"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flnft_sim.cli.console import out, print_json, show_announcements
from flnft_sim.cli.options import Json
from flnft_sim.errors import FlnftError, InputError

if TYPE_CHECKING:
    from flnft_sim.results.verify import VerifyReport


def verify_command(
    run: Annotated[Path, typer.Argument(help="the folder of a run, e.g. runs/roblox10-s0")],
    rerun: Annotated[
        bool, typer.Option("--rerun", help="compute the run again, too, and compare every byte that it left")
    ] = False,
    engine: Annotated[
        str | None,
        typer.Option("--engine", help="execute contracts by this engine, such as eels, and not by the run's own"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Recompute a run's hashes, signatures, accounts, bids and NFTs; name the first thing that does not hold."""
    try:
        _verify(run, rerun=rerun, engine=engine, as_json=as_json)
    except InputError:
        raise
    except FlnftError as error:
        if as_json:
            print_json({"folder": str(run), "holds": False, "error": str(error)})
        raise


def _verify(run: Path, *, rerun: bool, engine: str | None, as_json: bool) -> None:
    from flnft_sim.results.verify import verify_run

    report = verify_run(run, engine=engine)
    _print(run, report)
    again = _compute_again(run) if rerun else None
    if as_json:
        print_json({"folder": str(run), "holds": True, **asdict(report), "rerun": again})
    elif again is None:
        out.print(
            "Nothing was changed since; that it was computed and not made up, only --rerun proves: keys follow from "
            "the seed, so whoever has this program can sign any history.",
            markup=False,
        )
    else:
        out.print(f"{run}: {again}", markup=False)


def _print(run: Path, report: "VerifyReport") -> None:
    stopped = f", {report.unsettled} transfers of it not settled yet" if report.status != "finished" else ""
    lines = {
        "blocks, linked by their hashes": f"{report.blocks} in {', '.join(report.chains)}",
        "transactions, signed by their senders": report.transactions,
        "accounts, to the unit those of the ledger": f"{report.accounts}{stopped}",
        "accepted bids, those of the ledger": report.bids,
        "FL-NFTs and models, those that were minted": report.nfts,
        "FL-NFTs minted earlier, files not kept": report.nfts_not_kept,
        "files, those that the run closed with": report.files,
    }
    if report.messages:
        lines["messages to contracts, executed again"] = report.messages
    out.print(f"{run} holds, {report.status}:", markup=False)
    for what, value in lines.items():
        out.print(f"  {what:<44}{value}", markup=False)


def _compute_again(run: Path) -> str:
    for name, sha256 in _runs_code(run).items():
        out.print(f"this runs the folder's {name} (SHA-256 {sha256})", markup=False)
    show_announcements()
    from flnft_sim.experiments.rerun import rerun

    return rerun(run)


def _runs_code(run: Path) -> dict[str, str]:
    """The files of parts in a run's folder, with their SHA-256."""
    from flnft_sim.imports import FOLDER
    from flnft_sim.results import read_manifest

    return {name: sha256 for name, sha256 in read_manifest(run)["files"].items() if name.startswith(f"{FOLDER}/")}
