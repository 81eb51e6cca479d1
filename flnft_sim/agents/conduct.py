"""Who does what it says, and what the others are called."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

type Names = NDArray[np.str_]

HONEST, FREE_RIDER, LAZY, SYBIL, LIAR = "honest", "free-rider", "lazy", "sybil", "liar"
LABEL_FLIPPER, POISONER = "label-flipper", "poisoner"

ADVERSARIES: Mapping[str, str] = {
    "free_riders": FREE_RIDER,
    "lazy": LAZY,
    "label_flippers": LABEL_FLIPPER,
    "poisoners": POISONER,
    "liars": LIAR,
}
"""Fields of a scenario's `failures` -> what each of so many users is; several names of one user are drawn first."""

LONGEST = max(map(len, (HONEST, SYBIL, *ADVERSARIES.values())))


def all_honest(users: int) -> Names:
    """The conduct of users who all do what they say: (users,), read-only."""
    return np.broadcast_to(np.array(HONEST, dtype=f"<U{LONGEST}"), users)
