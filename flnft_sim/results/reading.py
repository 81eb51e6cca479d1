"""Read the folder of a run that a stranger may have made: ordinary files inside it alone, all of bounded size.

Everything that reads a run's folder reads it here. No link is followed below the folder, no name leads out of it.
"""

import errno
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flnft_sim.errors import InputError, bare, shown
from flnft_sim.files import MOST_HASHED, NotOrdinary, open_ordinary, read_ordinary
from flnft_sim.json_text import TextError, read_json

MANIFEST = "manifest.json"

MOST_READ = 1 << 29  # bytes of a file that is read as a whole
MOST_MANIFEST = 1 << 24
MOST_FILES = 10_000
_PIECE = 1 << 20


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of a run folder. Raises `InputError` where there is none or where it is damaged."""
    return parse_manifest(directory, read_manifest_text(directory))


def read_manifest_text(directory: Path) -> str:
    """The manifest as it is written. Raises `InputError` where there is none, or no text."""
    try:
        there = (directory / MANIFEST).exists()
    except (OSError, ValueError):  # a name that the system cannot even ask for
        there = False
    if not there:
        raise InputError(
            f"{bare(str(directory))} is no run folder: it has no {MANIFEST}; give a folder that `flnft run` finished"
        )
    try:
        return read_file(directory, MANIFEST, most=MOST_MANIFEST).decode()
    except UnicodeDecodeError:
        raise _damaged(directory, "it is not UTF-8 text") from None


def parse_manifest(directory: Path, text: str) -> dict[str, Any]:
    """What the manifest's text says. Raises `InputError` for what no run writes."""
    try:
        manifest = read_json(text, place=MANIFEST)
        json.dumps(manifest, allow_nan=False)
    except TextError as error:
        raise _damaged(directory, str(error)) from None
    except ValueError:
        raise _damaged(directory, "it holds a number that is not finite") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise _damaged(directory, "it lists no files")
    if len(manifest["files"]) > MOST_FILES:
        raise _damaged(directory, f"it lists more than {MOST_FILES:,} files")
    for name, digest in manifest["files"].items():
        _check_name(directory, name)
        if not isinstance(digest, str):
            raise _damaged(directory, f"{shown(name)} has no SHA-256")
    return manifest


def read_file(directory: Path, name: str, *, most: int = MOST_READ) -> bytes:
    """The bytes of one file of a run. Raises `InputError` where it cannot be read, or may not be."""
    with _explained(directory, name):
        return read_ordinary(_path(directory, name), most=most, follow=False)


def sha256_of(directory: Path, name: str) -> str | None:
    """The SHA-256, in hex, of one file of a run, None where it is not there. Raises as `read_file` does."""
    try:
        with (
            _explained(directory, name),
            open_ordinary(_path(directory, name), most=MOST_HASHED, follow=False) as file,
        ):
            digest = hashlib.sha256()
            while piece := file.read(_PIECE):
                digest.update(piece)
            return digest.hexdigest()
    except InputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def is_inside(name: str) -> bool:
    """Whether a name is that of a file in a folder, or in a folder of it, wherever that folder is."""
    parts = name.split("/")
    return len(parts) <= 2 and len(name) <= 255 and not {"\0", "\\"} & {*name} and not {"", ".", ".."} & {*parts}


def _path(directory: Path, name: str) -> Path:
    """Where a file of a run lies: in its folder or in one that lies there itself."""
    _check_name(directory, name)
    path = directory / name
    if path.parent != directory and path.parent.is_symlink():
        raise NotOrdinary(errno.ELOOP, f"{path.parent.name} is a link")
    return path


def damaged(directory: Path, error: Exception) -> InputError:
    """The sentence for a folder in which something has another form than a run writes."""
    return InputError(f"the run in {bare(str(directory))} is damaged ({shown(error)}); run the scenario again")


@contextmanager
def _explained(directory: Path, name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{bare(str(directory / name))} cannot be read ({why}); run the scenario again") from error


def _check_name(directory: Path, name: str) -> None:
    if not is_inside(name):
        raise _damaged(directory, f"{shown(name)} is no name of a file in a run's folder")


def _damaged(directory: Path, why: str) -> InputError:
    return InputError(f"{bare(str(directory / MANIFEST))} is damaged: {why}; run the scenario again")
