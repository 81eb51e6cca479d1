"""How a round's work went, as arrays over those who took part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flnft_sim.arrays import Bools, Floats


@dataclass(frozen=True)
class Work:
    """(n,) arrays, a row a participant: seconds of each phase, and how it ended.

    `outcomes` are of `network.crowd.OUTCOMES`; `final_s` is NaN for all but the first of them.
    """

    started_s: Floats  # the start of training, from which an update's age counts
    train_s: Floats
    upload_s: Floats
    consensus_s: Floats
    final_s: Floats
    outcomes: NDArray[np.str_]

    @property
    def arrived(self) -> Bools:
        """Whose update is final."""
        return self.outcomes == "final"

    @property
    def age_s(self) -> Floats:
        """T_i (Eq. 11), measured: from the start of training to finality in the DAO's ledger."""
        return self.final_s - self.started_s

    def count(self, outcome: str) -> int:
        """How many ended so."""
        return int(np.count_nonzero(self.outcomes == outcome))


def no_work() -> Work:
    """A round without participants."""
    nothing = np.zeros(0)
    return Work(nothing, nothing, nothing, nothing, nothing, np.zeros(0, dtype="<U11"))
