"""A running model as the page shows it."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property

import numpy as np
import simpy

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.contract.auction import Auction
from flnft_sim.agents.contract.recording import BidRows, auction_row
from flnft_sim.agents.dao.crowd import CrowdMembers
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.user import MetaverseUser
from flnft_sim.ledger import Block, from_units
from flnft_sim.market import BidStatus
from flnft_sim.network.mobility import Mobility
from flnft_sim.results.tables import UserRow
from flnft_sim.scenario import Scenario
from flnft_sim.simulation import FlnftModel
from flnft_sim.simulation.building.radio_cell import build_radio_cell
from flnft_sim.streams import Streams
from flnft_sim.viz import happenings
from flnft_sim.viz.book import announced_book, beliefs_of, opened_book, sealed_book
from flnft_sim.viz.pots import of_delivery, pots_of
from flnft_sim.viz.scene import (
    Belief,
    BlockLine,
    Book,
    Crowd,
    Figure,
    Flow,
    Happening,
    Row,
    Scene,
    Span,
    UserMeans,
    beside,
    seconds_by_phase,
    summarise_kinds,
)
from flnft_sim.viz.show import Jump

BLOCKS_SHOWN = 8
HAPPENINGS_KEPT = 20


class BrowserModel(FlnftModel):
    """The model of one browser session, which keeps what its page needs of earlier rounds."""

    end_s = None  # nobody knows yet

    def __init__(self, settings: Scenario) -> None:
        super().__init__(settings, spool=None)
        self.name, self.step_s = settings.name, settings.timeline.tick_s
        self._reached_s = 0.0  # where the page has gone to, between two events
        self._reached: Callable[[], bool] = lambda: True  # whether a jump has come to its end
        self._past = _Past(self)

    # ---- the clock ---------------------------------------------------------------------------------------------------

    @property
    def clock_s(self) -> float:
        """Simulated seconds since the first episode began, also between two events."""
        return max(float(self.env.now), min(self._reached_s, self._end_s))

    now_s = clock_s

    def step(self) -> None:
        """Advance by a tick; a finished model stays as it is."""
        self.go_to(self.clock_s + self.step_s)

    def go_to(self, time_s: float) -> None:
        """Process every event up to that time."""
        if not self.finished:
            self._reached_s = max(self._reached_s, time_s)
            self._advance_to(self._reached_s)

    def aim(self, jump: Jump) -> None:
        """Choose where `pursue` leads."""
        rounds, here = len(self.world.records.rounds), self._phases_now()
        goals: dict[Jump, Callable[[], bool]] = {
            Jump.PHASE: lambda: bool(self._phases_now() - here) or self.finished,
            Jump.ROUND: lambda: len(self.world.records.rounds) > rounds or self.finished,
            Jump.AUCTION: self._auction_opens_after(self.auctions[-1] if self.auctions else None),
            Jump.END: lambda: self.finished,
        }
        self._reached = goals[jump]

    def pursue(self, budget_s: float) -> bool:
        """Go on, one instant after the other, until the goal is reached or the wall time is spent."""
        until = time.monotonic() + budget_s
        while not self._reached():
            self.go_to(max(self.env.peek(), self.clock_s))
            if time.monotonic() > until:
                return self._reached()
        return True

    def _auction_opens_after(self, last: Auction | None) -> Callable[[], bool]:
        def opened() -> bool:
            newest = self.auctions[-1] if self.auctions else None
            return self.finished or (newest is not None and newest is not last and newest.state == "bidding")

        return opened

    def _phases_now(self) -> set[str]:
        """What anybody does at the moment, of what makes the story go on."""
        busy = {agent.activity for agent in self.agents if isinstance(agent, Actor)}
        crowds = (state for counts in self._crowd_states() for state, count in counts.items() if count)
        return busy.union(crowds) - {"idle", "waiting"}

    # ---- what is to be seen ------------------------------------------------------------------------------------------

    def scene(self) -> Scene:
        """What is to be seen now."""
        self._past.take_in()
        settings, now_s, past = self.settings, self.clock_s, self._past
        auctions = self._present_auctions()
        books = [self._book(auction) for auction in auctions]
        return Scene(
            time_s=now_s,
            state=self.state,
            finished=self.finished,
            area_m=settings.radio.area_m,
            users=settings.population.users,
            daos=[dao.name for dao in self.daos],
            figures=[
                *self._user_figures(),
                *self._provider_figures(auctions),
                self._contract_figure(),
                self._station(),
            ],
            crowd=self._crowd(),
            rounds=tuple(past.rounds),
            rounds_planned=self._rounds_planned,
            mean_ages_s={dao.name: _mean_age_s(dao, now_s) for dao in self.daos},
            user_ages_s={name: row.age_s for name, row in past.last_rows.items() if row.takes_part},
            members=self._members,
            user_means=tuple(past.means),
            phases_s={dao.name: past.newest_phases_s(dao) for dao in self.daos},
            books=books,
            beliefs=[belief for auction in auctions for belief in self._beliefs(auction)],
            flows=self._flows(auctions),
            pots=self._pots(auctions),
            sells_first=settings.market.mechanism == "sound" and settings.market.order == "presale",
            blocks=self._blocks(),
            happenings=past.happenings[-HAPPENINGS_KEPT:],
        )

    @property
    def state(self) -> str:
        """Phase and round in words."""
        if self.phase not in ("history", "minting"):  # history is over when the clock starts
            return self.phase
        return f"minting: {len(self.world.records.rounds)} of {self._rounds_planned} rounds done"

    def spans(self, first: int) -> Sequence[Span]:
        """The `first`-th finished span and all after it."""
        return [Span(*span) for span in self.world.spans.since(first)]

    def present(self) -> Sequence[Span]:
        """What agents are in the midst of."""
        actors = (agent for agent in self.agents if isinstance(agent, Actor) and agent.activity != "idle")
        return [Span(each.name, "", each.activity, None, each.since_s, self.clock_s) for each in actors]

    def facts(self, name: str) -> dict[str, str]:
        """What there is to know of one agent, by label."""
        agent = next((each for each in self.agents if isinstance(each, Actor) and each.name == name), None)
        if isinstance(agent, MetaverseUser):
            return self._user_facts(agent)
        if isinstance(agent, ServiceProvider):
            return self._provider_facts(agent)
        if agent is None:
            return {"uploads": str(self.world.cell.active)}
        return {"balance": f"{from_units(self.world.accounts.balance(agent.address)):,.2f} money"}

    @property
    def _rounds_planned(self) -> int:
        return self.settings.fl_rounds

    @cached_property
    def _members(self) -> dict[str, str]:
        individuals = [dao for dao in self.daos if not isinstance(dao.members, CrowdMembers)]
        return {name: dao.name for dao in individuals for name in dao.members.names}

    # ---- figures -----------------------------------------------------------------------------------------------------

    def _figures(self, auctions: Sequence[Auction]) -> list[Figure]:
        return [*self._user_figures(), *self._provider_figures(auctions), self._contract_figure(), self._station()]

    @cached_property
    def _walk(self) -> Mobility:
        """Users' ways a second time: the cell's own must not be looked at ahead of events."""
        return build_radio_cell(simpy.Environment(), self.settings, Streams(self.settings.seed)).links.mobility

    def _user_figures(self) -> Iterator[Figure]:
        if not self.users:
            return
        places, rates = self._walk.positions_m(self.clock_s), self.world.cell.rates_bps()
        minting = {dao.name for dao in self.daos if dao.activity == "minting"}
        for user in self.users:
            x_m, y_m = places[user.number].tolist()
            activity = "away" if user.away else user.activity
            if activity == "idle" and (user.name in self._past.waiting or self._members[user.name] in minting):
                activity = "waiting"
            yield Figure(user.name, "user", x_m, y_m, activity, rates.get(user.number))

    def _provider_figures(self, auctions: Sequence[Auction]) -> Iterator[Figure]:
        badges = badges_of([self._book(auction) for auction in auctions]) if self.phase != "minting" else {}
        negotiating = {buyer.name for dao in self.daos if dao.activity == "decision" for buyer in dao.buyers}
        for number, provider in enumerate(self.providers):
            badge, activity = badges.get(provider.name, ""), provider.activity
            if activity == "idle":
                activity = "decision" if provider.name in negotiating else "waiting" if badge == "sealed" else "idle"
            place = beside(self.settings.radio.area_m, number, len(self.providers))
            yield Figure(provider.name, "provider", *place, activity, badge=badge)

    def _contract_figure(self) -> Figure:
        width_m, height_m = self.settings.radio.area_m
        contract = self.cast.contract
        return Figure(contract.name, "contract", 1.06 * width_m, 0.5 * height_m, contract.activity)

    def _station(self) -> Figure:
        x_m, y_m = map(float, self.world.cell.links.station_m)
        return Figure("base-station", "base station", x_m, y_m, "receiving" if self.world.cell.active else "idle")

    def _crowd(self) -> Crowd | None:
        """Users that are no agents, all DAOs together."""
        if self.users:
            return None
        states: Counter[str] = Counter()
        for dao, counts in zip(self.daos, self._crowd_states(), strict=True):
            states.update(counts)
            states[dao.activity] += len(dao.members) - sum(counts.values())
        return Crowd(self.world.cell.positions_m(), {state: count for state, count in states.items() if count})

    def _crowd_states(self) -> list[dict[str, int]]:
        return [dao.members.states() if isinstance(dao.members, CrowdMembers) else {} for dao in self.daos]

    def _user_facts(self, user: MetaverseUser) -> dict[str, str]:
        sinr_db, row = self.world.cell.sinr_db(user.number), self._past.last_rows.get(user.name)
        facts = {
            "CPU": f"{user.cpu_hz / 1e9:.2f} GHz",
            "SINR now": "sends nothing" if sinr_db is None else f"{sinr_db:.1f} dB",
            "balance": f"{from_units(self.world.accounts.balance(user.address)):,.2f} money",
        }
        return facts if row is None else facts | row_facts(asdict(row))

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

    # ---- the market --------------------------------------------------------------------------------------------------

    def _present_auctions(self) -> list[Auction]:
        """The auctions of the newest episode that has any."""
        newest = episode_of(self.auctions[-1].name) if self.auctions else ""
        return [auction for auction in self.auctions if episode_of(auction.name) == newest]

    def _book(self, auction: Auction) -> Book:
        if auction.state in ("opened", "funded", "settled"):
            return opened_book(*self._rows(auction), auction.state)
        if auction.state == "announced":
            return announced_book(auction.name, reserve_money=auction.reserve_money)
        sealed = (entry for entry in auction.book if entry.status is BidStatus.SEALED)
        bids = ((entry.sender, bytes(entry.sealed).hex(), entry.in_block_s is not None) for entry in sealed)
        return sealed_book(auction.name, reserve_money=auction.reserve_money, closes_s=auction.closes_s, bids=bids)

    def _beliefs(self, auction: Auction) -> list[Belief]:
        return beliefs_of(self._rows(auction)[1]) if auction.state in ("opened", "funded", "settled") else []

    def _rows(self, auction: Auction) -> tuple[Row, list[Row]]:
        """Its rows of the tables `auctions` and `bids`, made anew when it has moved on."""
        key = auction.state, auction.rebids
        kept = self._past.rows.get(auction.name)
        if kept is None or kept[0] != key:
            row = asdict(auction_row(auction, self.settings.market.rule))
            kept = self._past.rows[auction.name] = key, row, [asdict(bid) for bid in BidRows(auction)]
        return kept[1], kept[2]

    def _flows(self, auctions: Sequence[Auction]) -> list[Flow]:
        """The money of a settlement, from when it is on its way until the next episode begins."""
        contract = self.cast.contract.name
        if self.phase == "minting" or not any(auction.state == "settled" for auction in auctions):
            return []
        paid = [
            Flow(bid["provider"], contract, bid["payment_money"])
            for auction in auctions
            for bid in (self._rows(auction)[1] if auction.state == "settled" else ())
            if bid["won"]
        ]
        return paid + [
            Flow(contract, name, row.reward_received_money)
            for name, row in self._past.last_rows.items()
            if row.reward_received_money > 0
        ]

    def _pots(self, auctions: Sequence[Auction]) -> list[str]:
        records, newest = self.world.records, [each.name for each in auctions if each.state in ("funded", "settled")]
        promises = [asdict(row) for row in records.promises if row.auction in newest]
        return pots_of(promises, {row.auction: asdict(row) for row in records.deliveries}, newest)

    def _blocks(self) -> list[BlockLine]:
        chains = (self.world.public_chain.chain, *(dao.ledger.chain for dao in self.daos[:3]))
        return [line_of(block) for chain in chains for block in chain.newest(BLOCKS_SHOWN)]


class _Past:
    """What has happened in a model so far, taken in a little at a time."""

    def __init__(self, model: BrowserModel) -> None:
        self._model = model
        self.rounds: list[Row] = []
        self.means: list[UserMeans] = []
        self.last_rows: dict[str, UserRow] = {}  # by user, of its last round
        self.waiting: set[str] = set()  # users whose update of the present round is final
        self.happenings: list[Happening] = []
        self.phases_s: dict[str, Counter[str]] = defaultdict(Counter)  # by minting
        self.rows: dict[str, tuple[object, Row, list[Row]]] = {}  # by auction, of its state so far
        self._rows_seen = self._spans_seen = self._auctions_seen = self._deliveries_seen = 0
        self._rounds_of = Counter[str]()  # by DAO, how many have ended
        self._walked: dict[str, tuple[object, int]] = {}  # by DAO: its rounds and NFT, and how long the log was, then

    def take_in(self) -> None:
        """Look at what came since last time."""
        model, fresh = self._model, len(self.happenings)
        self._take_in_spans()
        self._take_in_rounds()
        auctions = model.world.records.auctions
        held = (row for row in auctions[self._auctions_seen :] if math.isfinite(row.closed_at_s))
        self.happenings += [happenings.of_auction(asdict(row)) for row in held]
        self._auctions_seen = len(auctions)
        deliveries = model.world.records.deliveries
        self.happenings += [of_delivery(asdict(row)) for row in deliveries[self._deliveries_seen :]]
        self._deliveries_seen = len(deliveries)
        self.happenings[fresh:] = sorted(self.happenings[fresh:], key=lambda happening: happening.time_s)
        for dao in model.daos:
            self._take_in_phases(dao)

    def newest_phases_s(self, dao: MuDao) -> dict[str, float]:
        """Of the newest minting that has come to the end of a round."""
        return next((dict(self.phases_s[label]) for label in reversed(dao.labels) if label in self.phases_s), {})

    def _take_in_spans(self) -> None:
        spans = self._model.spans(self._spans_seen)
        self._spans_seen += len(spans)
        self.waiting.update(span.agent for span in spans if span.phase == "consensus")
        self.happenings += happenings.of_spans(spans, self._model.settings.population.users)

    def _take_in_rounds(self) -> None:
        records, came = self._model.world.records, defaultdict(list)
        for row in records.users[self._rows_seen :]:
            self.last_rows[row.user] = row
            self.waiting.discard(row.user)
            came[row.dao, row.episode, row.round].append(row)
        self._rows_seen = len(records.users)
        for held in records.rounds[len(self.rounds) :]:
            own = came[held.dao, held.episode, held.round]
            part = [row for row in own if row.takes_part]
            means = (_mean([getattr(row, name) for row in part]) for name in ("user_utility", "cash_surplus_money"))
            self.means.append(UserMeans(held.dao, held.episode, held.round, held.end_s, *means))
            self.rounds.append(asdict(held))
            self._rounds_of[held.dao] += 1
            told = (happenings.of_outcome(asdict(row), held.end_s) for row in own)
            self.happenings += [each for each in told if each is not None]
            self.happenings.append(happenings.of_round(self.rounds[-1]))

    def _take_in_phases(self, dao: MuDao) -> None:
        """When a round or a minting of the DAO has ended, walk the critical path of what was logged since the last."""
        done = self._rounds_of[dao.name], dao.nft and dao.nft.name
        before, first = self._walked.get(dao.name, ((0, None), 0))
        if done == before:
            return
        spans = self._model.world.spans.to_frame(first=first)
        for minting, seconds in seconds_by_phase(spans[spans["dao"].isin(dao.labels)]).items():
            self.phases_s[minting].update(seconds)
        self._walked[dao.name] = done, len(self._model.world.spans)


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


def line_of(block: Block) -> BlockLine:
    """A block in one line."""
    kinds = [transaction.kind for transaction in block.transactions]
    contents = summarise_kinds(kinds) if kinds else "genesis"
    return BlockLine(block.chain, block.height, block.time_s, block.hash, contents)


def episode_of(auction: str) -> str:
    """The episode in an auction's name."""
    return auction.rpartition("-e")[2]


def badges_of(books: Sequence[Book]) -> dict[str, str]:
    """What providers are in the auctions under way, by name."""
    badges: dict[str, str] = {}
    for book in books:
        for line in reversed(book.lines):  # the best line of a provider comes last, and stays
            told = {"won": f"won, rank {line.rank}", "silent": "no bid"}
            badges[line.bidder] = told.get(line.fate, line.fate)
    return badges


def _mean_age_s(dao: MuDao, now_s: float) -> float:
    """As the summary has it: the mean over the DAO's mintings of their models' mean ages."""
    begun = (age for age in dao.ages if (now_s if age.end_s is None else age.end_s) > age.start_s)
    return _mean([age.mean(now_s) if age.end_s is None else age.whole_mean for age in begun], 0.0)


def _mean(values: list[float], of_none: float = float("nan")) -> float:
    return float(np.mean(values)) if values else of_none
