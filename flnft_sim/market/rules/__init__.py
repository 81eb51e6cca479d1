"""Clearing rules, one file each, imported when they are first asked for."""

from flnft_sim.market.rules.base import (
    RULES,
    Asks,
    LearnsFromBids,
    NoTrade,
    OrderBook,
    Outcome,
    Rule,
    RuleFacts,
    facts_of,
    learned_from,
    one_dao_serves,
)

__all__ = [
    "RULES",
    "Asks",
    "LearnsFromBids",
    "NoTrade",
    "OrderBook",
    "Outcome",
    "Rule",
    "RuleFacts",
    "facts_of",
    "learned_from",
    "one_dao_serves",
]
