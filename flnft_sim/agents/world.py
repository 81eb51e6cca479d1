"""The world the agents share: one clock, one radio cell, one public chain, the accounts, and the book of records."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import simpy

from flnft_sim.agents.belief_book import BeliefBook
from flnft_sim.clock.public_chain import PublicChain
from flnft_sim.clock.radio_cell import RadioCell
from flnft_sim.game import DemandRegimes
from flnft_sim.ledger import Accounts
from flnft_sim.results import SpanLog
from flnft_sim.scenario import Scenario
from flnft_sim.streams import Streams

if TYPE_CHECKING:
    from flnft_sim.agents.contract.contract import AuctionContract
    from flnft_sim.agents.dao.dao import MuDao
    from flnft_sim.agents.provider import ServiceProvider

Row = dict[str, Any]


@dataclass
class Records:
    """Rows of the tables a run leaves, in the order things happened."""

    rounds: list[Row] = field(default_factory=list)
    users: list[Row] = field(default_factory=list)
    crowds: dict[int, dict[str, Any]] = field(default_factory=dict)  # columns of `users`: a crowd's last round
    bids: list[Row] = field(default_factory=list)
    auctions: list[Row] = field(default_factory=list)
    licences: list[Row] = field(default_factory=list)


@dataclass
class World:
    """What every agent can see and use."""

    settings: Scenario
    streams: Streams
    env: simpy.Environment
    spans: SpanLog
    records: Records
    accounts: Accounts
    public_chain: PublicChain
    cell: RadioCell
    beliefs: BeliefBook
    demand: DemandRegimes
    on_round: Callable[[Row], None]  # told of every finished FL round, for progress displays
    daos: list["MuDao"] = field(default_factory=list)
    providers: list["ServiceProvider"] = field(default_factory=list)
    contract: "AuctionContract | None" = None

    def reserve_money(self, category: str) -> float:
        """The reserve price that the contract would publish for a category now."""
        assert self.contract is not None
        return self.contract.reserve_money(category)

    def next_demand(self) -> None:
        """Move every provider's hidden demand regime on, from one auction to the next."""
        for provider, factor in zip(self.providers, self.demand.step(), strict=True):
            provider.feel_demand(float(factor))
