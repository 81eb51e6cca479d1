"""The journal of a sweep: a JSON line per finished run, appended once and never changed.

A line ends with a checksum of itself, and one that names a code version also names the format (2), so that neither a
changed digit nor a checksum taken away goes unnoticed. Journals of format 1, which had neither, are read as they are
until a line of format 2 follows. A checksum finds accidents and changes by hand; it proves nobody's hand.

A process that dies at any instant leaves whole lines and at most one torn one at the end, which the next start cuts
off. Only the coordinating process writes, under a lock. A line reaches the operating system before the next run is
counted as done (safe against `kill -9`) and the disk at least once a second (against a power cut, a second is lost).
"""

import errno
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from flnft_sim.errors import FlnftError, InputError
from flnft_sim.files import NO_LINK, NO_WAIT
from flnft_sim.machine import lock
from flnft_sim.sweeps.job import Record, run_key

SYNC_INTERVAL_S = 1.0
FORMAT = 2  # from here on, lines have checksums
LONGEST_LINE = 1 << 26  # bytes; what a stranger wrote must not fill the memory

_WITH_SUM = re.compile(rb'(.*),"sum":"([0-9a-f]{16})"\}\n', re.DOTALL)


class JournalError(InputError):
    """A journal that cannot be continued as it is."""


class DiskFullError(FlnftError):
    """No space for the results; what was written is whole."""


class Entry(NamedTuple):
    """Where a finished run stands in the journal."""

    offset: int
    ok: bool
    series: frozenset[str]


class Journal:
    """The finished runs of a sweep by key; about half a kilobyte of memory a run, whatever a run's results."""

    def __init__(self, path: Path, *, version: str, accept_version: bool = False) -> None:
        self.path = path
        self._fd = _opened(path)
        try:
            self._lock()
            self._entries: dict[str, Entry] = {}
            self._versions: list[str] = []
            self._format = 1
            self._end = self._scan()
            self._synced_s = time.monotonic()
            self._header = self._checked(version, accept_version=accept_version)
        except BaseException:
            os.close(self._fd)
            raise
        self._versions = [version, *(other for other in self._versions if other != version)]

    def find(self, run_identity: str) -> Entry | None:
        """The entry of a run, computed by this code version or an accepted earlier one."""
        keys = (run_key(run_identity, version) for version in self._versions)
        return next((self._entries[key] for key in keys if key in self._entries), None)

    def append(self, record: Record) -> None:
        """Write a finished run; it counts as done when this returns. Raises `DiskFullError`."""
        if self._header is not None:  # only now: a version that computed no run is not named
            self._write(self._header)
            self._header = None
        offset = self._write(record)
        self._entries[record["key"]] = _entry(offset, record)

    def read(self, entry: Entry) -> Record:
        """The record of an entry."""
        chunks: list[bytes] = []
        offset = entry.offset
        while not chunks or b"\n" not in chunks[-1]:
            chunks.append(os.pread(self._fd, 1 << 16, offset))
            offset += len(chunks[-1])
        record: Record = json.loads(b"".join(chunks).partition(b"\n")[0])
        return record

    def close(self) -> None:
        """Flush to the disk and release the lock."""
        os.fsync(self._fd)
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _lock(self) -> None:
        if not lock(self._fd):
            raise JournalError(f"{self.path.parent} is in use by another sweep; wait for it, or choose another --out")

    def _scan(self) -> int:
        """Index the whole lines, cut off a torn last one; returns the end of the journal."""
        end = 0
        for number, line in enumerate(self._lines(), start=1):
            if not line.endswith(b"\n"):
                os.ftruncate(self._fd, end)
                break
            try:
                self._index(line, end)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                what = error if isinstance(error, _Changed) else "it is no record"
                raise JournalError(
                    f"{self.path} line {number} (at byte {end:,}) is damaged: {what}; delete that line and start "
                    "again: only its run is redone"
                ) from None
            end += len(line)
        return end

    def _lines(self) -> Iterator[bytes]:
        with open(self._fd, "rb", closefd=False) as file:
            while line := file.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise JournalError(
                        f"{self.path} has a line of more than {LONGEST_LINE:,} bytes; no run writes so much, choose "
                        "another --out"
                    )
                yield line

    def _index(self, line: bytes, offset: int) -> None:
        record = self._record(line)
        if "code_version" in record:
            self._versions.append(record["code_version"])
            self._format = record.get("format", 1)
        else:
            self._entries[record["key"]] = _entry(offset, record)

    def _record(self, line: bytes) -> Record:
        """What a line says. Raises `_Changed` where its checksum is not its own, lacks, or should not be there."""
        record: Record = json.loads(line)
        if "sum" in record:
            whole = _WITH_SUM.fullmatch(line)
            if whole is None or _sum(whole[1]) != whole[2]:
                raise _Changed("it is not what its checksum was made of")
            if max(self._format, record.get("format", 1)) < FORMAT:
                raise _Changed("it has a checksum, and no line before it names the format of such lines")
            return record
        if self._format >= FORMAT or "format" in record:
            raise _Changed("its checksum is gone")
        return record

    def _checked(self, version: str, *, accept_version: bool) -> Record | None:
        """The line that names this version, if the journal has none yet."""
        if version in self._versions and self._format == FORMAT:
            return None
        if self._versions and version not in self._versions and not accept_version:
            raise JournalError(
                f"{self.path} was written by code version {self._versions[-1]}, this is {version}: results may differ; "
                "choose another --out for new runs, or --accept-version to keep the old ones"
            )
        return {"code_version": version, "format": FORMAT}

    def _write(self, record: Record) -> int:
        line = _line(record)
        offset, written = self._end, 0
        try:
            while written < len(line):
                written += os.write(self._fd, line[written:])
            now_s = time.monotonic()
            if now_s - self._synced_s > SYNC_INTERVAL_S:
                os.fsync(self._fd)
                self._synced_s = now_s
        except OSError as error:
            os.ftruncate(self._fd, offset)  # needs no space
            raise explained(error, self.path) from error
        self._end += len(line)
        return offset


class _Changed(ValueError):
    """A line is not as it was written; the words say how it is seen."""


def _line(record: Record) -> bytes:
    """A record and, last, its checksum: 64 bits of the SHA-256 of what stands before."""
    text = json.dumps(record, separators=(",", ":"))[:-1].encode()
    return b'%s,"sum":"%s"}\n' % (text, _sum(text))


def _sum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode()


def _opened(path: Path) -> int:
    """The descriptor of a journal; no link, which would have us write elsewhere, nor what makes a reader wait."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | NO_LINK | NO_WAIT, 0o644)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise JournalError(f"{path} is a link; a journal lies in its folder itself, choose another --out") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise JournalError(f"{path} is no ordinary file; choose another --out")
    return handle


def _entry(offset: int, record: dict[str, Any]) -> Entry:
    return Entry(offset, record["status"] == "ok", frozenset(record.get("series", ())))


def explained(error: OSError, path: Path) -> FlnftError:
    """What a failed write means for a sweep."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError(f"no space left for {path}; free some and start again: every finished run is kept")
    return FlnftError(f"{path} cannot be written: {error.strerror}; every finished run is kept, start again to resume")
