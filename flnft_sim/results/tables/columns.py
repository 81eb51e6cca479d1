"""How a table is declared: a row class whose fields are its columns, with type, unit, meaning and source."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import NoneType
from typing import Any, Literal, get_args, get_type_hints

Type = Literal["text", "integer", "number", "flag"]
TYPES: tuple[Type, ...] = get_args(Type)

_TYPE_OF: Mapping[type, Type] = {str: "text", int: "integer", float: "number", bool: "flag"}
_UNITS = {
    "_money_units": "10⁻⁶ money",
    "_money": "money",
    "_us": "µs",
    "_s": "s",
    "_m": "m",
    "_db": "dB",
    "_bps": "bit/s",
}
_NO_DEFAULT: Any = object()

NAN = float("nan")


@dataclass(frozen=True)
class Column:
    """One column of a table: what `docs/tables.md` says of it."""

    name: str
    type: Type
    unit: str
    meaning: str
    source: str


def column(meaning: str, *, unit: str = "", source: str = "", default: Any = _NO_DEFAULT) -> Any:
    """Declare a field of a row class as a column.

    `unit` is needed where the name's ending does not tell it, `source` names the paper's equation or section; a
    `default` is what a row has where there is nothing to tell.
    """
    told = {"meaning": meaning, "unit": unit, "source": source}
    return field(metadata=told) if default is _NO_DEFAULT else field(metadata=told, default=default)


def columns_of(row: type) -> tuple[Column, ...]:
    """The columns of a row class, in the order of its fields."""
    hints = get_type_hints(row)
    return tuple(
        Column(
            each.name,
            _type_of(hints[each.name]),
            each.metadata["unit"] or _unit_in(each.name),
            each.metadata["meaning"],
            each.metadata["source"],
        )
        for each in fields(row)
    )


def _type_of(hint: Any) -> Type:
    """The type of a field, which may be missing in a row: `int | None` is a whole number."""
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not NoneType]
    return _TYPE_OF[kinds[0]]


def _unit_in(name: str) -> str:
    """The unit that a column's name ends in, "" for none."""
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
