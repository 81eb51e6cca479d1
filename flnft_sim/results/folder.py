"""A run's folder: files written one by one, each atomically, then a manifest with their SHA-256, then the figures."""

import hashlib
import json
import math
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from flnft_sim.errors import InputError
from flnft_sim.files import write_atomic
from flnft_sim.results.claim import unwritable

MANIFEST = "manifest.json"


def write_folder(
    directory: Path, contents: Iterable[tuple[str, str | bytes]], manifest: Mapping[str, Any], *, force: bool
) -> None:
    """Write `contents` (names relative to `directory`) and, last, `manifest` with the key `files`: SHA-256 by name.

    A folder without a manifest is thus an unfinished one. The folder must be claimed (`Claim`); a former run's files
    go, no others are touched. Raises `InputError` where it cannot be written.
    """
    try:
        former = _make_room(directory) if force else set()
        hashes = {name: _write(directory, name, content) for name, content in contents}
        for name in former - hashes.keys():
            (directory / name).unlink(missing_ok=True)
        _write_manifest(directory, {**manifest, "files": hashes})
    except OSError as error:
        raise unwritable(directory, error) from error


def add_files(directory: Path, contents: Iterable[tuple[str, str | bytes]]) -> None:
    """Add files to a run's folder; the manifest lists each as soon as it is there.

    So whenever this stops, the manifest vouches for all but the one file that was being written. Raises `InputError`
    where the folder is no run's or cannot be written.
    """
    manifest = read_manifest(directory)
    try:
        for name, content in contents:
            manifest["files"][name] = _write(directory, name, content)
            _write_manifest(directory, manifest)
    except OSError as error:
        raise unwritable(directory, error) from error


def _write(directory: Path, name: str, content: str | bytes) -> str:
    """Write one file; returns its SHA-256."""
    data = content.encode() if isinstance(content, str) else content
    (directory / name).parent.mkdir(exist_ok=True)
    write_atomic(directory / name, data)
    return hashlib.sha256(data).hexdigest()


def _write_manifest(directory: Path, manifest: Mapping[str, Any]) -> None:
    text = json.dumps(_plain(manifest), indent=2, ensure_ascii=False, allow_nan=False)
    write_atomic(directory / MANIFEST, text + "\n")


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


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of a run folder. Raises `InputError` where there is none or where it is damaged."""
    if not (directory / MANIFEST).is_file():
        raise InputError(f"{directory} is no run folder: it has no {MANIFEST}; give a folder that `flnft run` finished")
    try:
        manifest = json.loads(read_file(directory / MANIFEST))
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise InputError(f"{directory / MANIFEST} is damaged; run the scenario again")
    return manifest


def read_file(path: Path) -> bytes:
    """The bytes of one file of a run. Raises `InputError` where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); run the scenario again") from error


def altered_files(directory: Path) -> list[str]:
    """The files that are missing or whose bytes are not the ones the manifest vouches for."""
    return [
        name
        for name, digest in read_manifest(directory)["files"].items()
        if not (directory / name).is_file() or hashlib.sha256((directory / name).read_bytes()).hexdigest() != digest
    ]


def _make_room(directory: Path) -> set[str]:
    """Where the folder holds a former run, take its manifest away and name its files."""
    if not (directory / MANIFEST).exists():
        return set()
    try:
        former = read_manifest(directory)["files"]
    except InputError:  # damaged: its files are overwritten where the names agree, the others stay
        former = {}
    (directory / MANIFEST).unlink()
    return {name for name in former if (directory / name).resolve().is_relative_to(directory.resolve())}


def _plain(value: Any) -> Any:
    """`value` in JSON's own types: NumPy scalars become Python's, NaN and infinity, which JSON lacks, null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
