"""The market's contracts as Python knows them: each method makes a `Call`, which somebody then signs and sends."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from enum import IntEnum
from functools import cache
from typing import Any, Self

from flnft_sim.chain.abi import Abi, Event
from flnft_sim.chain.artifacts import CONTRACTS, artifact
from flnft_sim.chain.engine import Executed, Log
from flnft_sim.chain.errors import ContractRevert
from flnft_sim.chain.limits import MAX_BIDS, MAX_VOTERS
from flnft_sim.chain.merkle import Claim
from flnft_sim.chain.seals import Opening
from flnft_sim.chain.transactions import Call
from flnft_sim.errors import InputError

PORTION = 100
"""Places that one call of `open`, `settle` or `register` takes and stays below 8 million gas."""


class Stage(IntEnum):
    """How far an auction is."""

    NONE, BIDDING, CLEARED, NO_TRADE = range(4)


class BidStatus(IntEnum):
    """What has become of a bid."""

    NONE, SEALED, OPENED, REJECTED, WON, SETTLED = range(6)


class Contract:
    """One contract at its address."""

    kind: str

    def __init__(self, address: str) -> None:
        self.address = address

    @classmethod
    def abi(cls) -> Abi:
        """Return the contract's ABI."""
        return artifact(cls.kind).abi

    @classmethod
    def _making(cls, *args: Any) -> Call:
        made = artifact(cls.kind)
        return Call(None, made.bytecode + made.abi.constructor.encode(args), 0, f"{cls.kind}.deploy", error=revert_of)

    @classmethod
    def at(cls, address: str) -> Self:
        """Return the contract of that address."""
        return cls(address)

    def events(self, logs: Iterable[Log]) -> list[Event]:
        """Return which of the logs this contract wrote, decoded."""
        return self.abi().events(log for log in logs if log.address == self.address)

    def view(self, name: str, *args: Any) -> Call:
        """Return the call that reads a public variable or a function of that name."""
        return self._call(name, *args)

    def _call(self, name: str, *args: Any, value: int = 0) -> Call:
        function = self.abi().function(name, len(args))
        return Call(self.address, function.call(args), value, f"{self.kind}.{name}", function.decode, revert_of)


def revert_of(done: Executed) -> ContractRevert:
    """Return the error of a failed call to any of the market's contracts, which call one another."""
    return _all_errors().revert(done)


class FlNft(Contract):
    """The models as tokens, their licences, and the resale of these."""

    kind = "FlNft"

    @classmethod
    def deploy(cls, market: str) -> Call:
        """Make the contract; only the auction `market` will grant licences."""
        return cls._making(market)

    def mint(self, dao: str, document: bytes, weights: bytes, royalty_bps: int) -> Call:
        """Mint a model to its DAO by the hashes of its document and its weights; the result is the token."""
        return self._call("mint", dao, document, weights, royalty_bps)

    def offer(self, token: int, rank: int, price: int) -> Call:
        """Offer one's licence for `price` wei."""
        return self._call("offer", token, rank, price)

    def withdraw_offer(self, token: int, rank: int) -> Call:
        """Take an offer back."""
        return self._call("withdrawOffer", token, rank)

    def buy(self, token: int, rank: int, *, price: int) -> Call:
        """Buy an offered licence for exactly its price in wei."""
        return self._call("buy", token, rank, value=price)

    def withdraw(self, to: str) -> Call:
        """Send one's credit to an address."""
        return self._call("withdraw", to)

    def may_use(self, token: int, user: str) -> Call:
        """Read whether a user holds a licence that has not expired."""
        return self._call("mayUse", token, user)

    def credit(self, owner: str) -> Call:
        """Read what waits to be withdrawn, in wei."""
        return self._call("credit", owner)


