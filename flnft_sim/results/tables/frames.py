"""Tables as DataFrames of four types: made of rows, checked, and empty ones."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from flnft_sim.errors import InputError, bare
from flnft_sim.results.tables.columns import Type
from flnft_sim.results.tables.registry import COLUMNS

type Columns = Mapping[str, Sequence[Any]]
"""Some rows of a table by column; None is a missing whole number or flag, NaN a missing number, "" missing text."""

_PLAIN: Mapping[Type, type] = {"text": str, "integer": int, "number": float, "flag": bool}
_BREAKS = re.compile(r"[\r\n]+")


def of_rows(table: str, rows: Iterable[Any]) -> pd.DataFrame:
    """The table of these row objects."""
    rows = list(rows)
    if not rows:
        return empty(table)
    return typed(table, pd.DataFrame({name: list(map(attrgetter(name), rows)) for name in COLUMNS[table]}))


def typed(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with every column in one of the four types, rows numbered from 0; an empty one gets the table's columns.

    The table's own columns come first, in the order of its row class; a run may add others. Missing text becomes "", a
    missing whole number or flag makes its column nullable, a missing number is NaN. Raises `InputError` naming table
    and column where values do not fit the type that `COLUMNS` promises.
    """
    promised = COLUMNS[table]
    own = promised if frame.empty else [name for name in promised if name in frame.columns]
    names = list(dict.fromkeys([*own, *map(str, frame.columns)]))
    frame, columns = frame.reset_index(drop=True), {}
    for name in names:
        values = frame[name] if name in frame.columns else pd.Series(dtype=object)
        kind = promised.get(name) or type_of(values)
        try:
            columns[name] = _as_type(values, kind)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"table {table}, column {bare(name)}: its values are not of type {kind} ({bare(str(error))}); "
                "convert them first"
            ) from error
    return pd.DataFrame(columns)


def columns_of_frame(frame: pd.DataFrame) -> Columns:
    """The columns of a frame that is typed."""
    nullable = (name for name in frame if isinstance(frame[name].dtype, pd.Int64Dtype | pd.BooleanDtype))
    objects = {name: frame[name].astype(object).where(frame[name].notna(), None) for name in nullable}
    return {str(name): objects.get(name, frame[name]).tolist() for name in frame}


def plain(table: str, name: str, values: Sequence[Any]) -> Sequence[Any]:
    """The values of a column that the table promises, as the column of its frame has them. Raises as `typed` does."""
    wanted, kinds = _PLAIN[COLUMNS[table][name]], set(map(type, values))
    if wanted is str:
        text = "".join(set(values)) if all(issubclass(kind, str) for kind in kinds) else "\n"
        if "\n" not in text and "\r" not in text:
            return values
    elif kinds == {wanted} or (wanted is not float and kinds == {wanted, type(None)}):
        return values
    return columns_of_frame(typed(table, pd.DataFrame({name: pd.Series(values, dtype=object)})))[name]


def empty(table: str) -> pd.DataFrame:
    """The table without a row, with its columns."""
    return _empty(table).copy()


@cache
def _empty(table: str) -> pd.DataFrame:
    return typed(table, pd.DataFrame())


def type_of(values: pd.Series) -> Type:
    """The type a column has by its values: missing ones aside, all flags, all whole numbers, all numbers, or text."""
    if pd.api.types.is_object_dtype(values.dtype):
        values = values.dropna().infer_objects()
    if pd.api.types.is_bool_dtype(values.dtype):
        return "flag"
    if pd.api.types.is_integer_dtype(values.dtype):
        return "integer"
    return "number" if pd.api.types.is_float_dtype(values.dtype) else "text"


def types_of(frame: pd.DataFrame) -> dict[str, Type]:
    """Column by column, what the manifest stores."""
    return {str(name): type_of(frame[name]) for name in frame.columns}


def _as_type(values: pd.Series, kind: Type) -> pd.Series:
    if kind == "text":
        return values if _are_lines(values) else pd.Series(_lines(values), dtype="str")
    plain = {"number": np.float64, "integer": np.int64, "flag": np.bool_}[kind]
    if values.dtype == plain:  # as most columns come
        return values
    if kind == "number":
        return values.where(values.notna(), np.nan).astype(plain)
    nullable = values.astype("Int64" if kind == "integer" else "boolean")
    return nullable if nullable.isna().any() else nullable.astype(plain)


def _are_lines(values: pd.Series) -> bool:
    """Whether all is text already, each on one line, as most columns come."""
    return values.dtype == "str" and not values.isna().any() and not _BREAKS.search("".join(set(values.tolist())))


def _lines(values: pd.Series) -> list[str]:
    """Each value's text on one line, so that a row of a file is a line; "" where there is none."""
    missing = values.isna().tolist()
    texts = ["" if gone else str(value) for value, gone in zip(values.tolist(), missing, strict=True)]
    return [_BREAKS.sub(" ", text) if "\n" in text or "\r" in text else text for text in texts]
