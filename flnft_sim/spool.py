"""What a run has finished with, put aside on the disk while it goes on: so memory does not grow with a run."""

import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from itertools import chain
from typing import BinaryIO, NamedTuple, overload

from flnft_sim.errors import FlnftError, bare

CHUNK = 512
"""Rows that are put aside together; as many, and up to twice as many, of the newest stay in memory."""

type Columns = Sequence[Sequence[object]]
type Amended = dict[int, dict[int, dict[str, object]]]
"""What was told later, by name, by the row's number, by the `CHUNK` that it belongs to."""


class SpoolFull(FlnftError):
    """The disk takes no more of what a run puts aside."""


class Piece(NamedTuple):
    """Where some bytes lie in a spool."""

    offset: int
    length: int


class Spool:
    """Bytes in one file that has no name, so that it is gone with its holder, however that dies.

    It is made when there is something to put aside, in `folder` or where the system keeps temporary files.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None
        self._length = 0

    def __len__(self) -> int:
        """How many bytes lie in it."""
        return self._length

    def put(self, content: bytes) -> Piece:
        """Put `content` aside; returns where it lies. Raises `SpoolFull` where the disk takes no more."""
        try:
            return self._put(content)
        except OSError as error:
            raise SpoolFull(
                f"the run cannot put aside what is over ({error.strerror}); make room on the disk of "
                f"{bare(str(self._folder or tempfile.gettempdir()))}"
            ) from error

    def _put(self, content: bytes) -> Piece:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - it is closed with its holder
        self._file.seek(self._length)
        self._file.write(content)
        self._file.flush()
        piece = Piece(self._length, len(content))
        self._length += len(content)
        return piece

    def get(self, piece: Piece) -> bytes:
        """The bytes that were put aside there."""
        assert self._file is not None
        self._file.seek(piece.offset)
        return self._file.read(piece.length)


class Rows[R](Sequence[R]):
    """Rows that only ever grow; given a spool, all but the newest lie in it, column by column.

    `values` tells a row's values and `make` makes the row of them again, where they are not read as columns alone.
    A row that was put aside is read from the disk each time and is another object then: what changes later is told by
    `amend`.
    """

    def __init__(
        self,
        values: Callable[[R], Sequence[object]],
        make: Callable[..., R] | None = None,
        *,
        names: Sequence[str] = (),
        spool: Spool | None = None,
    ) -> None:
        self._values, self._make, self._names, self._spool = values, make, names, spool
        self._made: list[R] = []
        self._promised: list[Callable[[], Columns]] = []  # rows that come after those made
        self._to_come = 0  # how many these are
        self._aside: list[Piece] = []  # of `CHUNK` rows each
        self._amended: Amended = {}  # of rows that lie aside or are not made

    def append(self, row: R) -> None:
        """Add a row."""
        self._newest.append(row)
        if self._spool is not None and len(self._made) >= 2 * CHUNK:  # a hot path: no call for nothing
            self._put_aside()

    def promise(self, columns: Callable[[], Columns], count: int) -> None:
        """Add so many rows, told by their columns when somebody reads; at once where they are to be put aside.

        Whatever they tell of must not change any more.
        """
        if self._spool is not None:
            columns = _known(columns())
        if count:
            self._promised.append(columns)
            self._to_come += count
        self._put_aside()

    def extend(self, rows: Iterable[R]) -> None:
        """Add rows, in their order."""
        self._newest.extend(rows)
        self._put_aside()

    def __iadd__(self, rows: Iterable[R]) -> "Rows[R]":
        self.extend(rows)
        return self

    def amend(self, number: int, name: str, value: object) -> None:
        """Change what the row of that number says; `IndexError` where there is none."""
        if not 0 <= number < len(self):
            raise IndexError(f"row {number} of {len(self)}")
        aside = len(self._aside) * CHUNK
        if aside <= number < aside + len(self._made):
            setattr(self._made[number - aside], name, value)
        else:
            self._amended.setdefault(number // CHUNK, {}).setdefault(number, {})[name] = value

    @property
    def in_memory(self) -> int:
        """How many rows are held in memory."""
        return len(self._made) + self._to_come

    @property
    def _newest(self) -> list[R]:
        """The rows that do not lie aside, all made."""
        if self._promised:
            assert self._make is not None
            self._made.extend([self._make(*values) for told in self._promised for values in zip(*told(), strict=True)])
            self._promised, self._to_come = [], 0
            for place in [place for place in self._amended if place >= len(self._aside)]:
                for number, values in self._amended.pop(place).items():
                    for name, value in values.items():
                        setattr(self._made[number - len(self._aside) * CHUNK], name, value)
        return self._made

    def so_far(self) -> Callable[[], Iterator[Columns]]:
        """What gives all rows of now, whatever comes later, some at a time as columns: a sequence a value."""
        aside, newest, amended = len(self._aside), self._newest_columns(), deepcopy(self._amended)

        def chunks() -> Iterator[Columns]:
            yield from (self._read(place, amended) for place in range(aside))
            if newest:
                yield self._changed(newest, aside, amended)

        return chunks

    def __len__(self) -> int:
        return len(self._aside) * CHUNK + len(self._made) + self._to_come

    def __iter__(self) -> Iterator[R]:
        return chain(chain.from_iterable(map(self._rows, range(len(self._aside)))), self._newest)

    @overload
    def __getitem__(self, at: int) -> R: ...
    @overload
    def __getitem__(self, at: slice) -> list[R]: ...
    def __getitem__(self, at: int | slice) -> R | list[R]:
        if not self._aside:
            return self._newest[at]
        if isinstance(at, slice):
            return self._slice(range(len(self))[at])
        return self._slice(range(len(self))[at : at + 1 or None])[0]

    def __reversed__(self) -> Iterator[R]:
        yield from reversed(self._newest)
        for place in reversed(range(len(self._aside))):
            yield from reversed(self._rows(place))

    def _slice(self, numbers: range) -> list[R]:
        aside = len(self._aside) * CHUNK
        if not numbers or min(numbers) >= aside:
            return [self._newest[number - aside] for number in numbers]
        rows = {place: self._rows(place) for place in {number // CHUNK for number in numbers if number < aside}}
        return [
            rows[number // CHUNK][number % CHUNK] if number < aside else self._newest[number - aside]
            for number in numbers
        ]

    def _put_aside(self) -> None:
        """The oldest of what is in memory, where that is enough."""
        if self._spool is None or self.in_memory < 2 * CHUNK:
            return
        kept = self.in_memory % CHUNK + CHUNK
        columns = self._newest_columns() if self._promised else self.columns(self._made[:-kept])
        for first in range(0, self.in_memory - kept, CHUNK):
            some = [each[first : first + CHUNK] for each in columns]
            self._aside.append(self._spool.put(pickle.dumps(some, protocol=pickle.HIGHEST_PROTOCOL)))
        if self._promised:
            self._made, self._to_come = [], kept
            self._promised = [_known([each[-kept:] for each in columns])]
        else:
            del self._made[:-kept]

    def columns(self, rows: Iterable[R]) -> Columns:
        """What rows tell, a sequence a value; nothing of no rows."""
        return list(zip(*map(self._values, rows), strict=True))

    def _newest_columns(self) -> Columns:
        """The same of the rows that do not lie aside."""
        told = [self.columns(self._made)] if self._made else []
        if self._promised:
            later = _joined([columns() for columns in self._promised])
            self._promised = [_known(later)]
            told.append(later)
        return _joined(told)

    def _rows(self, place: int) -> list[R]:
        assert self._make is not None
        return [self._make(*values) for values in zip(*self._read(place, self._amended), strict=True)]

    def _read(self, place: int, amended: Amended) -> Columns:
        assert self._spool is not None
        columns: Columns = pickle.loads(self._spool.get(self._aside[place]))
        return self._changed(columns, place, amended)

    def _changed(self, columns: Columns, place: int, amended: Amended) -> Columns:
        """The columns of the rows from the `place`-th `CHUNK` on, with what was told later of these rows."""
        first, count = place * CHUNK, len(columns[0])
        told = [amended[each] for each in range(place, place + -(-count // CHUNK)) if each in amended]
        if not told:
            return columns
        changed = [list(column) for column in columns]
        for number, values in chain.from_iterable(each.items() for each in told):
            for name, value in values.items():
                changed[self._names.index(name)][number - first] = value
        return changed


def _known(columns: Columns) -> Callable[[], Columns]:
    return lambda: columns


def _joined(parts: Sequence[Columns]) -> Columns:
    """Columns of rows that follow one another."""
    if len(parts) <= 1:
        return parts[0] if parts else []
    return [list(chain.from_iterable(each)) for each in zip(*parts, strict=True)]
