"""What a mechanism is: the story of an episode over those who take part; and the one registry of mechanisms."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from flnft_sim import families
from flnft_sim.agents.contract.contract import AuctionContract
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.settings import Settings
from flnft_sim.agents.world import World
from flnft_sim.ledger import Transaction
from flnft_sim.market.rules.base import Asks
from flnft_sim.registry import Registry
from flnft_sim.streams import Streams

Process = Generator[simpy.Event, Any, Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MechanismFacts:
    """What a scenario must know of a mechanism before anything runs; registered with it as its `facts`."""

    asks: Asks = "per-licence"
    """What its DAOs ask for; a clearing rule must take the same."""


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

    def enter(self, phase: str, episode: int) -> None:
        """Say that the whole market is in `phase` from now on."""
        self.phase = phase
        _log.debug("episode %d, %s from %.3f s on", episode, phase, self.parties.world.env.now)

    @property
    def accounts(self) -> Mapping[str, tuple[str, str]]:
        """Name and role behind the addresses of its own."""
        return {}

    @classmethod
    def stakes(cls, settings: Settings, streams: Streams, daos: int) -> Mapping[str, int]:
        """Units that accounts are opened with beyond what every mechanism needs, by address; also of new accounts."""
        del settings, streams, daos
        return {}

    @abstractmethod
    def hold_episode(self, episode: int) -> Process:
        """Live through an episode on the clock: from nothing trained to everything settled."""

    @abstractmethod
    def past_auction(self, name: str, category: str) -> Transaction | None:
        """An auction before the first episode, off the clock: let books learn from it, and sign what it shows.

        None where nobody sells the category or nobody demands it.
        """


def side_by_side(env: simpy.Environment, lives: Iterable[Process]) -> Process:
    """Let processes run at the same time; returns what each returned."""
    running = [env.process(life) for life in lives]
    yield env.all_of(running)
    return [process.value for process in running]


MECHANISMS: Registry[type[Mechanism]] = families.MECHANISMS
