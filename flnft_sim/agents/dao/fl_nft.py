"""An FL-NFT: a minted model."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from flnft_sim.agents.decision import Agreement
from flnft_sim.arrays import Floats


@dataclass(frozen=True)
class FlNft:
    """What is sold, the satisfaction it gives, whose work it is, and its files."""

    name: str
    decision: Agreement  # the last round's
    shares: Floats  # (N,) of what it earns, by what each member delivered over the whole minting
    document: str
    document_file: str
    weights: dict[str, NDArray[Any]]
    weights_file: str
    final_s: float
    token: int
    """Its number on the public chain."""

    @property
    def due(self) -> Floats:
        """What each member's deliveries entitle it to of all announced rewards: (N,) money."""
        return self.shares * float(self.decision.rewards.sum())
