"""Clearing rules, one file each, imported when they are first asked for."""

from flnft_sim.market.rules.base import RULES, OrderBook, Outcome, Rule, one_dao_serves

__all__ = [
    "RULES",
    "OrderBook",
    "Outcome",
    "Rule",
    "one_dao_serves",
]
