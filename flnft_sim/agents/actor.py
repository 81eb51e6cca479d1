"""What all agents have in common: a name, a key, an account, and a span for everything they do on the clock."""

from collections.abc import Iterator
from contextlib import contextmanager
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

    @contextmanager
    def doing(self, phase: str, **details: Any) -> Iterator[None]:
        """Be in `phase` from now until the block ends, and leave a span of it."""
        entered = phase, self.world.env.now
        self._phases.append(entered)
        try:
            yield
        finally:
            self._phases.remove(entered)
            self.world.spans.add(self.name, *entered, self.world.env.now, **details)
