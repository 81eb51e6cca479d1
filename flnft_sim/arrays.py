"""The arrays of this package by the numbers that they hold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Bools = NDArray[np.bool_]


def plain(array: Any) -> Any:
    """Return a NumPy scalar for a 0-dimensional array, the array itself otherwise: scalars in, scalars out."""
    return array[()] if isinstance(array, np.ndarray) and array.ndim == 0 else array
