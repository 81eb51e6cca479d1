"""Tables that grow while a run goes on, and what is read of them: all columns or some, at once or in pieces."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from operator import attrgetter
from typing import Any

import pandas as pd

from flnft_sim.results.tables.frames import Columns, empty, plain, typed
from flnft_sim.results.tables.registry import COLUMNS, ROWS
from flnft_sim.spool import Rows, Spool

_CHUNKS = 8  # of rows make a piece: a piece costs the same however few rows it has


def rows_of(table: str, spool: Spool | None = None) -> Rows[Any]:
    """The rows of a table, none yet, as objects of its row class."""
    names, row = tuple(COLUMNS[table]), ROWS[table]
    return Rows(
        attrgetter(*names), lambda *values: row(**dict(zip(names, values, strict=True))), names=names, spool=spool
    )


class Stored:
    """A table that is not in memory: frames of it are made when somebody asks.

    `chunks` gives all its columns, some rows at a time, from the beginning whenever it is called.
    """

    def __init__(self, table: str, chunks: Callable[[], Iterable[Columns]]) -> None:
        self._table, self._chunks = table, chunks

    @classmethod
    def of(cls, table: str, rows: Rows[Any], names: Sequence[str] = ()) -> "Stored":
        """The table of these rows, whose values are its columns, or those `names`."""
        names, chunks = names or tuple(COLUMNS[table]), rows.so_far()
        return cls(table, lambda: (dict(zip(names, each, strict=True)) for each in chunks()))

    def pieces(self, *names: str) -> Iterator[Columns]:
        """The columns `names`, or all, some thousand rows at a time, each value as `plain` has it."""
        chunks = iter(self._chunks())
        while some := list(islice(chunks, _CHUNKS)):
            wanted = names or tuple(some[0])
            whole = {name: list(chain.from_iterable(each[name] for each in some)) for name in wanted}
            yield {name: plain(self._table, name, values) for name, values in whole.items()}

    def frames(self, *names: str) -> Iterator[pd.DataFrame]:
        """The same as frames; no row is an empty one."""
        none = True
        for piece in self.pieces(*names):
            none = False
            yield typed(self._table, pd.DataFrame(piece))
        if none:
            yield empty(self._table)[[*(names or COLUMNS[self._table])]]

    def whole(self, *names: str) -> pd.DataFrame:
        """The columns `names` of the table, or all of it."""
        return joined(self._table, list(self.frames(*names)))


def joined(table: str, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The table that comes in these frames, one at least."""
    return frames[0] if len(frames) == 1 else typed(table, pd.concat(frames, ignore_index=True))
