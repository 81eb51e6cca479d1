"""Audit the mechanism `sound` as a whole: what one party gains by a misreport when everything downstream reacts.

A misreport of a value, an ask or a promise moves who wins and what the pot is; members then compete for that pot; their
epochs decide what is delivered, which decides what is released and paid back, and what licences are worth. Off the
clock: what is delivered is what the fitted curves expect of the epochs played. As a promise stays two standard errors
below what the promised epochs are expected to come to, fewer may keep it where quality has levelled off.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from flnft_sim.agents.dao.contest import contest_terms
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.mechanisms.promises import promise_of, promised_epochs
from flnft_sim.agents.mechanisms.sound import SoundMechanism
from flnft_sim.agents.promise import Measured, Promise
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.arrays import Floats, Ints
from flnft_sim.game.contest import (
    Attack,
    ContestTerms,
    NoTotalAskError,
    WholeContest,
    contest_attacks,
    score_shares,
    total_ask,
    whole_contest,
)
from flnft_sim.market import Clearing, clear
from flnft_sim.simulation.cast import Cast

PROMISES = (0.25, 0.5, 0.8, 0.9, 1.1, 1.25, 1.5, 2.0)
"""What a DAO multiplies the quality and freshness with that it says it will deliver."""


class Tried(NamedTuple):
    """The best misreport of one party: what it gains, and how many were tried."""

    kind: str
    party: str
    factor: float
    honest: float
    gain: float
    tried: int
    honest_price: float
    price: float


@dataclass(frozen=True)
class SoundStanding:
    """One category's sale before its values are sealed."""

    name: str
    daos: Sequence[MuDao]
    buyers: Sequence[ServiceProvider]
    promise: Promise
    reserve_money: float
    rule: str

    @cached_property
    def terms(self) -> list[ContestTerms]:
        """What each DAO's members compete by."""
        return [contest_terms(dao, dao.expecting(self.promise.epochs)) for dao in self.daos]

    @cached_property
    def asks(self) -> Floats:
        """The smallest pots that keep the promise, (H,); infinite where none does."""
        return np.array([_ask(terms, self.promise.epochs) for terms in self.terms])

    @cached_property
    def budgets(self) -> Floats:
        """(M,) money."""
        return np.array([buyer.budget_money for buyer in self.buyers])

    def values(self, model: Measured, promise: Promise) -> Floats:
        """What a licence of such a model is worth to each provider, (M,)."""
        return np.array([promise.worth(b.valuation_money, b.quality_elasticity, model) for b in self.buyers])

    @cached_property
    def honest(self) -> "Outcome":
        """Everybody says what is true."""
        return self.outcome()

    @cached_property
    def bids(self) -> Floats:
        """Values of the promise, within budgets: (M,)."""
        return np.minimum(self.values(self.promise.model, self.promise), self.budgets)

    def outcome(
        self,
        *,
        bids: Floats | None = None,
        asks: Floats | None = None,
        promise: Promise | None = None,
    ) -> "Outcome":
        """Clear these reports; then members compete, deliver, and are paid."""
        promise = promise or self.promise
        if bids is None:
            bids = np.minimum(self.values(promise.model, promise), self.budgets)
        asks = self.asks if asks is None else asks
        there = np.isfinite(asks)
        if not there.any():
            return Outcome(self, promise, None, None)
        cleared = clear(self.rule, bids, np.where(there, asks, 1e300), reserve=self.reserve_money)
        return Outcome(self, promise, cleared, int(cleared.sellers[0]) if cleared.sellers.size else None)


