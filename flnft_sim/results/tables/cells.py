"""The values of a column as the text of CSV cells: numbers as `repr` tells them, nothing where a value is missing."""

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np

try:
    import pyarrow as pa
except ImportError:  # an extra; `repr` tells the same, six times slower
    pa = None

_LEAST, _BELOW = 1e-4, 1e10
"""From where to where Arrow tells fractions as `repr` does: the fewest digits that read back to the same bits."""


def cells_of(values: Sequence[object]) -> Sequence[str]:
    """One text a value, ready to stand between commas."""
    if not values or isinstance(values[0], str):
        quoted = {value: _quoted(value) for value in set(values)}
        return [quoted[value] for value in values]
    if type(values[0]) is float:
        return _numbers(np.array(values, dtype=np.float64))
    return ["" if value is None else _quoted(value) if isinstance(value, str) else str(value) for value in values]


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as lines of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _quoted(value: object) -> str:
    return csv_text([("", value)])[1:-1]  # not alone in its row: there nothing would be quoted, too


def _numbers(numbers: np.ndarray) -> list[str]:
    if pa is None:
        return [*map(_number, numbers.tolist())]
    texts: list[str] = pa.array(numbers).cast(pa.string()).to_pylist()
    sizes = np.abs(numbers)
    alike = (sizes >= _LEAST) & (sizes < _BELOW) & (numbers != np.trunc(numbers))
    for place in np.flatnonzero(~alike).tolist():
        texts[place] = _number(float(numbers[place]))
    return texts


def _number(number: float) -> str:
    return "" if number != number else repr(number)
