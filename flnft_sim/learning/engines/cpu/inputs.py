"""What a worker takes, in types that the compiler knows; importing this compiles nothing."""

from typing import NamedTuple

import numpy as np


class Samples(NamedTuple):
    """Images as rows (n, d) float32, labels (n,) int64, and the batches to take them in (`learning.batches`)."""

    x: np.ndarray
    y: np.ndarray
    order: np.ndarray
    bounds: np.ndarray


class Dropout(NamedTuple):
    """A user's key, and the rate as the kernels want it; threshold 0 is no dropout."""

    key: int = 0
    threshold: int = 0
    scale: np.float32 = np.float32(1)


class Rates(NamedTuple):
    """Learning rate, momentum, and what a batch's summed loss is divided by (0: by the batch's rows)."""

    rate: np.float32
    momentum: np.float32
    divisor: int = 0


def frozen(array: np.ndarray) -> np.ndarray:
    """Return a read-only view: one type for the compiler, whatever the caller holds."""
    view = array.view()
    view.flags.writeable = False
    return view