class Outcome:
    """What a sale comes to: pot, play, delivery, release, and what everybody keeps."""

    def __init__(self, standing: SoundStanding, promise: Promise, cleared: Clearing | None, winner: int | None) -> None:
        self.standing, self.promise, self.cleared, self.winner = standing, promise, cleared, winner

    @cached_property
    def pot(self) -> float:
        """Money in escrow."""
        return 0.0 if self.cleared is None or self.winner is None else float(self.cleared.payments.sum())

    @cached_property
    def played(self) -> WholeContest:
        """What the winner's members play for the pot."""
        assert self.winner is not None
        return whole_contest(self.pot, self.standing.terms[self.winner])

    def kept(self, epochs: Ints) -> tuple[float, Measured]:
        """δ of the promise, and the model, where the winner's members train so many epochs a round."""
        assert self.winner is not None
        return self._deliveries(float(np.mean(epochs)))

    def _deliveries(self, mean: float) -> tuple[float, Measured]:
        dao = self.standing.daos[self.winner or 0]
        delivered = promise_of([dao], mean) if mean > 0 else None  # type: ignore[arg-type]
        model = Measured(0.0, 0.0) if delivered is None else delivered.reference
        return self.promise.delivered(model), model

    def released(self, epochs: Ints) -> float:
        """Money that the winner's members share."""
        terms = self.standing.terms[self.winner or 0]
        delta, _ = self.kept(epochs)
        return self.pot * delta ** self.promise.exponent(len(terms), float(terms.a))

    def provider(self, place: int) -> float:
        """What one provider keeps: its licence's worth as delivered, less its payment, with what is paid back."""
        if self.winner is None or self.cleared is None or place not in self.cleared.buyers:
            return 0.0
        delta, model = self.kept(self.played.epochs)
        buyer = self.standing.buyers[place]
        worth = self.standing.promise.worth(buyer.valuation_money, buyer.quality_elasticity, model)
        return worth - float(self.cleared.payments[place]) * delta

    def dao(self, place: int) -> float:
        """What a DAO's members keep together."""
        return float(self.users().sum()) if self.winner == place else 0.0

    def users(self, epochs: Ints | None = None, privacy: Floats | None = None) -> Floats:
        """What each of the winner's members keeps, (N,), at what is played or at other efforts."""
        terms = self.standing.terms[self.winner or 0]
        epochs = self.played.epochs if epochs is None else epochs
        privacy = self.played.privacy if privacy is None else privacy
        won = self.released(epochs) * score_shares(terms.score(epochs, privacy))
        return np.asarray(won - terms.cost(epochs, privacy))


def sound_standings(cast: Cast, rules: Sequence[str], episode: int) -> Iterator[SoundStanding]:
    """The sales of an episode as they stand, under each rule."""
    mechanism, categories = cast.mechanism, list(dict.fromkeys(dao.category for dao in cast.daos))
    assert isinstance(mechanism, SoundMechanism)
    for number, category in enumerate(categories):
        daos = [dao for dao in cast.daos if dao.category == category and not dao.withdraws]
        epochs = promised_epochs(cast.world, number, len(categories))
        promise = promise_of(daos, epochs) if daos and daos[0].buyers else None
        if promise is None:
            continue
        buyers = daos[0].buyers
        parties = [party.name for party in (*daos, *buyers)]
        reserve = mechanism.reserves.money(parties, epochs=epochs)
        for rule in rules:
            yield SoundStanding(f"{category}-e{episode}", daos, buyers, promise, reserve, rule)


def misreports(standing: SoundStanding, factors: Sequence[float]) -> Iterator[Tried]:
    """The best misreport of every party, of each kind: values, asks, promises, and members' epochs and ε.

    A pact is of all of the winner's members, who all train the same other epochs: no claim is made of it.
    """
    honest = standing.honest
    for place, buyer in enumerate(standing.buyers):
        yield _best("value", buyer.name, honest.provider(place), honest, _values(standing, place, factors), place)
    for place, dao in enumerate(standing.daos):
        for kind, tried in (("ask", _asks(standing, place, factors)), ("promise", _promises(standing))):
            yield _best(kind, dao.name, honest.dao(place), honest, tried, place)
    if honest.winner is not None:
        yield from _efforts(honest)
        yield _pact(honest)


def attacks(standing: SoundStanding) -> list[Attack]:
    """What attacks on the contest of the winning DAO earn, as parts of its pot; none without a trade."""
    honest = standing.honest
    if honest.winner is None:
        return []
    terms = standing.terms[honest.winner]
    return contest_attacks(terms, honest.pot, standing.promise.epochs, elasticity=standing.promise.elasticity)


