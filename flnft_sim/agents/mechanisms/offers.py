"""What DAOs offer in advance: which category each takes, what it promises, and the total that its members ask for."""

from collections.abc import Callable, Sequence

import numpy as np

from flnft_sim.agents.dao.contest import PotTerms, contest_terms, lone_cost
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.mechanisms.base import Parties, Process, side_by_side
from flnft_sim.agents.mechanisms.promises import promise_of, promised_epochs
from flnft_sim.agents.mechanisms.sale import PotBook
from flnft_sim.agents.promise import Measured, Promise
from flnft_sim.game.contest import NoTotalAskError, total_ask

IDLE_ASK = 0.1  # of what it would take: who does not mean to work can ask for less


class Offers:
    """Promises and asks of all DAOs; neither moves with anything that a provider says."""

    def __init__(self, parties: Parties, pots: PotBook, *, delivered: Callable[[MuDao], Measured]) -> None:
        self.parties, self.pots, self._delivered = parties, pots, delivered
        self.categories = list(dict.fromkeys(dao.category for dao in parties.daos))
        self.asks: dict[tuple[int, int], tuple[float, str]] = {}
        """By DAO and promised epochs, as far as they were asked for."""
        self._promises: dict[tuple[tuple[int, ...], int], Promise | None] = {}

    def choose_categories(self, sellers: Sequence[MuDao]) -> None:
        """Where DAOs choose, one after another takes the category whose pot it expects to leave it most."""
        if self.parties.world.settings.market.category_choice == "fixed" or len(self.categories) < 2:
            return
        there = dict.fromkeys(self.categories, 0)
        for dao in sellers:
            best = max(self.categories, key=lambda each: self._foreseen_cash(dao, each, there[each]))
            there[best] += 1
            dao.join(best, [buyer for buyer in self.parties.providers if buyer.wants(best)])

    def _foreseen_cash(self, dao: MuDao, category: str, rivals: int) -> float:
        """What the pot expected there leaves members after the effort that it makes worthwhile, of one in so many."""
        pot = self.pots.expected_money(category, self.total_ask(dao, self.epochs(category))[0])
        terms = PotTerms(dao, pot=pot, promised_epochs=self.epochs(category))
        agreed = terms.agreement(dao, dao.expecting(self.epochs(category)))
        return float(agreed.terms.cash(pot, agreed.played.epochs, agreed.played.privacy).sum()) / (1 + rivals)

    def epochs(self, category: str) -> int:
        """k⁰, the epochs a round that DAOs of a category promise."""
        return promised_epochs(self.parties.world, self.categories.index(category), len(self.categories))

    def promise(self, sellers: Sequence[MuDao], category: str) -> Promise | None:
        """What all of them can promise; where the work is done, what all of them have delivered."""
        promise = self.ahead(sellers, category)
        if promise is None or self.parties.world.settings.market.order == "presale":
            return promise
        there = [self._delivered(dao) for dao in sellers]
        return promise.of(Measured(min(m.quality for m in there), min(m.freshness for m in there)))

    def ahead(self, sellers: Sequence[MuDao], category: str) -> Promise | None:
        """What all of them can promise before anything is trained."""
        key = tuple(dao.number for dao in sellers), self.epochs(category)
        if key not in self._promises:
            self._promises[key] = promise_of(sellers, key[1])
        return self._promises[key]

    def ask(self, name: str, category: str, sellers: Sequence[MuDao], promise: Promise | None) -> Process:
        """Let every DAO's members vote on its total ask; returns (DAO, money) of those that ask."""
        due = [(dao, *self.total_ask(dao, self.epochs(category))) for dao in sellers]
        voting = (
            _nothing() if promise is None or np.isinf(money) else dao.vote_on_total(name, money * _eagerness(dao))
            for dao, money, _ in due
        )
        votes = yield from side_by_side(self.parties.world.env, voting)
        asks = []
        for (dao, money, reason), ask in zip(due, votes, strict=True):
            if ask is not None:
                asks.append((dao, ask))
            elif promise is None:
                self.parties.contract.unheld.record(name, category, f"what {dao.name} could promise is worth nothing")
            else:
                stalled = f"the ledger of {dao.name} stalled: no vote, no ask"
                self.parties.contract.unheld.record(name, category, stalled if np.isfinite(money) else reason)
        return asks

    def total_ask(self, dao: MuDao, epochs: int) -> tuple[float, str]:
        """The pot at which members keep the promise, infinite where none does, and what is special about it."""
        if (dao.number, epochs) not in self.asks:
            self.asks[dao.number, epochs] = _total_ask(dao, epochs)
        return self.asks[dao.number, epochs]


def _total_ask(dao: MuDao, epochs: int) -> tuple[float, str]:
    terms = contest_terms(dao, dao.expecting(epochs))
    if len(terms) == 1:
        margin = 1.0 + dao.world.settings.market.lone_margin
        return margin * lone_cost(terms, epochs), "one member, no contest: its cost and a margin"
    try:
        return total_ask(terms, epochs), ""
    except NoTotalAskError as error:
        return float("inf"), f"{dao.name}: {error}"


def _eagerness(dao: MuDao) -> float:
    return IDLE_ASK if dao.idles else 1.0


def _nothing() -> Process:
    yield from ()
