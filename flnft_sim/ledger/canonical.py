"""One byte string for one value: the form that is hashed and signed."""

import hashlib
import json
import math
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii
from typing import Any

import numpy as np

from flnft_sim.errors import InputError


def canonical_json(value: Any) -> str:
    """The value as JSON with sorted keys, no spaces, ASCII only and shortest round-trip floats.

    NumPy numbers and arrays count as the plain numbers and lists they hold; keys become strings, as in all JSON. What
    JSON cannot hold (NaN, infinity, other objects) raises `InputError`.
    """
    if type(value) is str:  # the encoder's own way with one plain value, without making an encoder for it
        return encode_basestring_ascii(value)
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return repr(value)
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"this value cannot go on a ledger: {error}; use finite numbers, strings, lists, dicts"
        ) from None


def canonical_list(members: Iterable[str]) -> str:
    """The canonical JSON of a list of what is canonical JSON already."""
    return "[" + ",".join(members) + "]"


def sha256_hex(content: str | bytes) -> str:
    """The SHA-256 of text (as UTF-8) or bytes, in lower-case hex."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{value!r} is a {type(value).__name__}")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=_plain)
