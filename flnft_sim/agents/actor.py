"""What all agents have in common: a name, a key, an account, and a span for everything they do on the clock."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import mesa

from flnft_sim.agents.world import World
from flnft_sim.ledger import key_of

if TYPE_CHECKING:
    from flnft_sim.chain.keys import ChainKey


class Actor(mesa.Agent):
    """A Mesa agent whose life is a SimPy process, and which can say at any moment what it is doing.

    `activity` is the phase the actor is in now, of several the one it entered last ("idle" between phases): the browser
    colours it, and the watchdog names it when the clock has stopped.
    """

    role = "actor"

    def __init__(self, model: mesa.Model, world: World, number: int) -> None:
        super().__init__(model)
        self.world = world
        self.number = number
        self.name = f"{self.role}-{number}"
        self.key = key_of(world.streams, self.role, number)
        self.resting = "idle"  # what it is doing where it is in no phase of its own
        self._phases: list[tuple[str, float]] = []  # those it is in, and since when

    @cached_property
    def chain_key(self) -> "ChainKey":
        """The key that it signs with for contracts."""
        from flnft_sim.chain.keys import chain_key_of

        return chain_key_of(self.world.streams, self.role, self.number)

    @property
    def address(self) -> str:
        """The actor's address on the ledgers."""
        return self.key.address

    @property
    def activity(self) -> str:
        """The phase that it is in."""
        return self._phases[-1][0] if self._phases else self.resting

    @property
    def since_s(self) -> float:
        """From when on it has been in its phase; 0 where it is in none of its own."""
        return self._phases[-1][1] if self._phases else 0.0

    def doing(self, phase: str, **details: Any) -> "Doing":
        """Be in `phase` while a `with` block lasts, and leave a span of it."""
        return Doing(self, phase, details)

    def enter(self, phase: str) -> tuple[str, float]:
        """Be in `phase` from now until `leave` is told what this returns."""
        entered = phase, self.world.env.now
        self._phases.append(entered)
        return entered

    def leave(self, entered: tuple[str, float], details: dict[str, Any]) -> None:
        """Be out of a phase, and leave a span of it."""
        self._phases.remove(entered)
        self.world.spans.add(self.name, *entered, self.world.env.now, **details)


class Doing:
    """The block of a phase; plain slots, because an auction has a hundred."""

    __slots__ = ("_actor", "_details", "_entered", "_phase")

    def __init__(self, actor: Actor, phase: str, details: dict[str, Any]) -> None:
        self._actor, self._phase, self._details = actor, phase, details

    def __enter__(self) -> None:
        self._entered = self._actor.enter(self._phase)

    def __exit__(self, *_error: object) -> None:
        self._actor.leave(self._entered, self._details)
