"""Compute a finished run again, from the scenario in its folder, and compare all that is deterministic.

Only this proves a run: keys follow from the seed, so whoever has the program can sign a made-up history.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flnft_sim.errors import InputError, bare, shown
from flnft_sim.formats import figure_format
from flnft_sim.ledger import VerificationError
from flnft_sim.machine import code_version
from flnft_sim.results import RunResult, read_manifest
from flnft_sim.results.closing import CLOSE, ENVIRONMENT
from flnft_sim.results.folder import LEDGER
from flnft_sim.results.reading import MANIFEST, read_file
from flnft_sim.scenario import Scenario, load_scenario
from flnft_sim.simulation import FlnftModel

Row = dict[str, Any]

ROUNDS = "rounds.csv"


def rerun(folder: Path, *, progress: Callable[[Row], None] | None = None) -> str:
    """Run the folder's scenario again and compare; returns what was found equal, in one sentence.

    Of a run that was interrupted, blocks and finished rounds must be the beginning of those of the new one, which goes
    to the same instant. Raises `VerificationError` naming the first file that differs, and where, or the other code
    version that the run is of; `InputError` where there is no run folder.
    """
    manifest = read_manifest(folder)
    if manifest.get("code_version") != code_version():
        raise VerificationError(
            f"{bare(str(folder))} was made by code version {bare(str(manifest.get('code_version')))}, this is "
            f"{code_version()}: only that version can make the same bytes again; install it and repeat this"
        )
    again = _again(load_scenario(folder / MANIFEST), manifest, progress)
    with tempfile.TemporaryDirectory(prefix="flnft-rerun-") as place:
        other = Path(place) / "run"
        again.save(other, figures="none")
        if manifest["status"] == "interrupted":
            return _compare_so_far(folder, other)
        for format in sorted({name.rpartition(".")[2] for name in manifest["files"] if name.startswith("figures/")}):
            again.save_figures(other, figure_format(format) or "png")
        return _compare(folder, other, manifest)


def _again(scenario: Scenario, manifest: Row, progress: Callable[[Row], None] | None) -> RunResult:
    """The run once more, as far as it came."""
    model = FlnftModel(scenario, on_round=progress)
    if manifest["status"] == "interrupted":
        model.run(until_s=_number(manifest["summary"], "simulated_s"))
        return model.result(status="interrupted")
    try:
        model.run()
    except Exception as error:
        return model.result(status="failed", error=str(error))
    return model.result()


def _number(summary: Row, name: str) -> float:
    value = summary.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{MANIFEST}: its summary has no {name}; run the scenario again")
    return float(value)


def _compare(folder: Path, other: Path, manifest: Row) -> str:
    """Every file byte by byte, then every statement of the manifest but for those on where the run was made."""
    again = read_manifest(other)
    left = [name for name in again["files"] if not name.startswith("figures/")]  # who drew may have been stopped
    for name in dict.fromkeys((*left, *manifest["files"])):
        if name not in manifest["files"] or name not in again["files"]:
            lacks = "the new run" if name in manifest["files"] else bare(str(folder))
            raise VerificationError(f"{bare(name)}: {lacks} has no such file, so this is not what the run leaves")
        if (place := _first_difference(name, read_file(folder, name), read_file(other, name))) is not None:
            raise VerificationError(f"{bare(name)} differs from the run computed again, first {place}")
    for name in dict.fromkeys((*again, *manifest)):
        if name not in (*ENVIRONMENT, "files", "signature") and manifest.get(name) != again.get(name):
            raise VerificationError(f"{MANIFEST} differs from the run computed again, first in {shown(name)}")
    return f"computed again, the run left the same bytes in all {len(manifest['files'])} files"


def _first_difference(name: str, here: bytes, there: bytes) -> str | None:
    """Where two files first differ: row and column of a table, the line of a text, the byte of anything else."""
    if here == there:
        return None
    try:
        lines, others = here.decode().split("\n"), there.decode().split("\n")
    except UnicodeDecodeError:
        return f"at byte {_first_unequal(here, there):,}"
    number = _first_unequal(lines, others)
    place = f"in line {number + 1:,}"
    if not name.endswith(".csv") or number == 0 or number >= min(len(lines), len(others)):
        return place
    column = _first_unequal(lines[number].split(","), others[number].split(","))
    names = lines[0].split(",")
    return f"{place}, column {bare(names[column])}" if column < len(names) else place


def _first_unequal(one: Sequence[object], other: Sequence[object]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _compare_so_far(folder: Path, other: Path) -> str:
    """What an interrupted run had finished must be the beginning of what the new one has at the same instant."""
    blocks, rounds = (_count_beginning(folder, other, name) for name in (LEDGER, ROUNDS))
    return (
        f"computed again up to where it was interrupted, the run made the same {blocks:,} blocks and "
        f"{rounds - 1:,} finished rounds; what was under way then cannot be compared"
    )


def _count_beginning(folder: Path, other: Path, name: str) -> int:
    """The number of lines of a file, all of which must begin the other's, chain by chain in a ledger."""
    here, there = (_by_chain(read_file(place, name).decode()) for place in (folder, other))
    for chain, lines in here.items():
        number = _first_unequal(lines, there.get(chain, []))
        if number < len(lines):
            what = f"in block {number:,} of its {chain}" if chain else f"in line {number + 1:,}"
            raise VerificationError(f"{name} differs from the run computed again, first {what}")
    return sum(map(len, here.values()))


def _by_chain(text: str) -> dict[str, list[str]]:
    """The lines of a file but for the block that closes a run, which tells of all other files."""
    chains: dict[str, list[str]] = {}
    for line in text.splitlines():
        if f'"kind":"{CLOSE}"' not in line:
            name, is_block, _ = line.partition(',"hash":')
            chains.setdefault(name if is_block else "", []).append(line)
    return chains
