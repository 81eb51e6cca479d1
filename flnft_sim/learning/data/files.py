"""Find a file in the data directory, or download it there; either way, know what is in it."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flnft_sim.learning.data.base import DATA_VARIABLE, DataError, cache_directory

RETRIES = 2
TIMEOUT_S = 30.0


def find_file(data_dir: Path, *relative: str) -> Path | None:
    """Return the first of the relative names that is a file under `data_dir`."""
    candidates = (data_dir / name for name in relative)
    return next((path for path in candidates if path.is_file()), None)


def download(url: str, sha256: str, data_dir: Path, relative: str, *, what: str, progress: Any) -> Path:
    """Download `url` to `data_dir`/`relative` and check its SHA-256; a failure says what to put where instead.

    A data directory that someone named must be there already (a slip of the pen makes no folder); the platform's cache
    is made.
    """
    import pooch

    if not data_dir.is_dir() and data_dir != cache_directory():
        raise DataError(
            f"the data directory {data_dir} does not exist, and {what} is looked for there; make it, or point "
            f"--data-dir or {DATA_VARIABLE} at a directory that exists"
        )
    target = data_dir / relative
    keeper = pooch.create(
        path=target.parent,
        base_url="",
        registry={target.name: f"sha256:{sha256}"},
        urls={target.name: url},
        retry_if_failed=RETRIES,
    )
    try:
        with _quiet(pooch.get_logger()):
            keeper.fetch(target.name, downloader=pooch.HTTPDownloader(progressbar=progress or False, timeout=TIMEOUT_S))
    except (OSError, ValueError) as error:  # unreachable, no space, or another content than expected
        raise DataError(
            f"{what} is neither in the data directory nor could it be downloaded from {url} ({_reason(error)}); "
            f"put {target.name} into {target.parent}, or point --data-dir or {DATA_VARIABLE} at a directory "
            "that has it"
        ) from error
    return target


def _reason(error: Exception) -> str:
    """Say in a few words why a download failed."""
    import requests

    if isinstance(error, requests.ConnectionError | requests.Timeout):  # their own words name sockets and pools
        return "no connection"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from writing to the terminal: there is a bar, and a sentence when it fails."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def sha256_of(content: bytes) -> str:
    """Return the hexadecimal SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()
