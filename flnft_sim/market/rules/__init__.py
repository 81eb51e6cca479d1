"""Clearing rules, one file each, imported when they are first asked for."""

from flnft_sim.market.rules.base import (
    RULES,
    Asks,
    NoTrade,
    OrderBook,
    Outcome,
    Rule,
    RuleFacts,
    facts_of,
    one_dao_serves,
)

__all__ = [
    "RULES",
    "Asks",
    "NoTrade",
    "OrderBook",
    "Outcome",
    "Rule",
    "RuleFacts",
    "facts_of",
    "one_dao_serves",
]
