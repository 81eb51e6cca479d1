"""One run, one folder: a claim that is held from before a run starts until its files are written."""

import errno
import os
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from flnft_sim.errors import InputError, bare
from flnft_sim.files import NO_LINK, NO_WAIT, NotOrdinary
from flnft_sim.machine import lock

CLAIM = ".claim"


class Claim:
    """Holds `directory`, made if it is not there, against every other run, in this process and in others.

    The claim is a lock of the operating system on a file in the folder: it ends with its process however that dies, so
    nothing stale is left to clear away. A folder that was made for the claim and holds nothing in the end goes with it.

    Entering raises `InputError` for a folder that another run holds, that holds something already (unless `force`), or
    that cannot be written.
    """

    def __init__(self, directory: Path, *, force: bool) -> None:
        self.directory = directory
        self._force = force
        self._made: list[Path] = []  # innermost first
        self._lock: int | None = None

    def __enter__(self) -> Self:
        try:
            self._made = [each for each in (self.directory, *self.directory.parents) if not each.exists()]
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = self._taken()
            with tempfile.TemporaryFile(dir=self.directory):  # hours may be spent on what it is to hold
                pass
            self._refuse_occupied()
        except OSError as error:
            self._release()
            raise unwritable(self.directory, error) from error
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._release()

    def _taken(self) -> int:
        """The descriptor of the claim's file, locked."""
        path = self.directory / CLAIM
        while True:
            # Neither through a link, to a file that is not ours to empty, nor to a pipe that makes us wait.
            handle = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK | NO_WAIT, 0o644)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise NotOrdinary(errno.EINVAL, f"{CLAIM} is no ordinary file")
            if not lock(handle):
                holder = os.read(handle, 20).decode(errors="replace").strip()
                os.close(handle)
                raise InputError(
                    f"{self.directory} belongs to a run that is still under way (process {holder or 'unknown'}); "
                    "wait for it, or choose another --out"
                )
            if _is(path, handle):
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
                return handle
            os.close(handle)  # the former holder took the file away between our opening and locking it

    def _refuse_occupied(self) -> None:
        if not self._force and any(each.name != CLAIM for each in self.directory.iterdir()):
            raise InputError(
                f"{self.directory} exists already and is not empty; say --force to replace it, or choose another --out"
            )

    def _release(self) -> None:
        if self._lock is not None:
            (self.directory / CLAIM).unlink(missing_ok=True)  # while it is locked: nobody else's can be meant
            os.close(self._lock)
            self._lock = None
        for folder in self._made:
            try:
                folder.rmdir()
            except OSError:  # it holds something, as it should
                break


def unwritable(directory: Path, error: OSError) -> InputError:
    """The sentence for a run's folder that the system refuses to make or write."""
    return InputError(
        f"the run cannot be written to {bare(str(directory))} ({error.strerror}); choose another folder with --out"
    )


def _is(path: Path, handle: int) -> bool:
    """Whether the open file still is the one at `path`."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
