"""The scene of a running model."""

import math
from collections import Counter, defaultdict
from dataclasses import asdict

import numpy as np

from flnft_sim.agents.contract.auction import Auction
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.user import MetaverseUser
from flnft_sim.ledger import Block, from_units
from flnft_sim.scenario import Scenario
from flnft_sim.simulation import FlnftModel
from flnft_sim.viz.scene import (
    Belief,
    BlockLine,
    BookLine,
    Figure,
    Row,
    Scene,
    UserMeans,
    beside,
    seconds_by_phase,
    summarise_kinds,
)

_BLOCKS_SHOWN = 8
_BOOK_SHOWN = 40


class Recipe:
    """The settings chosen last in one browser session: what Mesa's Reset button builds the model from."""

    def __init__(self, settings: Scenario) -> None:
        self.settings = settings


class BrowserModel(FlnftModel):
    """The model of one browser session, which keeps what its page needs of earlier rounds.

    Mesa's page resets a model by calling its class again with the parameters it was given first; here that is a
    `recipe`, so that a reset after a slider moved builds what the sliders say.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe.settings)
        self._rounds: list[Row] = []
        self._means: list[UserMeans] = []
        self._last_rows: dict[str, Row] = {}  # by user, of its last round
        self._rows_seen = 0
        self._phases_s: Counter[str] = Counter()
        self._walked: dict[str, tuple[object, int]] = {}  # by DAO: its rounds and NFT, and how long the log was, then

    def step(self) -> None:
        """Advance by a tick; a finished model stays as it is.

        It goes on to call itself running: Mesa's buttons, once switched off, would stay so for the next model.
        """
        if not self.finished:
            super().step()
        self.running = True

    def scene(self) -> Scene:
        """What is to be seen now."""
        self._take_in_rounds()
        for dao in self.daos:
            self._take_in_phases(dao)
        settings = self.settings
        auction = self.auctions[-1] if self.auctions else None
        return Scene(
            time_s=self.clock_s,
            state=self.state,
            area_m=settings.radio.area_m,
            figures=[*self._user_figures(), *self._provider_figures(), self._station()],
            rounds=tuple(self._rounds),
            user_ages_s={name: row["age_s"] for name, row in self._last_rows.items() if row["takes_part"]},
            user_means=tuple(self._means),
            phases_s=dict(self._phases_s),
            beliefs=_beliefs(auction),
            auction_state="none yet" if auction is None else f"{auction.name}: {auction.state}",
            book=_book(auction),
            blocks=self._blocks(),
        )

    @property
    def state(self) -> str:
        """Phase and round in words."""
        if self.phase not in ("history", "minting"):  # history is over when the clock starts
            return self.phase
        return f"minting: {len(self.world.records.rounds)} of {self._rounds_planned} rounds done"

    @property
    def _rounds_planned(self) -> int:
        settings = self.settings
        return settings.learning.rounds * settings.population.daos * settings.market.auctions

    def _take_in_rounds(self) -> None:
        """Look at the rows of rounds and of their users that came since last time."""
        records, came = self.world.records, defaultdict(list)
        for row in records.users[self._rows_seen :]:
            self._last_rows[row.user] = asdict(row)
            came[row.dao, row.episode, row.round].append(row)
        self._rows_seen = len(records.users)
        for held in records.rounds[len(self._rounds) :]:
            part = [row for row in came[held.dao, held.episode, held.round] if row.takes_part]
            utility, surplus = [row.user_utility for row in part], [row.cash_surplus_money for row in part]
            self._means.append(UserMeans(held.end_s, _mean(utility), _mean(surplus)))
            self._rounds.append(asdict(held))

    def _take_in_phases(self, dao: MuDao) -> None:
        """When a round or a minting of the DAO has ended, walk the critical path of what was logged since the last."""
        done = sum(row["dao"] == dao.name for row in self._rounds), dao.nft and dao.nft.name
        before, first = self._walked.get(dao.name, ((0, None), 0))
        if done == before:
            return
        spans = self.world.spans.to_frame(first=first)
        self._phases_s.update(seconds_by_phase(spans[spans["dao"].isin(dao.labels)]))
        self._walked[dao.name] = done, len(self.world.spans)

    def _user_figures(self) -> list[Figure]:
        places, rates = self.world.cell.positions_m(), self.world.cell.rates_bps()
        return [
            Figure(
                user.name,
                "user",
                x_m=float(places[user.number, 0]),
                y_m=float(places[user.number, 1]),
                activity="away" if user.away else user.activity,
                rate_bps=rates.get(user.number),
                facts=self._user_facts(user),
            )
            for user in self.users
        ]

    def _user_facts(self, user: MetaverseUser) -> dict[str, str]:
        sinr_db, row = self.world.cell.sinr_db(user.number), self._last_rows.get(user.name)
        facts = {
            "CPU": f"{user.cpu_hz / 1e9:.2f} GHz",
            "SINR now": "sends nothing" if sinr_db is None else f"{sinr_db:.1f} dB",
            "balance": f"{from_units(self.world.accounts.balance(user.address)):,.2f} money",
        }
        return facts if row is None else facts | row_facts(row)

    def _provider_figures(self) -> list[Figure]:
        providers = self.providers
        return [
            Figure(
                provider.name,
                "provider",
                *beside(self.settings.radio.area_m, number, len(providers)),
                activity=provider.activity,
                facts=self._provider_facts(provider),
            )
            for number, provider in enumerate(providers)
        ]

    def _provider_facts(self, provider: ServiceProvider) -> dict[str, str]:
        facts = {
            "budget": f"{provider.budget_money:,.2f} money",
            "valuation": f"{provider.valuation_money:,.2f} money",
            "balance": f"{from_units(self.world.accounts.balance(provider.address)):,.2f} money",
        }
        for auction in reversed(self.auctions):
            if provider in auction.buyers and auction.state in ("opened", "settled"):
                facts["bid"] = f"{auction.bids[auction.buyers.index(provider)]:,.2f} money"
                break
        return facts

    def _station(self) -> Figure:
        x_m, y_m = map(float, self.world.cell.links.station_m)
        return Figure("base-station", "base station", x_m, y_m, "idle", facts={"uploads": str(self.world.cell.active)})

    def _blocks(self) -> list[BlockLine]:
        chains = (self.world.public_chain.chain, *(dao.ledger.chain for dao in self.daos[:3]))
        return [line_of(block) for chain in chains for block in chain.blocks[: -_BLOCKS_SHOWN - 1 : -1]]


def row_facts(row: Row) -> dict[str, str]:
    """What a row of the table `users` tells of its user, in words."""
    if not row["takes_part"]:
        return {"last round": str(row["outcome"])}
    return {
        "local epochs k": f"{row['local_epochs']}",
        "ε asked for": f"{row['privacy_budget']:.2f}",
        "age of update": f"{row['age_s']:.3f} s",
        "announced reward": f"{row['reward_announced_money']:,.2f} money",
        "utility": f"{row['user_utility']:,.2f}",
        "cash surplus": f"{row['cash_surplus_money']:,.2f} money",
        "last round": str(row["outcome"]),
    }


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def line_of(block: Block) -> BlockLine:
    """A block in one line."""
    kinds = [transaction.kind for transaction in block.transactions]
    contents = summarise_kinds(kinds) if kinds else "genesis"
    return BlockLine(block.chain, block.height, block.time_s, block.hash, contents)


def _beliefs(auction: Auction | None) -> list[Belief]:
    """Bids and beliefs, once an auction's bids are open."""
    if auction is None or auction.state not in ("opened", "settled"):
        return []
    rivals = auction.first_bids.sum() - auction.first_bids
    return [
        Belief(buyer.name, float(bid), offer.believed_rivals_money, float(others))
        for buyer, bid, offer, others in zip(auction.buyers, auction.bids, auction.offers, rivals, strict=True)
    ]


def _book(auction: Auction | None) -> list[BookLine]:
    if auction is None:
        return []
    lines = []
    for entry in auction.book[-_BOOK_SHOWN:]:
        content, payment = entry.sealed.hex()[:24] + "…", None
        if entry.bid is not None:
            content = f"{from_units(entry.bid.total):,.2f} money"
            if auction.clearing is not None and entry.status == "accepted":
                place = next(n for n, buyer in enumerate(auction.buyers) if buyer.address == entry.bid.bidder)
                payment = auction.payment_money(place) if place in auction.winners else None
        status = f"{entry.status}: {entry.reason}" if entry.reason else entry.status
        lines.append(BookLine(auction.name, entry.sender, content, status, payment))
    return lines