def _values(standing: SoundStanding, place: int, factors: Sequence[float]) -> Iterator[tuple[float, "Outcome"]]:
    for factor in factors:
        bids = standing.bids.copy()
        bids[place] = min(factor * bids[place], standing.budgets[place])
        yield factor, standing.outcome(bids=bids)


def _asks(standing: SoundStanding, place: int, factors: Sequence[float]) -> Iterator[tuple[float, "Outcome"]]:
    for factor in factors:
        asks = standing.asks.copy()
        asks[place] *= factor
        yield factor, standing.outcome(asks=asks)


def _promises(standing: SoundStanding) -> Iterator[tuple[float, "Outcome"]]:
    """One DAO says it will deliver more or less; the category promises what all of them say they can.

    So it can lower the promise of many, and raise its own where it is alone.
    """
    said = standing.promise
    for factor in PROMISES:
        if factor < 1.0 or len(standing.daos) == 1:
            model = Measured(factor * said.quality, factor * said.freshness)
            yield factor, standing.outcome(promise=said.of(model))


def _best(
    kind: str,
    party: str,
    fair: float,
    honest: "Outcome",
    tried: Iterator[tuple[float, "Outcome"]],
    place: int,
) -> Tried:
    best_factor, best, best_kept, count = 1.0, honest, fair, 0
    for factor, outcome in tried:
        count += 1
        kept = outcome.provider(place) if kind == "value" else outcome.dao(place)
        if kept > best_kept + 1e-6:  # a unit of money: less cannot be paid
            best_factor, best, best_kept = factor, outcome, kept
    return Tried(kind, party, best_factor, fair, best_kept - fair, count, honest.pot, best.pot)


def _efforts(honest: "Outcome") -> Iterator[Tried]:
    """Every member of the winner trains another whole number of epochs, none included, or with another ε."""
    assert honest.winner is not None
    dao, terms = honest.standing.daos[honest.winner], honest.standing.terms[honest.winner]
    fair, played = honest.users(), honest.played
    for user, name in enumerate(dao.members.numbers.tolist()):
        for kind in ("effort", "privacy"):
            best, factor, count = float(fair[user]), 1.0, 0
            for k, e in _other_efforts(terms, played, user, kind):
                epochs, privacy = played.epochs.copy(), played.privacy.copy()
                epochs[user], privacy[user] = k, e if k else 0.0
                kept = float(honest.users(epochs, privacy)[user])
                count += 1
                if kept > best + 1e-6:
                    best = kept
                    factor = k / max(1, int(played.epochs[user])) if kind == "effort" else e / max(e, 1e-9)
            pot = honest.pot
            yield Tried(kind, f"user {name}", factor, float(fair[user]), best - float(fair[user]), count, pot, pot)


def _pact(honest: "Outcome") -> Tried:
    """All members train the same epochs instead, with the ε that they give."""
    assert honest.winner is not None
    dao, terms = honest.standing.daos[honest.winner], honest.standing.terms[honest.winner]
    fair, privacy = float(honest.users().sum()), np.where(honest.played.epochs > 0, honest.played.privacy, 0.0)
    most = int(terms.most_whole_epochs.min())
    kept = [
        float(honest.users(np.where(honest.played.takes_part, k, 0), privacy).sum()) for k in range(1, max(2, most + 1))
    ]
    best, mean = int(np.argmax(kept)), float(np.mean(honest.played.epochs))
    gains = kept[best] > fair + 1e-6
    factor = (best + 1) / mean if gains else 1.0
    return Tried("pact", dao.name, factor, fair, max(0.0, kept[best] - fair), len(kept), honest.pot, honest.pot)


def _other_efforts(terms: ContestTerms, played: WholeContest, user: int, kind: str) -> Iterator[tuple[int, float]]:
    k, e = int(played.epochs[user]), float(played.privacy[user])
    low, high = (float(end) for end in terms.privacy_range)
    if kind == "effort":
        for other in range(int(terms.most_whole_epochs[user]) + 1):
            if other != k:
                yield other, e or high
    elif k:
        for other_e in np.linspace(low, high, 9):
            yield k, float(other_e)


def _ask(terms: ContestTerms, epochs: float) -> float:
    try:
        return total_ask(terms, epochs)
    except NoTotalAskError:
        return float("inf")
