"""Files written so that a crash at any instant leaves either the old one or the new; and read without being trusted.

What is read may have been made by a stranger. A pipe would make the reader wait for ever, a device may do anything when
it is opened, a file without an end fills the memory: only ordinary files of a bounded size are read.
"""

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# Flags for `os.open`; a system that lacks one has nothing of the kind to guard against.
NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | NO_WAIT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


MOST_HASHED = 1 << 36  # bytes of a file of which the SHA-256 is taken, piece by piece


class NotOrdinary(OSError):
    """What is to be read is a folder, a link, a pipe, a device, or too large; `strerror` says which."""


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that the system cannot even ask for is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write `content` to a neighbour of `path`, flush it to the disk, then rename it into place."""
    with open_atomic(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def open_atomic(path: Path) -> Iterator[BinaryIO]:
    """A file to write piece by piece; it becomes `path` when the block ends, and vanishes if the block raises."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # noqa: PTH101 - mkstemp makes it private; a result is for sharing
        os.replace(name, path)  # noqa: PTH105 - the name is a str from mkstemp
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def open_ordinary(path: Path, *, most: int, follow: bool = True) -> Iterator[BinaryIO]:
    """An ordinary file of at most `most` bytes, to read; unless `follow`, no link to one. Never waits.

    Raises `OSError`, of the kind `NotOrdinary` where there is something, but not that.
    """
    # Looked at first: opening a device may already do something. Looked at again: it may have been exchanged meanwhile.
    _check_ordinary(path.stat(follow_symlinks=follow), most)
    handle = os.open(path, _READ | (0 if follow else NO_LINK))
    with os.fdopen(handle, "rb") as file:
        _check_ordinary(os.fstat(handle), most)
        yield file


def read_ordinary(path: Path, *, most: int, follow: bool = True) -> bytes:
    """The bytes of an ordinary file, at most `most`; see `open_ordinary`."""
    with open_ordinary(path, most=most, follow=follow) as file:
        content = file.read(most + 1)
    if len(content) > most:  # it grew, or its size was no size, as in /proc
        raise _too_large(most)
    return content


def _check_ordinary(status: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotOrdinary(errno.EINVAL, f"it is {_KINDS.get(stat.S_IFMT(status.st_mode), 'special')}, no ordinary file")
    if status.st_size > most:
        raise _too_large(most)


def _too_large(most: int) -> NotOrdinary:
    return NotOrdinary(errno.EFBIG, f"it has more than {most:,} bytes")


_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def digest_of(path: Path) -> str:
    """The SHA-256 of a file; of a folder, that of the names and digests of the files in its folders."""
    if path.is_dir():
        digest = hashlib.sha256()
        for each in sorted(each for each in path.glob("*/*") if each.is_file()):
            digest.update(f"{each.parent.name}/{each.name}\0{digest_of(each)}\0".encode())
        return digest.hexdigest()
    digest = hashlib.sha256()
    with open_ordinary(path, most=MOST_HASHED) as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
