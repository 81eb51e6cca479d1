"""How an FL round ends for a member of a DAO."""

from enum import StrEnum

import numpy as np


class Outcome(StrEnum):
    """One word for each end; the first five are of those who took part."""

    FINAL = "final"
    LATE = "late"
    DROPPED_OUT = "dropped out"
    STALLED = "stalled"
    ABORTED = "aborted"
    STAYED_OUT = "stayed out"
    AWAY = "away"


WORKED = (Outcome.FINAL, Outcome.LATE, Outcome.DROPPED_OUT, Outcome.STALLED, Outcome.ABORTED)
"""How it may end for who took part."""

OUTCOME_TYPE = np.dtype(f"<U{max(map(len, Outcome))}")
"""Of arrays of outcomes."""
