"""What a mechanism is: the story of an episode over those who take part; and the one registry of mechanisms."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from flnft_sim import families
from flnft_sim.agents.contract.contract import AuctionContract
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.world import World
from flnft_sim.ledger import Transaction
from flnft_sim.registry import Registry

Process = Generator[simpy.Event, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Parties:
    """All who act, by number, and the world that they share. Users are their DAOs' members."""

    world: World
    providers: Sequence[ServiceProvider]
    daos: Sequence[MuDao]
    contract: AuctionContract


class Mechanism(ABC):
    """Who does what in an episode, in which order. One object lives through a run."""

    def __init__(self, parties: Parties) -> None:
        self.parties = parties
        self.phase = "history"
        """What the whole market is doing, for who looks on; between the parts of an episode it changes."""

    @abstractmethod
    def hold_episode(self, episode: int) -> Process:
        """Live through an episode on the clock: from nothing trained to everything settled."""

    @abstractmethod
    def past_auction(self, name: str, category: str) -> Transaction | None:
        """An auction before the first episode, off the clock: let books learn from it, and sign what it shows.

        None where nobody sells the category or nobody demands it.
        """


MECHANISMS: Registry[type[Mechanism]] = families.MECHANISMS
