"""`instant`: every block is final at once. For debugging, and as the zero of comparisons."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flnft_sim.ledger.consensus.base import PROTOCOLS, BlockSlot, Consensus


@dataclass(frozen=True)
class InstantSettings:
    """Nothing to set."""


@PROTOCOLS.register("instant")
class Instant(Consensus):
    """A ledger without latency."""

    Settings: ClassVar[type] = InstantSettings
    on_demand: ClassVar[bool] = True

    def __init__(self, settings: InstantSettings, rng: np.random.Generator) -> None:
        pass

    @property
    def expected_s(self) -> float:
        """Nothing takes any time."""
        return 0.0

    def next_block(self, after_s: float) -> BlockSlot:
        """A block at `after_s`, final there and then."""
        return BlockSlot(proposed_s=after_s, time_s=after_s, final_s=after_s, producer="instant")
