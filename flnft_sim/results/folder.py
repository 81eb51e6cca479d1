"""A run's folder: files written one by one, each atomically, then a manifest with their SHA-256, then the figures."""

import errno
import hashlib
import json
import logging
import math
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from flnft_sim.errors import InputError, bare
from flnft_sim.files import NotOrdinary, open_atomic, write_atomic
from flnft_sim.results.claim import unwritable
from flnft_sim.results.closing import signed
from flnft_sim.results.reading import MANIFEST, is_inside, parse_manifest, read_manifest, read_manifest_text, sha256_of

LEDGER = "ledger.jsonl"

type Content = str | bytes | Iterable[str]
"""Of a file; in pieces where it is large."""

_log = logging.getLogger(__name__)


def write_folder(
    directory: Path,
    contents: Iterable[tuple[str, Content]],
    manifest: Mapping[str, Any],
    ledger: Callable[[Mapping[str, Any], Mapping[str, str]], Iterable[str]],
    *,
    force: bool,
) -> None:
    """Write `contents` (names relative to `directory`), then the ledger, and last `manifest`, signed, with `files`.

    `ledger` makes its text of the manifest in JSON's own types and of the SHA-256 of every file by name. A folder
    without a manifest is an unfinished one. The folder must be claimed (`Claim`); a former run's files go, no others
    are touched. Raises `InputError` where it cannot be written.
    """
    plain = as_json(manifest)
    try:
        former = _make_room(directory) if force else set()
        hashes = {name: _write(directory, name, content) for name, content in contents}
        hashes[LEDGER] = _write(directory, LEDGER, ledger(plain, hashes))
        for name in former - hashes.keys():
            (directory / name).unlink(missing_ok=True)
        _write_manifest(directory, {**plain, "files": hashes})
    except OSError as error:
        raise unwritable(directory, error) from error


def add_files(directory: Path, contents: Iterable[tuple[str, str | bytes]]) -> None:
    """Add files to a run's folder; the manifest lists each as soon as it is there, and is signed anew.

    So whenever this stops, the manifest vouches for all but the one file that was being written. Raises `InputError`
    where the folder is no run's, where the manifest was changed since it was signed, or where it cannot be written.
    """
    manifest = read_manifest(directory)
    if signed(manifest) != manifest:
        raise InputError(
            f"{bare(str(directory / MANIFEST))} was changed since the run signed it; nothing is added, run the "
            "scenario again"
        )
    try:
        for name, content in contents:
            manifest["files"][name] = _write(directory, name, content)
            _write_manifest(directory, manifest)
    except OSError as error:
        raise unwritable(directory, error) from error


def _write(directory: Path, name: str, content: Content) -> str:
    """Write one file; returns its SHA-256."""
    path, digest = directory / name, hashlib.sha256()
    path.parent.mkdir(exist_ok=True)
    if path.parent != directory and path.parent.is_symlink():  # it would lead out of the folder
        raise NotOrdinary(errno.ELOOP, f"{path.parent.name} is a link")
    with open_atomic(path) as file:
        for piece in (content,) if isinstance(content, str | bytes) else content:
            data = piece.encode() if isinstance(piece, str) else piece
            digest.update(data)
            file.write(data)
        _log.debug("writing %s, %d bytes", path, file.tell())
    return digest.hexdigest()


def _write_manifest(directory: Path, manifest: Mapping[str, Any]) -> None:
    write_atomic(directory / MANIFEST, manifest_text(signed(manifest)))


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The one way in which a manifest is written."""
    return json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def prepare_folder(directory: Path) -> None:
    """Make the folder and try to write in it, before hours are spent on what it is to hold; nothing in it changes.

    Raises `InputError` where that fails.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise unwritable(directory, error) from error


def altered_files(directory: Path) -> list[str]:
    """The files that are missing or whose bytes are not the ones the manifest vouches for."""
    return [name for name, digest in read_manifest(directory)["files"].items() if sha256_of(directory, name) != digest]


def _make_room(directory: Path) -> set[str]:
    """Where the folder holds a former run, take its manifest away and name its files."""
    if not (directory / MANIFEST).exists(follow_symlinks=False):
        return set()
    try:
        former = parse_manifest(directory, read_manifest_text(directory))["files"]
    except InputError:  # damaged: its files are overwritten where the names agree, the others stay
        former = {}
    (directory / MANIFEST).unlink()
    return {name for name in former if _lies_in(directory, name)}


def _lies_in(directory: Path, name: str) -> bool:
    path = directory / name
    return is_inside(name) and path.is_file() and path.parent.resolve().is_relative_to(directory.resolve())


def as_json(value: Any) -> Any:
    """`value` in JSON's own types: NumPy scalars become Python's, NaN and infinity, which JSON lacks, null."""
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
