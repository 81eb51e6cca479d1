"""Tables as CSV files that read back to the same bits."""

import csv
import io
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from flnft_sim.errors import InputError, bare
from flnft_sim.results.tables.columns import Type
from flnft_sim.results.tables.frames import typed
from flnft_sim.results.tables.renamed import as_of_now


def to_csv(frame: pd.DataFrame) -> str:
    """CSV text with a header; numbers as the shortest text that reads back to the same bits, missing values empty."""
    return frame.to_csv(index=False, lineterminator="\n")


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
