"""How a round's work went, as arrays over those who took part."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from flnft_sim.arrays import Bools, Floats
from flnft_sim.results.outcome import OUTCOME_TYPE, Outcome


@dataclass
class Work:
    """(n,) arrays, a row a participant: seconds of each phase, and how it ended (`Outcome`).

    Who works writes its own row; `final_s` is NaN for all whose update is not final.
    """

    started_s: Floats  # the start of training, from which an update's age counts
    train_s: Floats
    masking_s: Floats  # beside the upload, what a secure sum takes: keys, shares, masks, unmasking
    upload_s: Floats
    consensus_s: Floats
    final_s: Floats
    outcomes: NDArray[np.str_]

    @classmethod
    def begun(cls, count: int, started_s: float) -> Self:
        """Of `count` participants who begin now: nobody has done anything, and who does no more will be late."""
        return cls(
            started_s=np.full(count, started_s),
            train_s=np.zeros(count),
            masking_s=np.zeros(count),
            upload_s=np.zeros(count),
            consensus_s=np.zeros(count),
            final_s=np.full(count, np.nan),
            outcomes=np.full(count, Outcome.LATE, dtype=OUTCOME_TYPE),
        )

    def __len__(self) -> int:
        return len(self.outcomes)

    @property
    def arrived(self) -> Bools:
        """Whose update is final."""
        return self.outcomes == Outcome.FINAL

    @property
    def age_s(self) -> Floats:
        """T_i (Eq. 11), measured: from the start of training to finality in the DAO's ledger."""
        return self.final_s - self.started_s

    def count(self, outcome: Outcome) -> int:
        """How many ended so."""
        return int(np.count_nonzero(self.outcomes == outcome))