class SealedAuction(Contract):
    """The sealed-bid double auction, cleared by pms-am."""

    kind = "SealedAuction"

    @classmethod
    def deploy(cls, nft: str) -> Call:
        """Make the contract; who signs is its auctioneer. `nft` is the address that `FlNft` has or will have."""
        return cls._making(nft)

    def register(self, bidders: Mapping[str, bytes]) -> Call:
        """Let bidders into the auctions that are announced later, each with its 32-byte identity on the ledgers."""
        return self._call("register", list(bidders.items()))

    def announce(
        self,
        *,
        seal_to: bytes,
        closes: int,
        opens_until: int,
        licence_s: int,
        draw_seal: bytes,
        reserve: int | None = None,
        forfeit_bps: int = 0,
    ) -> Call:
        """Announce an auction; the result is its number. Moments are block times, `reserve` wei or None for none."""
        most = 2**128 - 1
        return self._call(
            "announce", seal_to, most if reserve is None else reserve, closes, opens_until, licence_s, draw_seal,
            forfeit_bps,
        )  # fmt: skip

    def ask(self, auction: int, token: int, seal: bytes) -> Call:
        """Offer licences of one's token at a sealed ask."""
        return self._call("ask", auction, token, seal)

    def bid(self, auction: int, seal: bytes, box: bytes, *, escrow: int) -> Call:
        """Seal a bid and lock `escrow` wei beside what is locked already; the result is its place in the book."""
        return self._call("bid", auction, seal, box, value=escrow)

    def open(self, auction: int, openings: Sequence[Opening]) -> Call:
        """Open sealed bids after the close."""
        return self._call("open", auction, [astuple(each) for each in openings])

    def open_ask(self, auction: int, token: int, value: int, salt: bytes) -> Call:
        """Open a sealed ask of `value` wei after the close."""
        return self._call("openAsk", auction, token, value, salt)

    def clear(self, auction: int, draw: bytes, order: bytes) -> Call:
        """Clear, with all winners in their order (`winning_order`)."""
        if len(order) > MAX_BIDS:
            raise InputError(
                f"an order of {len(order)} winners: an auction holds {MAX_BIDS} bids; leave the others out"
            )
        return self._call("clear", auction, draw, order)

    def settle(self, auction: int, places: Sequence[int]) -> Call:
        """Give the bidders at these places their licence and their money."""
        return self._call("settle", auction, list(places))

    def cancel(self, auction: int) -> Call:
        """End an auction that nobody cleared for a week."""
        return self._call("cancel", auction)

    def withdraw(self, to: str) -> Call:
        """Send one's credit to an address; the result is how much that was."""
        return self._call("withdraw", to)

    def credit(self, owner: str) -> Call:
        """Read what waits to be withdrawn, in wei."""
        return self._call("credit", owner)

    def sale(self, auction: int) -> Call:
        """Read an auction's terms and result: the fields of `Sale` in the contract, in order."""
        return self._call("sales", auction)

    def bid_at(self, auction: int, place: int) -> Call:
        """Read a bid: bidder, escrow, status (`BidStatus`), and its seal or total."""
        return self._call("bids", auction, place)


class MuDao(Contract):
    """A DAO's votes, asks and shares."""

    kind = "MuDao"

    @classmethod
    def deploy(cls, members: Sequence[str]) -> Call:
        """Make the contract; who signs is its executor. Without members, votes are held elsewhere and posted."""
        if len(members) > MAX_VOTERS:
            raise InputError(
                f"a DAO of {len(members)} members votes on chain with at most {MAX_VOTERS}; make it without members "
                "and post what its votes came to"
            )
        return cls._making(list(members))

    def start_vote(self, ends: int, needed: int) -> Call:
        """Start a vote until a block time, in which an ask stands by `needed` approvals; the result is its number."""
        return self._call("startVote", ends, needed)

    def propose(self, vote: int, ask: int) -> Call:
        """Propose one's ask in wei."""
        return self._call("propose", vote, ask)

    def vote(self, vote: int, approvals: Iterable[int]) -> Call:
        """Approve the asks of the members at these places."""
        return self._call("vote", vote, sum(1 << place for place in set(approvals)))

    def tally(self, vote: int, root: bytes, weight: int) -> Call:
        """Count a vote; the result is the DAO's ask. `root` and `weight` are a `ShareTree`'s."""
        return self._call("tally", vote, root, weight)

    def post(self, vote: int, root: bytes, weight: int, total: int) -> Call:
        """Say what a vote came to that was held elsewhere."""
        return self._call("post", vote, root, weight, total)

    def submit_ask(self, market: str, auction: int, token: int, seal: bytes) -> Call:
        """Offer licences of the DAO's token in an auction."""
        return self._call("submitAsk", market, auction, token, seal)

    def collect(self, payer: str, vote: int) -> Call:
        """Fetch the DAO's credit, to be shared by a vote's weights; the result is the receipt's number."""
        return self._call("collect", payer, vote)

    def claim(self, receipt: int, claim: Claim) -> Call:
        """Pay a member its part of a receipt."""
        return self._call("claim", receipt, claim.place, claim.to, claim.c1, claim.c2, list(claim.proof))


def portions(places: Sequence[Any], size: int = PORTION) -> list[Sequence[Any]]:
    """Split what one transaction should not do at once."""
    return [places[start : start + size] for start in range(0, len(places), size)]


@cache
def _all_errors() -> Abi:
    return Abi.together(artifact(kind).abi for kind in CONTRACTS)
