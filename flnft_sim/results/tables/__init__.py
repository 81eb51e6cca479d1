"""The tables a run leaves: their rows, their columns' types, and their CSV files.

A column is text, a whole number, a number or a flag. Nothing else is stored, so a file's reader needs no guessing: the
manifest keeps each column's type, and a table that was written and read again is the same table, bit by bit.
"""

from flnft_sim.results.tables.columns import NAN, TYPES, Column, Type, columns_of
from flnft_sim.results.tables.files import csv_of, from_csv, to_csv
from flnft_sim.results.tables.frames import Columns, columns_of_frame, empty, of_rows, type_of, typed, types_of
from flnft_sim.results.tables.growing import Stored, joined, rows_of
from flnft_sim.results.tables.market import AccountRow, AuctionRow, BidRow, LicenceRow, TransactionRow
from flnft_sim.results.tables.registry import COLUMNS, ROWS
from flnft_sim.results.tables.renamed import RENAMED, as_of_now
from flnft_sim.results.tables.rounds import AgeRow, ContributionRow, PrivacyRow, RoundRow, UserRow
from flnft_sim.results.tables.sales import DeliveryRow, PromiseRow
from flnft_sim.results.tables.timeline import CounterRow, MoveRow, PhaseRow, PositionRow, RateRow, SpanRow

__all__ = [
    "COLUMNS",
    "NAN",
    "RENAMED",
    "ROWS",
    "TYPES",
    "AccountRow",
    "AgeRow",
    "AuctionRow",
    "BidRow",
    "Column",
    "Columns",
    "ContributionRow",
    "CounterRow",
    "DeliveryRow",
    "LicenceRow",
    "MoveRow",
    "PhaseRow",
    "PositionRow",
    "PrivacyRow",
    "PromiseRow",
    "RateRow",
    "RoundRow",
    "SpanRow",
    "Stored",
    "TransactionRow",
    "Type",
    "UserRow",
    "as_of_now",
    "columns_of",
    "columns_of_frame",
    "csv_of",
    "empty",
    "from_csv",
    "joined",
    "of_rows",
    "rows_of",
    "to_csv",
    "type_of",
    "typed",
    "types_of",
]
