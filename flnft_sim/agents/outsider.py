"""An outsider who attacks auctions: forged, replayed and damaged bids, as many as the scenario says."""

from collections.abc import Generator
from typing import Any

import mesa
import simpy

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.tender import Tender, submit
from flnft_sim.agents.world import World
from flnft_sim.market import Bid, seal

Process = Generator[simpy.Event, Any, Any]

LATER = 0.1  # share of the window after which it copies what honest bidders have sent by then


class Outsider(Actor):
    """Somebody without an account who would like to decide auctions, and reads the public chain."""

    role = "outsider"

    def __init__(self, model: mesa.Model, world: World) -> None:
        super().__init__(model, world, 0)
        self._rng = world.streams.generator("attacks")
        self._copied: list[bytes] = []  # ciphertexts of earlier windows and auctions

    def attack(self, tender: Tender) -> Process:
        """Attack every window of an auction: forge bids at once, and later send what was seen again, or damaged."""
        failures, env, rebids = self.world.settings.failures, self.world.env, True
        while rebids:
            moved, seen = tender.moved, len(tender.book)
            for _ in range(failures.forged_bids if self.world.accounts.escrowing(tender.name) else 0):
                self._send(tender, self._forged(tender))
            yield env.timeout(LATER * tender.window_s)
            copies = failures.replayed_bids or failures.garbled_bids
            honest = [bytes(each.sealed) for each in tender.book[seen:] if copies and each.sender != self.name]
            self._copied += honest
            for _ in range(failures.replayed_bids if honest else 0):
                self._send(tender, self._copied[int(self._rng.integers(len(self._copied)))])
            for _ in range(failures.garbled_bids if honest else 0):
                self._send(tender, self._garbled(honest[int(self._rng.integers(len(honest)))]))
            rebids = yield moved

    def _send(self, tender: Tender, sealed: bytes) -> None:
        """Submit a ciphertext a moment from now."""
        self.world.env.process(self._bring(tender, sealed, tender.soon_s(self._rng)))

    def _bring(self, tender: Tender, sealed: bytes, delay_s: float) -> Process:
        yield self.world.env.timeout(delay_s)
        yield from submit(self, tender, sealed)

    def _forged(self, tender: Tender) -> bytes:
        """A bid in a registered bidder's name, of all that it has locked, signed with the outsider's own key."""
        accounts = self.world.accounts
        bidders = accounts.escrowing(tender.name)
        victim = bidders[int(self._rng.integers(len(bidders)))]
        bid = Bid(
            auction_id=tender.name,
            bidder=victim,
            quality_price=1.0,
            freshness_price=1.0,
            total=accounts.escrowed(victim, tender.name),
            nonce=int(self._rng.integers(2**31, 2**32)),
            window=tender.window,
        )
        return seal(bid, self.key.signing_key, tender.seal_to, entropy=self._rng.bytes(32))

    def _garbled(self, sealed: bytes) -> bytes:
        """A ciphertext with one byte changed."""
        damaged = bytearray(sealed)
        damaged[int(self._rng.integers(len(damaged)))] ^= 1 + int(self._rng.integers(255))
        return bytes(damaged)
