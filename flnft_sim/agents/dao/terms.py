"""What a minting is worked for: how members agree on their efforts, and how they share what it earns."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import Any

import simpy

from flnft_sim.agents.dao.decision import hold_decision
from flnft_sim.agents.dao.organisation import Organisation
from flnft_sim.agents.dao.round import Round
from flnft_sim.agents.decision import Agreement, Decision
from flnft_sim.arrays import Floats
from flnft_sim.learning import Participation

Process = Generator[simpy.Event, Any, Any]


class Terms(ABC):
    """The terms of one minting of one DAO."""

    closes_s: float = float("inf")
    """After this moment nobody pays for the model: a round that would begin later does not."""

    @abstractmethod
    def agree(self, dao: Organisation, round_number: int) -> Process:
        """Before a round, on the clock: return the `Agreement`."""

    def trained(self, dao: Organisation, plan: Participation) -> Participation:
        """Hear what members claim that they will do, and return what they really do."""
        del dao
        return plan

    def attest(self, dao: Organisation) -> Process:
        """After the last round and before the mint: let what was claimed be checked, on the clock."""
        del dao
        yield from ()

    def credit(self, dao: Organisation, held: Round) -> None:
        """After a round: take note of what shares will be paid by, beyond the DAO's own account of deliveries."""
        del dao, held

    @abstractmethod
    def shares(self, dao: Organisation, agreement: Agreement) -> Floats:
        """Each member's share of what the minting earns, by what it delivered so far: (N,), all 0 for nothing."""


class AnnouncedPrices(Terms):
    """The paper's: providers announce prices, users answer, and contributions are paid at the last prices."""

    def agree(self, dao: Organisation, round_number: int) -> Process:
        """Exchange prices and answers (`hold_decision`)."""
        return (yield from hold_decision(dao, round_number))

    def shares(self, dao: Organisation, agreement: Agreement) -> Floats:
        """By quality and freshness delivered, at the decision's prices (`Deliveries.shares`)."""
        assert isinstance(agreement, Decision)
        return dao.deliveries.shares(agreement)
