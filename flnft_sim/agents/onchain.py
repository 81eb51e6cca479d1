"""The public chain without contracts: what the market does there beyond its own transactions is nothing."""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import simpy

from flnft_sim.agents.tokens import Tokens
from flnft_sim.ledger import Receipt
from flnft_sim.market import Envelope, VoteResult
from flnft_sim.results.tables import LicenceRow

if TYPE_CHECKING:
    from flnft_sim.clock.execution import Message

# Agents know the world, which knows this: that they are agents is all that can be said of them here.
type Agent = Any
type Auction = Any
type Tender = Any
type Files = Any

Process = Generator[simpy.Event, Any, Any]


class OnChain:
    """The steps of a minting and an auction at which a contract may be asked something, in the order of the story.

    Where a step returns a message, it goes with the transaction that the step is about.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def served_by(self, contract: Agent) -> None:
        """Act for this auctioneer."""

    def minting(self, dao: Agent, files: Files) -> "Message | None":
        """Mint a model and its document."""
        del dao, files
        return None

    def minted(self, dao: Agent, receipt: Receipt) -> int:
        """Return the number of the token that was minted."""
        del receipt
        return self._tokens.newest_of(dao.address)

    def post_vote(self, dao: Agent, auction: str, vote: VoteResult) -> None:
        """Let the chain know what a vote came to."""

    def registration(self, buyers: Sequence[Agent]) -> "Message | None":
        """Admit bidders, before the draw among them is sealed."""
        del buyers
        return None

    def open_window(self, auction: Auction) -> None:
        """Open a window for bids, which ends at the auction's `closes_s`."""

    def take_asks(self, auction: Auction, ask: Callable[[Auction], None]) -> Process:
        """Let DAOs submit their asks while bids are taken; `ask` works them out. Nobody needs to, so soon."""
        del auction, ask
        yield from ()

    def bid(self, sender: Agent, tender: Tender, sealed: bytes | Envelope) -> "Message | None":
        """Send a sealed bid; whoever forges or copies one has its bytes alone."""
        del sender, tender, sealed
        return None

    def open_bids(self, auction: Auction) -> Process:
        """Open what was sealed, once the window has closed."""
        del auction
        yield from ()

    def clearing(self, auction: Auction) -> "Message | None":
        """Clear as the rule has decided."""
        del auction
        return None

    def wind_up(self, auction: Auction) -> Process:
        """Give everything back after a window in which nobody won."""
        del auction
        yield from ()

    def settlements(self, auction: Auction) -> "list[Message]":
        """Settle, in as many messages as it takes; none where entries are published instead."""
        del auction
        return []

    def pay_out(self, auction: Auction) -> Process:
        """Let everybody fetch what the settlement left to them."""
        del auction
        yield from ()

    def resell(self, auction: Auction, resold: Iterable[LicenceRow]) -> Process:
        """Let licences change hands as they were resold."""
        del auction, resold
        yield from ()
