"""A neutral committer of test sets: it fixes one before a model is there, and opens it when that is final."""

import hashlib
from collections.abc import Generator
from typing import Any

import mesa
import simpy

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.world import World

Process = Generator[simpy.Event, Any, Any]


class Committer(Actor):
    """Neither DAO, member nor bidder. What it commits to is on the public chain before the first bid.

    Which samples a test set has is the data set's own split here; what is committed is the key that would draw them.
    """

    role = "committer"

    def __init__(self, model: mesa.Model, world: World, number: int, *, silent: bool) -> None:
        super().__init__(model, world, number)
        self.silent = silent  # does not open what it has committed to, and loses its bond
        self._rng = world.streams.generator("test sets", number)
        self._keys: dict[str, bytes] = {}  # by auction

    def commit(self, auction: str) -> Process:
        """Choose a test set for an auction, and make its hash final on the public chain."""
        self._keys[auction] = key = self._rng.bytes(32)
        with self.doing("bidding", auction=auction):
            payload = {"auction": auction, "test_set_hash": hashlib.sha256(key).hexdigest()}
            yield self.world.public_chain.submit("commit", self.key, payload)

    def open(self, auction: str) -> Process:
        """Open it for everybody, final on the public chain; returns whether it did."""
        if self.silent:
            yield self.world.env.timeout(self.world.public_chain.expected_s)  # until others cannot but notice
            return False
        with self.doing("clearing", auction=auction):
            payload = {"auction": auction, "test_set": self._keys.pop(auction).hex()}
            yield self.world.public_chain.submit("open", self.key, payload)
        return True
