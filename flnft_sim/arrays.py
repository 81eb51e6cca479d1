"""The arrays of this package by the numbers that they hold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Bools = NDArray[np.bool_]


def length(vector: NDArray[np.floating]) -> float:
    """Return the L2 norm of a vector, its squares summed in a fixed order: BLAS, behind `np.linalg.norm` of one, splits
    them among its threads."""
    return float(np.sqrt(np.square(vector).sum()))


def plain(array: Any) -> Any:
    """Return a NumPy scalar for a 0-dimensional array, the array itself otherwise: scalars in, scalars out."""
    return array[()] if isinstance(array, np.ndarray) and array.ndim == 0 else array
