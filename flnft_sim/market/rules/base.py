"""What every clearing rule takes and gives, and the one registry of rules."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

import numpy as np

from flnft_sim import families
from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.knobs import Settings
from flnft_sim.late import late
from flnft_sim.registry import Registry

type Asks = Literal["per-licence", "total"]
"""What an ask is: money for each licence, or for the model, however many share it."""


class NoTrade(StrEnum):
    """Why nobody won."""

    NO_BIDS = "no bids"
    NO_ASKS = "no asks"
    BIDS_TOO_LOW = "the highest bid is below the lowest ask"
    ASKS_ABOVE_RESERVE = "the lowest ask is above the reserve"
    NO_RESERVE = "a single ask and no reserve to set its price"
    PRICE_TOO_HIGH = "no bid reaches the price the rule sets"
    NO_TARGET = "a single ask and no reserve to set the target"
    TARGET_TOO_HIGH = "no group of bidders covers the target"
    EMPTY_HALF = "one half of the bidders is empty and offers the other nothing"


@late("bid_lots", "ask_lots", "side")
@dataclass(frozen=True)
class OrderBook:
    """Sealed reports, opened and sorted: b_1 ≥ b_2 ≥ … (Eq. 35b) and s_1 ≤ s_2 ≤ … (Eq. 35a), money.

    Bids are for a licence; asks and the reserve for a licence or in total, as the rule takes them (`RuleFacts`). Equal
    reports stand in the order of their lots. Leading axes (…) are markets: a rule that never looks at them clears a
    whole stack at once, which is what makes the audit fast.
    """

    bids: Floats
    """(…, n) descending, n ≥ 1."""
    asks: Floats
    """(…, m) ascending, m ≥ 1."""
    reserve: Floats
    """(…) the published reserve price, inf where there is none."""
    bid_lots: Ints
    """(…, n) the lot 0 … n−1 each bidder drew, whatever it reported."""
    ask_lots: Ints
    """(…, m) the lot 0 … m−1 each DAO drew."""
    side: Bools
    """(…, n) into which of two halves each bidder fell by lot, whatever it reported."""

    def bid(self, k: int | Ints) -> Floats:
        """b_k in every market, counted from 1; −inf where there is no k-th bid."""
        return _kth(self.bids, k, missing=-np.inf)

    def ask(self, k: int | Ints) -> Floats:
        """s_k in every market, counted from 1; inf where there is no k-th ask."""
        return _kth(self.asks, k, missing=np.inf)

    def efficient_pairs(self) -> Ints:
        """The largest k with b_k ≥ s_k among the min(n, m) pairs, 0 where there is none."""
        pairs = min(self.bids.shape[-1], self.asks.shape[-1])
        # Bids fall and asks rise, so the pairs that can trade come first and counting them gives k.
        return np.count_nonzero(self.bids[..., :pairs] >= self.asks[..., :pairs], axis=-1)

    def first_bids(self, k: int | Ints) -> Bools:
        """(…, n) which positions are among the first k."""
        return np.arange(self.bids.shape[-1]) < np.asarray(k)[..., None]

    def first_asks(self, k: int | Ints) -> Bools:
        """(…, m) which positions are among the first k."""
        return np.arange(self.asks.shape[-1]) < np.asarray(k)[..., None]


@dataclass(frozen=True)
class Outcome:
    """What a rule decides, in the order of the book."""

    wins: Bools
    """(…, n) who gets a licence."""
    payments: Floats
    """(…, n) money each provider pays."""
    licences: Ints
    """(…, m) licences each DAO grants."""
    receipts: Floats
    """(…, m) money each DAO gets."""


type Rule = Callable[..., Outcome]
"""Called with an `OrderBook`, and with `settings` where it registered a class of them."""

RULES: Registry[Rule] = families.RULES


@dataclass(frozen=True, kw_only=True)
class RuleFacts:
    """What is known of a rule before it clears anything; registered with it as its `facts`."""

    asks: Asks = "per-licence"
    why_nobody: Callable[[OrderBook], NoTrade] | None = None
    """Says of a market (n,) × (m,) with both sides there why nobody won; None: what asks per licence suggest."""


@dataclass(frozen=True, kw_only=True)
class LearnsFromBids(Settings):
    """Settings of a rule that looks at what was bid before: by others than now take part, for it sets their price."""

    past_bids: tuple[float, ...] = ()
    """Money; for code alone."""


def learned_from(settings: Settings | None, past_bids: Iterable[float]) -> Settings | None:
    """The settings with these bids to learn from, where the rule learns; else as they are."""
    return replace(settings, past_bids=tuple(past_bids)) if isinstance(settings, LearnsFromBids) else settings


def facts_of(rule: str) -> RuleFacts:
    """What a rule declares of itself; one that declares nothing takes asks per licence."""
    return RULES.facts(rule) or RuleFacts()


def one_dao_serves(book: OrderBook, wins: Bools, payments: Floats, *, receipt: Floats | None = None) -> Outcome:
    """The cheapest DAO grants every licence, and gets all that is paid unless `receipt` (…) says otherwise."""
    payments = np.where(wins, payments, 0.0)
    served = np.count_nonzero(wins, axis=-1)
    paid = payments.sum(axis=-1) if receipt is None else np.where(served > 0, receipt, 0.0)
    first = book.first_asks(1)
    return Outcome(
        wins=wins,
        payments=payments,
        licences=np.where(first, served[..., None], 0),
        receipts=np.where(first, paid[..., None], 0.0),
    )


def _kth(values: Floats, k: int | Ints, *, missing: float) -> Floats:
    size = values.shape[-1]
    if isinstance(k, int | np.integer):
        return values[..., k - 1] if 1 <= k <= size else np.full(values.shape[:-1], missing)
    k = np.broadcast_to(k, values.shape[:-1])
    position = np.clip(k - 1, 0, size - 1)
    found = np.take_along_axis(values, position[..., None], axis=-1)[..., 0]
    return np.where((k >= 1) & (k <= size), found, missing)
