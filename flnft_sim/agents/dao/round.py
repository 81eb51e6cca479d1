"""One FL round of a DAO, as it comes about."""

from dataclasses import dataclass, field

from flnft_sim.agents.decision import Agreement
from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.clock.work import Work
from flnft_sim.game.contribution import Measured
from flnft_sim.learning import LocalUpdates, Participation


@dataclass
class Round:
    """Which round it is, and what it has come to; the parts are there in this order, none before its time."""

    dao: str
    label: str  # of its spans: tells mintings apart where there are several
    episode: int
    number: int
    started_s: float
    mask_s: Floats | None = None  # (n,) seconds that each computes masks before its upload, where the sum is secure
    contracted: Bools | None = None  # (N,) who was bound to its ε in this round
    decision: Agreement = field(init=False)
    plan: Participation = field(init=False)
    claimed_epochs: Ints = field(init=False)
    """(n,), what the plan's users say that they train."""
    updates: LocalUpdates = field(init=False)
    work: Work = field(init=False)
    measured: dict[str, Measured] = field(default_factory=dict)  # arrays over those whose update arrived
    measuring_s: float = 0.0
    accuracy: float = field(init=False)
    loss: float = field(init=False)
