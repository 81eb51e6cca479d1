"""One sale of `sound` as it unfolds, and the pots that the ledger lets expect of the next."""

from dataclasses import dataclass

from flnft_sim.agents.belief_book import BeliefBook
from flnft_sim.agents.contract.auction import Auction
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.promise import Measured, Promise
from flnft_sim.game import BidBelief
from flnft_sim.market import Pot


@dataclass(frozen=True)
class Report:
    """What evaluators said of a model's quality, of whom some said what helps them."""

    median: float
    evaluators: int
    liars: int
    test_sets: int
    """How many test sets had to be asked for until one was opened."""


@dataclass
class Sale:
    """An auction whose winners pay into a pot, and what is delivered for it."""

    auction: Auction
    promise: Promise
    pot: Pot
    winner: MuDao | None = None
    cleared_s: float = 0.0
    due_by_s: float = float("inf")
    minted_s: float = float("nan")
    """Timestamp of the public block that the mint is in."""
    model: Measured | None = None
    report: Report | None = None

    @property
    def name(self) -> str:
        """The auction's."""
        return self.auction.name


class PotBook:
    """What the ledger lets everybody expect of the next pot in each category."""

    def __init__(self, beliefs: BeliefBook) -> None:
        self._beliefs, self._of = beliefs, dict[str, BidBelief]()

    def expected_money(self, category: str, prior_money: float) -> float:
        """The pot that is expected, `prior_money` while the ledger shows none; without a trade there was one of 0."""
        known = self._of.get(category)
        return prior_money if known is None else known.mean()

    def observe(self, category: str, pot_money: float) -> None:
        """Take in a clearing's pot."""
        if category not in self._of:
            self._of[category] = self._beliefs.about("pots", len(self._of), prior_money=pot_money)
        self._of[category].observe(pot_money)
