"""An outsider who attacks auctions: forged, replayed and damaged bids, as many as the scenario says."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import mesa

from flnft_sim.agents.actor import Actor
from flnft_sim.ledger import to_units
from flnft_sim.market import Bid, seal

if TYPE_CHECKING:
    from flnft_sim.agents.contract.contract import Auction
    from flnft_sim.agents.world import World

LATER = 0.1  # share of the window after which a copy is sent, so that it comes behind the original
Attack = tuple[bytes, float]  # a ciphertext, and when it is sent after the window opens


class Outsider(Actor):
    """Somebody without an account who would like to decide auctions."""

    role = "outsider"

    def __init__(self, model: mesa.Model, world: "World") -> None:
        super().__init__(model, world, 0)
        self._rng = world.streams.generator("attacks")
        self._seen: list[bytes] = []  # ciphertexts read off the public chain

    def attack(self, auction: "Auction", honest: list[bytes], window_s: float) -> Iterator[Attack]:
        """This window's attacks: ciphertexts, and when each is sent."""
        failures = self.world.settings.failures
        for _ in range(failures.forged_bids):
            yield self._forged(auction), self._moment_s(window_s)
        for _ in range(failures.replayed_bids if honest else 0):
            seen = honest + self._seen  # of this window, sent a second time, or of an earlier one
            yield seen[int(self._rng.integers(len(seen)))], self._moment_s(window_s) + LATER * window_s
        for _ in range(failures.garbled_bids if honest else 0):
            damaged = bytearray(honest[int(self._rng.integers(len(honest)))])
            damaged[int(self._rng.integers(len(damaged)))] ^= 1 + int(self._rng.integers(255))
            yield bytes(damaged), self._moment_s(window_s)
        self._seen += honest

    def _forged(self, auction: "Auction") -> bytes:
        """A bid in a provider's name, signed with the outsider's own key."""
        victim = auction.buyers[int(self._rng.integers(len(auction.buyers)))]
        bid = Bid(
            auction_id=auction.name,
            bidder=victim.address,
            quality_price=1.0,
            freshness_price=1.0,
            total=to_units(victim.budget_money),
            nonce=int(self._rng.integers(2**31, 2**32)),
            window=auction.rebids,
        )
        return seal(bid, self.key.signing_key, auction.sealed.public_key, entropy=self._rng.bytes(32))

    def _moment_s(self, window_s: float) -> float:
        return float(self._rng.uniform(0.0, 0.05)) * window_s
