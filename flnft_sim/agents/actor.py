"""What all agents have in common: a name, a key, an account, and a span for everything they do on the clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mesa

from flnft_sim.agents.world import World
from flnft_sim.ledger import key_of


class Actor(mesa.Agent):
    """A Mesa agent whose life is a SimPy process, and which can say at any moment what it is doing.

    `activity` is the phase the actor is in now ("idle" between phases): the browser colours it, and the watchdog names
    it when the clock has stopped.
    """

    role = "actor"

    def __init__(self, model: mesa.Model, world: World, number: int) -> None:
        super().__init__(model)
        self.world = world
        self.number = number
        self.name = f"{self.role}-{number}"
        self.key = key_of(world.streams, self.role, number)
        self.activity = "idle"

    @property
    def address(self) -> str:
        """The actor's address on the ledgers."""
        return self.key.address

    @contextmanager
    def doing(self, phase: str, **details: Any) -> Iterator[None]:
        """Be in `phase` from now until the block ends, and leave a span of it."""
        start_s, before = self.world.env.now, self.activity
        self.activity = phase
        try:
            yield
        finally:
            self.activity = before
            self.world.spans.add(self.name, phase, start_s, self.world.env.now, **details)
