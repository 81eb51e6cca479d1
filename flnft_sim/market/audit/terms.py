"""Clear a market whose costs are per licence or totals by a rule that takes asks of either kind."""

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats
from flnft_sim.errors import InputError
from flnft_sim.knobs import Settings
from flnft_sim.market.audit.markets import LARGEST
from flnft_sim.market.clearing import ClearedStack, Clearing, clear, clear_stack
from flnft_sim.market.rules.base import RULES, Asks, facts_of
from flnft_sim.settings.rules import ValuesSettings


def asks_to_audit(rule: str, asks: Asks | None) -> Asks:
    """The kind of costs to audit a rule by: its own unless said; `InputError` for totals held against a licence."""
    own = facts_of(rule).asks
    if asks == "per-licence" and own == "total":
        raise InputError(f"rule {rule!r} clears total asks, so it cannot be audited per licence; leave the kind away")
    return asks or own


def bidders_per_ask(rule: str, asks: Asks, bidders: int) -> int:
    """By what a total ask is divided before the rule sees it: all who bid share it, as in the auction contract."""
    return bidders if asks == "total" and facts_of(rule).asks == "per-licence" else 1


def told(rule: str) -> Settings | None:
    """What a rule is told in an audit: the law of values there, where it posts a price by one; else its defaults."""
    kind = RULES.settings_class(rule)
    if kind is not None and issubclass(kind, ValuesSettings):
        return kind(value_law="uniform", value_range_money=(0.0, LARGEST))
    return None


def clear_stack_in(asks: Asks, rule: str, bids: Floats, costs: Floats, reserve: Floats, *, seed: int) -> ClearedStack:
    """As `clear_stack`, with costs and reserves of the given kind, whatever the rule takes."""
    parts = bidders_per_ask(rule, asks, bids.shape[-1])
    return clear_stack(rule, bids, costs / parts, reserve / parts, seed=seed, settings=told(rule))


def clear_in(asks: Asks, rule: str, bids: ArrayLike, costs: ArrayLike, *, reserve: float, seed: int) -> Clearing:
    """As `clear`, with costs and a reserve of the given kind, whatever the rule takes."""
    parts = bidders_per_ask(rule, asks, np.size(bids))
    return clear(rule, bids, np.asarray(costs) / parts, reserve=reserve / parts, seed=seed, settings=told(rule))
