"""Tables as CSV files that read back to the same bits."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from flnft_sim.errors import InputError, bare
from flnft_sim.results.tables.cells import cells_of, csv_text
from flnft_sim.results.tables.columns import Type
from flnft_sim.results.tables.frames import Columns, columns_of_frame, typed
from flnft_sim.results.tables.renamed import as_of_now

_ROWS = 4096  # whose cells are texts at one time


def to_csv(frame: pd.DataFrame) -> str:
    """CSV text with a header; numbers as the shortest text that reads back to the same bits, missing values empty."""
    return "".join(csv_of(list(map(str, frame.columns)), [columns_of_frame(frame)]))


def csv_of(names: Sequence[str], pieces: Iterable[Columns]) -> Iterator[str]:
    """The same of the columns `names` that come in pieces, in pieces."""
    yield csv_text([names])
    for piece in pieces:
        columns = [piece[name] for name in names]
        for first in range(0, max(map(len, columns), default=0), _ROWS):
            yield _lines([cells_of(column[first : first + _ROWS]) for column in columns])


def _lines(columns: Sequence[Sequence[str]]) -> str:
    if len(columns) == 1:  # CSV quotes an empty cell that is alone in its row
        return "".join([f"{cell or '""'}\n" for cell in columns[0]])
    return "".join([f"{','.join(row)}\n" for row in zip(*columns, strict=True)])


def from_csv(table: str, text: str, types: Mapping[str, Type]) -> pd.DataFrame:
    """The table that `to_csv` wrote. Raises `InputError` where text and types disagree."""
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        if header != list(types):
            raise ValueError("other columns than the manifest says")
        columns = zip(*rows, strict=True) if rows else ((),) * len(header)
        cells = {
            name: [_PARSE[kind](cell) if cell else _MISSING[kind] for cell in column]
            for (name, kind), column in zip(types.items(), columns, strict=True)
        }
        cells = as_of_now(table, cells)
    except (ValueError, KeyError, csv.Error) as error:
        raise InputError(f"{table}.csv is damaged ({bare(str(error))}); run the scenario again") from error
    return typed(table, pd.DataFrame(cells, dtype=object))


_PARSE: Mapping[Type, Callable[[str], object]] = {
    "text": str,
    "integer": int,
    "number": float,
    "flag": {"True": True, "False": False}.__getitem__,
}
_MISSING: Mapping[Type, object] = {"text": "", "integer": None, "number": np.nan, "flag": None}
