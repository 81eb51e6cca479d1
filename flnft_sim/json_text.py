"""Read JSON that a stranger may have written: bounded in depth and digits, and no key twice."""

import json
from functools import partial
from typing import Any

from flnft_sim.errors import InputError, bare, shown

MAX_DEPTH = 50  # lists and sections inside one another
MAX_DIGITS = 100  # characters of a whole number


class TextError(InputError):
    """A text that cannot be read; one sentence with the line and the remedy."""


def read_json(text: str, *, place: str) -> Any:
    """What a JSON text says; a key that stands twice is an error. Raises `TextError` with the `place`."""
    try:
        value = json.loads(text, object_pairs_hook=partial(_once, place), parse_int=partial(_json_int, place))
    except json.JSONDecodeError as error:
        raise TextError(f"{place}: line {error.lineno}, column {error.colno} is not JSON: {error.msg}") from None
    except RecursionError:
        raise TextError(too_deep(place)) from None
    if _height(value, MAX_DEPTH + 1) > MAX_DEPTH:
        raise TextError(too_deep(place))
    return value


def whole_number(text: str, *, place: str, base: int) -> int:
    """A whole number of bounded length; `TextError` for a longer one."""
    if len(text) > MAX_DIGITS:
        raise TextError(f"{place}: {bare(text, 40)} has {len(text):,} digits; a number has at most {MAX_DIGITS}")
    return int(text, base)


def too_deep(place: str) -> str:
    """The sentence for what goes deeper than `MAX_DEPTH`."""
    return f"{place}: more than {MAX_DEPTH} lists and sections inside one another; nothing here needs so many"


def _once(place: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise TextError(f"{place}: the key {shown(twice)} stands twice; keep one")
    return fields


def _json_int(place: str, digits: str) -> int:
    return whole_number(digits, place=place, base=10)


def _height(value: Any, limit: int) -> int:
    """Lists and mappings inside one another, counted to `limit`."""
    if not isinstance(value, dict | list) or limit == 0:
        return 0
    return 1 + max(
        (_height(item, limit - 1) for item in (value.values() if isinstance(value, dict) else value)), default=0
    )
