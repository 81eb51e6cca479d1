"""The world below the agents: one clock, one radio cell, one public chain, the accounts, and the book of records."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import simpy

from flnft_sim import knobs
from flnft_sim.agents.belief_book import BeliefBook
from flnft_sim.agents.gas_money import GasMoney
from flnft_sim.agents.measures import Measures
from flnft_sim.agents.onchain import OnChain
from flnft_sim.agents.policy import Policy
from flnft_sim.agents.reserve_book import ReserveBook
from flnft_sim.agents.settings import Settings
from flnft_sim.clock.downlink import Downlink
from flnft_sim.clock.public_chain import PublicChain
from flnft_sim.clock.radio_cell import RadioCell
from flnft_sim.game import DemandRegimes
from flnft_sim.game.engines import GameEngine
from flnft_sim.game.incentives import Incentives
from flnft_sim.ledger import Accounts
from flnft_sim.results import SpanLog
from flnft_sim.results.tables import (
    AuctionRow,
    BidRow,
    DeliveryRow,
    LicenceRow,
    PromiseRow,
    RoundRow,
    UserRow,
    rows_of,
)
from flnft_sim.spool import Rows, Spool
from flnft_sim.streams import Streams

Row = dict[str, Any]


class Records:
    """Rows of the tables a run leaves, in the order things happened; given a spool, all but the newest lie in it.

    Rows that may change later are kept in memory, or told what changed by `Rows.amend`. `on_round` is told of every
    finished FL round, for progress displays.
    """

    def __init__(self, on_round: Callable[[Row], None] | None, *, spool: Spool | None = None) -> None:
        self.on_round = on_round
        self.rounds: Rows[RoundRow] = rows_of("rounds", spool)
        self.users: Rows[UserRow] = rows_of("users", spool)
        self.crowds: dict[int, dict[str, Any]] = {}  # columns of `users`: a crowd's last round
        self.bids: Rows[BidRow] = rows_of("bids", spool)
        self.auctions: Rows[AuctionRow] = rows_of("auctions", spool)
        self.licences: list[LicenceRow] = []  # when each model was fetched is filled in
        self.promises: Rows[PromiseRow] = rows_of("promises", spool)
        self.deliveries: Rows[DeliveryRow] = rows_of("deliveries", spool)
        self.contributions: list[Row] = []

    def end_round(self, row: RoundRow) -> None:
        """Keep a round's row, and tell whoever shows progress."""
        self.rounds.append(row)
        if self.on_round is not None:
            self.on_round(asdict(row))


@dataclass
class World:
    """What every agent can see and use; who the others are it does not say."""

    settings: Settings
    streams: Streams
    env: simpy.Environment
    spans: SpanLog
    records: Records
    accounts: Accounts
    public_chain: PublicChain
    onchain: OnChain
    """What contracts on the public chain do."""
    gas_money: GasMoney
    cell: RadioCell
    downlink: Downlink
    beliefs: BeliefBook
    reserves: ReserveBook
    demand: DemandRegimes
    rule_settings: knobs.Settings | None = None
    """What the clearing rule is told, beside what it learns from the ledger."""
    incentives: Incentives | None = None
    """What moves users; none where it is what the paper says."""
    engine: GameEngine = field(default_factory=GameEngine)
    """What finds decisions."""
    measures: Measures = field(default_factory=Measures)
    """How users' contributions are measured."""
    policy: Policy = field(default_factory=Policy)
    """How providers and users decide."""
    spool: Spool | None = None
    """Where what is over is put aside; None where everything stays in memory."""
