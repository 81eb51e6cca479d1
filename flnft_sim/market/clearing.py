"""Clear one market, or a stack of them, by any rule: check the reports, sort them, ask the rule, map back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.checks import not_negative
from flnft_sim.errors import FlnftError, InputError
from flnft_sim.knobs import Settings
from flnft_sim.late import made
from flnft_sim.market.lots import Lots
from flnft_sim.market.rules.base import RULES, NoTrade, OrderBook, Outcome, facts_of


class InvalidReport(InputError):
    """A bid, an ask or a reserve that is no amount of money."""


class InvalidOutcome(FlnftError):
    """A rule decided the impossible: more winners than licences, or a payment that is no amount of money."""


@dataclass(frozen=True)
class Clearing:
    """The result of one clearing; indices and arrays follow the reports as they were given."""

    rule: str
    buyers: Ints
    """Indices of the winning bids, highest access priority first."""
    sellers: Ints
    """Indices of the asks that were granted a sale, lowest ask first."""
    payments: Floats
    """(bids,) money each provider pays."""
    receipts: Floats
    """(asks,) money each DAO receives."""
    licences: Ints
    """(asks,) licences each DAO grants."""
    surplus: float
    """Money left with the auctioneer (payments − receipts); negative where the rule runs a deficit."""
    price: float | None
    """The lowest payment of a winner (the one price, where the rule has one); None without a trade."""
    reason: NoTrade | None
    """Why nobody won; None where somebody did."""
    seed: int | None
    """Seed of the draw between equal reports; None where their lots were handed in."""
    drawn_buyers: Ints
    """Indices of the bids that equal another bid, in the order drawn."""
    drawn_sellers: Ints
    """Indices of the asks that equal another ask, in the order drawn."""


@dataclass(frozen=True)
class ClearedStack:
    """Many clearings at once, in the order the reports were given: (…, n) and (…, m) as in `Outcome`."""

    wins: Bools
    payments: Floats
    licences: Ints
    receipts: Floats


def clear(
    rule: str,
    bids: ArrayLike,
    asks: ArrayLike,
    *,
    reserve: float = np.inf,
    seed: int = 0,
    lots: Lots | None = None,
    side: ArrayLike | None = None,
    settings: Settings | None = None,
) -> Clearing:
    """Clear one market: `bids` (n,) are money for a licence, `asks` (m,) and the published `reserve` for one or in all.

    Which of the two the rule declares (`facts_of(rule).asks`). Equal reports are ordered by `lots`, or without them by
    a draw from `seed`, never by position; so are the halves drawn of rules that split the bidders, unless `side` (n,)
    says who is in which. `settings` are what the rule is told, its defaults where None. An empty side is no trade with
    its reason. Raises `UnknownNameError` for the rule, `InvalidReport` for a report that is not a finite number ≥ 0
    (the reserve may be infinite: none) or a `side` that is no half for every bid, `InputError` where not everybody has
    a lot, `InvalidOutcome` where a rule sells licences that do not exist.
    """
    RULES.get(rule)
    bid_values, ask_values = _reports(bids, "bid"), _reports(asks, "ask")
    reserve = _reserve(reserve)
    drawn = Lots.drawn(seed, bid_values.size, ask_values.size) if lots is None else lots
    halves = None if side is None else _halves(side, bid_values.size)
    book, bid_order, ask_order = sorted_book(bid_values, ask_values, np.asarray(reserve), drawn, side=halves)
    if not bid_values.size or not ask_values.size:
        outcome = _nothing(bid_values.size, ask_values.size)
    else:
        outcome = _decided(rule, book, settings)
        _check(rule, outcome)
    winning = np.flatnonzero(outcome.wins)
    return Clearing(
        rule=rule,
        buyers=bid_order[winning],
        sellers=ask_order[np.flatnonzero(outcome.licences)],
        payments=_unsorted(outcome.payments, bid_order),
        receipts=_unsorted(outcome.receipts, ask_order),
        licences=_unsorted(outcome.licences, ask_order),
        surplus=float(outcome.payments.sum() - outcome.receipts.sum()),
        price=float(outcome.payments[winning].min()) if winning.size else None,
        reason=None if winning.size else _why_nobody(rule, book),
        seed=seed if lots is None else None,
        drawn_buyers=bid_order[_ties(book.bids)],
        drawn_sellers=ask_order[_ties(book.asks)],
    )


def clear_stack(
    rule: str,
    bids: Floats,
    asks: Floats,
    reserve: Floats,
    *,
    seed: int = 0,
    lots: Lots | None = None,
    settings: Settings | None = None,
) -> ClearedStack:
    """Clear (…, n) bids against (…, m) asks with (…) reserves; each market as `clear` does with that seed or lots.

    For searches over many markets: the reports are taken to be valid and both sides to be there.
    """
    drawn = Lots.drawn(seed, bids.shape[-1], asks.shape[-1]) if lots is None else lots
    book, bid_order, ask_order = sorted_book(bids, asks, reserve, drawn)
    outcome = _decided(rule, book, settings)
    return ClearedStack(
        wins=_unsorted(outcome.wins, bid_order),
        payments=_unsorted(outcome.payments, bid_order),
        licences=_unsorted(outcome.licences, ask_order),
        receipts=_unsorted(outcome.receipts, ask_order),
    )


def sorted_book(
    bids: Floats, asks: Floats, reserve: Floats, lots: Lots, *, side: Bools | None = None
) -> tuple[OrderBook, Ints, Ints]:
    """The order book, and for each of its positions the index of the bid and of the ask that stands there.

    The halves are as even as they can be and follow the lots, or are as `side` (n,) has them for every market.
    """
    lots.check(bids.shape[-1], asks.shape[-1])
    if bids.ndim == 1 and (unequal := _unequal(bids, asks, reserve, lots, side)) is not None:
        return unequal
    bid_draw, ask_draw = lots.bids.argsort(), lots.asks.argsort()
    # Brought into the order of lots and then sorted stably, equal reports end up in it.
    bid_lots = (-bids[..., bid_draw]).argsort(axis=-1, kind="stable")
    ask_lots = asks[..., ask_draw].argsort(axis=-1, kind="stable")
    bid_order, ask_order = bid_draw[bid_lots], ask_draw[ask_lots]
    book = OrderBook(
        bids=_sorted(bids, bid_order),
        asks=_sorted(asks, ask_order),
        reserve=reserve,
        bid_lots=bid_lots,
        ask_lots=ask_lots,
        side=2 * bid_lots < bids.shape[-1] if side is None else side[bid_order],
    )
    return book, bid_order, ask_order


def _unequal(
    bids: Floats, asks: Floats, reserve: Floats, lots: Lots, side: Bools | None
) -> tuple[OrderBook, Ints, Ints] | None:
    """The same for one market without equal reports, None for another: its lots wait until a rule asks for them."""
    bid_order, ask_order = (-bids).argsort(), asks.argsort()
    sorted_bids, sorted_asks = bids[bid_order], asks[ask_order]
    if _ties(sorted_bids).any() or _ties(sorted_asks).any():
        return None

    def lots_of_bids() -> Ints:
        return lots.bids.argsort().argsort()[bid_order]

    book: OrderBook = made(
        OrderBook,
        bids=sorted_bids,
        asks=sorted_asks,
        reserve=reserve,
        _find_bid_lots=lots_of_bids,
        _find_ask_lots=lambda: lots.asks.argsort().argsort()[ask_order],
        _find_side=lambda: 2 * lots_of_bids() < bids.size if side is None else side[bid_order],
    )
    return book, bid_order, ask_order


def _decided(rule: str, book: OrderBook, settings: Settings | None) -> Outcome:
    told = RULES.given(rule) if settings is None else {"settings": settings}
    return RULES.get(rule)(book, **told)


def _reports(values: ArrayLike, kind: str) -> Floats:
    try:
        array = np.asarray(values)
    except ValueError:
        raise InvalidReport(f"the {kind}s are ragged; give one number per party") from None
    if array.size == 0:
        return np.zeros(0)
    if array.dtype.kind not in "iuf":
        raise InvalidReport(f"the {kind}s hold {array.dtype.name} values such as {array.flat[0]!r}; give numbers")
    if array.ndim != 1:
        raise InvalidReport(f"the {kind}s have shape {array.shape}; give one number per party")
    return not_negative(f"{kind}s", array, error=InvalidReport)


def _reserve(value: float) -> float:
    if not isinstance(value, int | float | np.integer | np.floating) or not value >= 0:
        raise InvalidReport(f"the reserve is {value!r}; give a number of 0 or more, or inf for none")
    return float(value)


def _halves(side: ArrayLike, bids: int) -> Bools:
    array = np.asarray(side)
    if array.dtype != np.bool_ and array.size:
        raise InvalidReport(f"side holds {array.dtype.name} values such as {array.flat[0]!r}; give true or false")
    if array.shape != (bids,):
        raise InvalidReport(f"side has shape {array.shape} for {bids} bids; say for each bid in which half it is")
    return array.astype(np.bool_)


def _check(rule: str, outcome: Outcome) -> None:
    winners, licences = np.count_nonzero(outcome.wins), int(outcome.licences.sum())
    if winners > licences:
        raise InvalidOutcome(f"rule {rule!r} lets {winners} providers win, but its DAOs grant {licences} licences")
    if not (np.isfinite(outcome.payments).all() and np.isfinite(outcome.receipts).all()):
        raise InvalidOutcome(f"rule {rule!r} set a payment or a receipt that is not finite")


def _nothing(bids: int, asks: int) -> Outcome:
    return Outcome(
        wins=np.zeros(bids, np.bool_),
        payments=np.zeros(bids),
        licences=np.zeros(asks, np.int64),
        receipts=np.zeros(asks),
    )


def _why_nobody(rule: str, book: OrderBook) -> NoTrade:
    if not book.bids.size:
        return NoTrade.NO_BIDS
    if not book.asks.size:
        return NoTrade.NO_ASKS
    if (why_nobody := facts_of(rule).why_nobody) is not None:
        return why_nobody(book)
    if book.bids[0] < book.asks[0]:
        return NoTrade.BIDS_TOO_LOW
    if book.asks[0] > book.reserve:
        return NoTrade.ASKS_ABOVE_RESERVE
    if book.asks.size == 1 and np.isinf(book.reserve):
        return NoTrade.NO_RESERVE
    return NoTrade.PRICE_TOO_HIGH


def _sorted(values: Floats, order: Ints) -> Floats:
    return values[order] if order.ndim == 1 else np.take_along_axis(values, order, axis=-1)


def _unsorted[T: (Floats, Ints, Bools)](values: T, order: Ints) -> T:
    result = np.empty_like(values)
    if order.ndim == 1:
        result[order] = values
    else:
        np.put_along_axis(result, order, values, axis=-1)
    return result


def _ties(values: Floats) -> Bools:
    """Which positions of a sorted array equal a neighbour."""
    tied = np.zeros(values.size, np.bool_)
    if values.size < 2:
        return tied
    same = values[1:] == values[:-1]
    tied[1:] |= same
    tied[:-1] |= same
    return tied
