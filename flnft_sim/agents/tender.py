"""What everybody can see of an auction while bids are taken, and how a sealed bid gets into it."""

from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import simpy

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.decision import Decision
from flnft_sim.agents.promise import Promise
from flnft_sim.ledger import LatePayload, canonical_json
from flnft_sim.market import BidRejected, BidStatus, BookEntry, Envelope, SealedBids

Process = Generator[simpy.Event, Any, Any]

_SENT_WITHIN = 0.05


@dataclass
class Tender:
    """An announced auction: what is for sale, the key to seal bids with, the window that is open."""

    name: str
    category: str
    decisions: tuple[Decision, ...]
    """Of the FL-NFTs on offer, one each: the prices announced to users, and the satisfaction they come to."""
    reserve_money: float
    window_s: float
    """How long each window is open."""
    sealed: SealedBids = field(repr=False)
    moved: simpy.Event
    """Succeeds when a window has closed: with True where nobody won and the next is open, else with False."""
    promise: Promise | None = None
    """What is sold in advance; None where it is there already."""
    bidders: tuple[int, ...] = ()
    """Numbers of the providers that may bid for what is sold in advance."""
    window: int = 0
    """0 for the first, n for that of the n-th rebid; bids are signed for it."""
    on_their_way: list[simpy.Event] = field(default_factory=list, repr=False)
    """Transactions of this window's bids; whether they were in time is known when they are in blocks."""

    @property
    def seal_to(self) -> bytes:
        """The key that bids are encrypted to."""
        return self.sealed.public_key

    @property
    def book(self) -> list[BookEntry]:
        """Every ciphertext sent so far, in the order of sending."""
        return self.sealed.book

    def rivals_of(self, provider: int) -> list[int]:
        """The others that may bid."""
        return [number for number in self.bidders if number != provider]

    def soon_s(self, rng: np.random.Generator) -> float:
        """Draw a moment in the first twentieth of a window, in seconds: early enough to be in a block in time."""
        return float(rng.uniform(0.0, _SENT_WITHIN)) * self.window_s

    def close(self, *, rebid: bool) -> None:
        """Tell everybody who waits that the window is closed, and whether there is another."""
        moved, self.moved = self.moved, self.moved.env.event()
        self.on_their_way.clear()
        if rebid:
            self.window += 1
        moved.succeed(rebid)


def submit(sender: Actor, tender: Tender, sealed: bytes | Envelope) -> Process:
    """Send a sealed bid to the public chain and wait until it is in a block: from then on it counts.

    Whoever did not make it has its bytes alone. Where contracts are executed, the auction's may refuse it there and
    then.
    """
    chain = sender.world.public_chain
    entry = tender.sealed.receive(sealed, sender=sender.name, sealed_at_s=sender.world.env.now)
    with sender.doing("bidding", auction=tender.name):
        message = sender.world.onchain.bid(sender, tender, sealed)
        final = chain.submit("bid", sender.key, _payload(tender.name, sealed), message=message)
        tender.on_their_way.append(final)
        receipt = yield final
    entry.in_block_s, entry.answer = chain.timestamp_s(receipt.block_height), receipt.answer
    if receipt.answer is not None and receipt.answer.error:
        entry.status, entry.rejection = BidStatus.REJECTED, BidRejected(receipt.answer.error)


def _payload(auction: str, sealed: bytes | Envelope) -> LatePayload:
    """What a bid's transaction carries, by a length that is known while nobody has read it."""
    size = Envelope.SIZE if isinstance(sealed, Envelope) else len(sealed)
    return LatePayload(len(canonical_json(_told(auction, b""))) + 2 * size, partial(_told, auction, sealed))


def _told(auction: str, sealed: bytes | Envelope) -> dict[str, str]:
    return {"auction": auction, "sealed": bytes(sealed).hex()}
