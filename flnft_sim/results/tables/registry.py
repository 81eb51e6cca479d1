"""Every table by name: its row class, and its columns' types."""

from collections.abc import Mapping

from flnft_sim.results.tables.columns import Type, columns_of
from flnft_sim.results.tables.market import AccountRow, AuctionRow, BidRow, LicenceRow, TransactionRow
from flnft_sim.results.tables.rounds import AgeRow, ContributionRow, PrivacyRow, RoundRow, UserRow
from flnft_sim.results.tables.sales import DeliveryRow, PromiseRow
from flnft_sim.results.tables.timeline import CounterRow, MoveRow, PhaseRow, PositionRow, RateRow, SpanRow

ROWS: Mapping[str, type] = {
    "rounds": RoundRow,
    "users": UserRow,
    "contributions": ContributionRow,
    "bids": BidRow,
    "auctions": AuctionRow,
    "licences": LicenceRow,
    "promises": PromiseRow,
    "deliveries": DeliveryRow,
    "transactions": TransactionRow,
    "spans": SpanRow,
    "counters": CounterRow,
    "phases": PhaseRow,
    "aoi": AgeRow,
    "privacy": PrivacyRow,
    "accounts": AccountRow,
    "positions": PositionRow,
    "moves": MoveRow,
    "rates": RateRow,
}

COLUMNS: Mapping[str, Mapping[str, Type]] = {
    table: {column.name: column.type for column in columns_of(row)} for table, row in ROWS.items()
}
"""The columns of every table and their types. Units are in the names."""
