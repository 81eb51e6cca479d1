"""Fields mean what is written: no flag for a number, no text for a number, no number for a flag.

Pydantic would turn `true` into 1, `'4'` into 4 and `yes` into true; its strict mode would refuse a list for a tuple.
"""

import re
import types
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo, field_validator


class Strict(BaseModel, frozen=True):
    """Unknown fields are errors, values are taken as they are written, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: Any, info: ValidationInfo) -> Any:
        return as_written(value, _kinds_of(cls, str(info.field_name)))


def _usable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", name):
        raise ValueError("a name has 1 to 100 letters, digits, dots, dashes and underscores, the first no dot")
    return name


Name = Annotated[str, AfterValidator(_usable)]  # of a scenario or a sweep: folders are called so


def as_written(value: Any, kinds: frozenset[Any]) -> Any:
    """`value` in Python's own types, `none` as None where a field may be left out; raises ValueError for a guess.

    `kinds` are the types that the field, or the items of its list, may have.
    """
    value = _pythons_own(value)
    if type(None) in kinds and isinstance(value, str) and value.lower() == "none":
        return None
    for item in value if isinstance(value, list | tuple) else (value,):
        _refuse_guess(item, kinds)
    return value


def _pythons_own(value: Any, depth: int = 4) -> Any:
    """NumPy's scalars and arrays as numbers and lists, also inside lists and fields (a sweep's `grid`)."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict) and depth:
        return {key: _pythons_own(inner, depth - 1) for key, inner in value.items()}
    if type(value) in (list, tuple) and depth:  # a named tuple is made otherwise
        return type(value)(_pythons_own(inner, depth - 1) for inner in value)
    return value


def _refuse_guess(item: Any, kinds: frozenset[Any]) -> None:
    if Any in kinds:
        return
    number = "a number" if float in kinds else "a whole number" if int in kinds else ""
    if isinstance(item, bool) and bool not in kinds and number:
        raise ValueError(f"should be {number}, not true or false")
    if isinstance(item, str) and str not in kinds and number:
        raise ValueError(f"should be {number}, not text; write it as digits, without quotation marks")
    if isinstance(item, str | int | float) and not isinstance(item, bool) and kinds - {type(None)} == {bool}:
        raise ValueError("should be true or false")


@cache
def _kinds_of(section: type[BaseModel], field: str) -> frozenset[Any]:
    return frozenset(_kinds(section.model_fields[field].annotation))


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that values of a field, or the items of its list, may have."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin is Literal:
        yield from {type(choice) for choice in get_args(annotation)}
    elif origin in (Union, types.UnionType, tuple, list):
        for part in get_args(annotation):
            yield from _kinds(part)
    else:
        yield annotation
