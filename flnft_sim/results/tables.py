"""The tables a run leaves: their columns, their types, and their CSV files.

A column is text, a whole number, a number or a flag. Nothing else is stored, so a file's reader needs no guessing: the
manifest keeps each column's type, and a table that was written and read again is the same table, bit by bit.
"""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
import pandas as pd

from flnft_sim.errors import InputError

Type = Literal["text", "integer", "number", "flag"]
TYPES: tuple[Type, ...] = get_args(Type)

#: The columns every table has at least; a run may add others. Units are in the names.
COLUMNS: Mapping[str, Mapping[str, Type]] = {
    "rounds": {
        "dao": "text",
        "round": "integer",
        "start_s": "number",
        "end_s": "number",
        "decision_s": "number",
        "iterations": "integer",
        "decision_gap": "number",
        "decision_settled": "flag",
        "participants": "integer",
        "stayed_out": "integer",
        "late_dropped": "integer",
        "accuracy": "number",
        "loss": "number",
        "quality": "number",
        "freshness": "number",
        "aoi_mean_s": "number",
    },
    "users": {
        "dao": "text",
        "round": "integer",
        "user": "text",
        "local_epochs": "integer",
        "privacy_budget": "number",
        "takes_part": "flag",
        "train_s": "number",
        "upload_s": "number",
        "consensus_s": "number",
        "age_s": "number",
        "loss": "number",
        "update_norm": "number",
        "quality_share": "number",
        "freshness_share": "number",
        "reward_announced_money": "number",
        "user_utility": "number",
        "cost_round_money": "number",
        "cash_surplus_money": "number",
        "exploitability": "number",
        "reward_received_money": "number",
        "outcome": "text",
    },
    "bids": {
        "auction": "text",
        "provider": "text",
        "dao": "text",
        "quality_price_money": "number",
        "freshness_price_money": "number",
        "total_money": "number",
        "sealed_at_s": "number",
        "status": "text",
        "reason": "text",
        "won": "flag",
        "payment_money": "number",
        "priority": "integer",
        "predicted_rivals_money": "number",
        "real_rivals_money": "number",
        "valuation_money": "number",
        "provider_utility": "number",
        "forgone_money": "number",
    },
    "auctions": {
        "auction": "text",
        "category": "text",
        "rule": "text",
        "closed_at_s": "number",
        "daos": "integer",
        "bidders": "integer",
        "ask_money": "number",
        "reserve_money": "number",
        "price_money": "number",
        "price_set_by": "text",
        "winners": "integer",
        "surplus_money": "number",
        "dao_receipt_money": "number",
        "trades": "integer",
        "rebids": "integer",
        "reason": "text",
    },
    "licences": {
        "auction": "text",
        "licence": "text",
        "seller": "text",
        "holder": "text",
        "priority": "integer",
        "price_money": "number",
        "royalty_money": "number",
    },
    "spans": {
        "agent": "text",
        "dao": "text",
        "phase": "text",
        "round": "integer",
        "start_s": "number",
        "end_s": "number",
        "duration_s": "number",
        "details": "text",
    },
    "counters": {"track": "text", "name": "text", "time_s": "number", "value": "number"},
    "phases": {
        "dao": "text",
        "round": "integer",
        "phase": "text",
        "duration_us": "integer",
        "duration_s": "number",
    },
    "aoi": {"dao": "text", "episode": "integer", "time_s": "number", "age_s": "number"},
    "privacy": {"user": "text"},
    "accounts": {
        "address": "text",
        "name": "text",
        "role": "text",
        "balance_money_units": "integer",
        "balance_money": "number",
    },
    "positions": {
        "name": "text",
        "role": "text",
        "x_m": "number",
        "y_m": "number",
        "sinr_db": "number",
        "rate_bps": "number",
    },
}


#: Columns and figures of a summary -> what they are called now; what earlier versions wrote is read with these names.
RENAMED: Mapping[str, Mapping[str, str]] = {
    "users": {"cost_money": "cost_round_money"},
    "summary": {"cost_money": "cost_round_money"},
}


def as_of_now[T](table: str, named: Mapping[str, T]) -> dict[str, T]:
    """Columns of a table, or figures of a summary, under the names of today."""
    names = RENAMED.get(table, {})
    return {names.get(name, name): value for name, value in named.items()}


def typed(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with every column in one of the four types, rows numbered from 0; an empty one gets the table's columns.

    Missing text becomes "", a missing whole number or flag makes its column nullable, a missing number is NaN. Raises
    `InputError` naming table and column where values do not fit the type that `COLUMNS` promises.
    """
    promised = COLUMNS[table]
    names = [str(name) for name in frame.columns] if len(frame) else list(dict.fromkeys([*promised, *frame.columns]))
    columns = {}
    for name in names:
        values = frame[name] if name in frame.columns else pd.Series(dtype=object)
        kind = promised.get(name) or type_of(values)
        try:
            columns[name] = _as_type(values.reset_index(drop=True), kind)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"table {table}, column {name}: its values are not of type {kind} ({error}); convert them first"
            ) from error
    return pd.DataFrame(columns)


def empty(table: str) -> pd.DataFrame:
    """The table without a row, with its columns."""
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
    if kind == "text":  # on one line, so that a row of a file is a line
        return values.map(str, na_action="ignore").astype("str").fillna("").str.replace(r"[\r\n]+", " ", regex=True)
    if kind == "number":
        return values.where(values.notna(), np.nan).astype(np.float64)
    nullable = values.astype("Int64" if kind == "integer" else "boolean")
    return nullable if nullable.isna().any() else nullable.astype(np.int64 if kind == "integer" else np.bool_)


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
        raise InputError(f"{table}.csv is damaged ({error}); run the scenario again") from error
    return typed(table, pd.DataFrame(cells, dtype=object))


_PARSE: Mapping[Type, Callable[[str], object]] = {
    "text": str,
    "integer": int,
    "number": float,
    "flag": {"True": True, "False": False}.__getitem__,
}
_MISSING: Mapping[Type, object] = {"text": "", "integer": None, "number": np.nan, "flag": None}
