"""The mechanism `sound`: promises are sold first, members compete for the pot, and what is delivered is paid for."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np

from flnft_sim.agents.committer import Committer
from flnft_sim.agents.contract.auction import Auction, in_whole_units
from flnft_sim.agents.contract.recording import BidRows, auction_row
from flnft_sim.agents.dao.contest import PotTerms, contest_terms, lone_cost
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.mechanisms.base import MECHANISMS, Mechanism, MechanismFacts, Parties, Process
from flnft_sim.agents.mechanisms.evaluation import evaluated, true_quality
from flnft_sim.agents.mechanisms.promises import promise_of, promised_epochs
from flnft_sim.agents.mechanisms.rows import delivery_row, promise_rows
from flnft_sim.agents.mechanisms.sale import PotBook, Sale
from flnft_sim.agents.promise import Measured, Promise
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.reserve_book import TotalReserves
from flnft_sim.agents.settings import Settings
from flnft_sim.game.contest import NoTotalAskError, measured_freshness, release, total_ask
from flnft_sim.ledger import Transaction, from_units, key_of, to_units
from flnft_sim.market import Clearing, Payout, Pot, clear, learned_from, payments_in_units, refund_all, seal_of_draw
from flnft_sim.streams import Streams

COMMITTERS = 2  # of test sets: where the first does not open its set, the second does
IDLE_ASK = 0.1  # of what it would take: who does not mean to work can ask for less
SINK = "sink"
"""The account of what nobody may have; it has no key."""


@MECHANISMS.register("sound", facts=MechanismFacts(asks="total"))
class SoundMechanism(Mechanism):
    """Presale, a contest for the pot, and payment by measured delivery; `market.order` may put the work first."""

    def __init__(self, parties: Parties) -> None:
        super().__init__(parties)
        world, contract = parties.world, parties.contract
        silent = world.settings.failures.silent_committers
        self.committers = [Committer(contract.model, world, n, silent=n < silent) for n in range(COMMITTERS)]
        market = world.settings.market
        self.reserves = TotalReserves(market.reserve_money, market.reserve_prior_money)
        self.pots = PotBook(world.beliefs)
        self.categories = list(dict.fromkeys(dao.category for dao in parties.daos))
        self._asks: dict[tuple[int, int], tuple[float, str]] = {}  # by DAO and promised epochs
        self._promises: dict[tuple[tuple[int, ...], int], Promise | None] = {}

    @property
    def accounts(self) -> Mapping[str, tuple[str, str]]:
        """Committers, and the sink."""
        return {each.address: (each.name, each.role) for each in self.committers} | {SINK: (SINK, SINK)}

    @classmethod
    def stakes(cls, settings: Settings, streams: Streams, daos: int) -> Mapping[str, int]:
        """A bond for every measured auction of every DAO and committer, and the sink."""
        bonds = to_units(settings.market.bond_money) * settings.market.auctions
        owners = [(MuDao.role, number) for number in range(daos)]
        committers = [(Committer.role, number) for number in range(COMMITTERS)]
        of_committers = bonds * daos  # at most one auction a DAO
        funds = {key_of(streams, *owner).address: bonds for owner in owners}
        return funds | {key_of(streams, *each).address: of_committers for each in committers} | {SINK: 0}

    # ---- the story ------------------------------------------------------------------------------------------------

    def hold_episode(self, episode: int) -> Process:
        """Sell, train, settle; or, where the work comes first, train for the pots that are foreseen, sell, settle."""
        self._choose_categories()
        if self.parties.world.settings.market.order == "presale":
            sales = yield from self._sell_all(episode, self._sellers())
            self.enter("minting", episode)
            yield from self._side_by_side(self._deliver(sale, episode) for sale in sales)
        else:
            self.enter("minting", episode)
            yield from self._side_by_side(self._train_ahead(dao, episode) for dao in self._sellers())
            sales = yield from self._sell_all(episode, [dao for dao in self._sellers() if dao.nft is not None])
            yield from self._side_by_side(self._hand_over(sale) for sale in sales)

    def _sell_all(self, episode: int, sellers: Sequence[MuDao]) -> Process:
        """Hold all categories' sales side by side; returns those that have a pot."""
        self.enter("auction", episode)
        contract, daos = self.parties.contract, self.parties.daos
        matching = contract.matching(sellers)
        contract.unheld.tell(episode, daos, self._empty_handed(sellers), sellers, matching, self.parties.providers)
        sales = yield from self._side_by_side(
            self._sell(
                f"{group.category}-e{episode}",
                group.category,
                [sellers[i] for i in group.sellers],
                [self.parties.providers[j] for j in group.buyers],
            )
            for group in matching.groups
        )
        return [sale for sale in sales if sale is not None]

    def _sell(self, name: str, category: str, sellers: list[MuDao], buyers: list[ServiceProvider]) -> Process:
        """One category: promise and ask, take sealed values, clear; returns the `Sale`, None without a pot."""
        promise = self._promise(sellers, category)
        asks = yield from self._ask(name, category, sellers, promise)
        if promise is None or not asks:
            return None
        sale = yield from self._announce(name, category, promise, asks, buyers)
        contract, auction = self.parties.contract, sale.auction
        for party in (*(buyer.bid(auction.tender) for buyer in buyers), contract.outsider.attack(auction.tender)):
            self.parties.world.env.process(party)
        yield from contract.take_bids(auction)
        auction.open_book()
        told = learned_from(self.parties.world.rule_settings, self.reserves.bids_money(_names(sellers, buyers)))
        clearing = auction.clear(self.parties.world.settings.market.rule, told)
        auction.tender.close(rebid=False)
        yield from self._collect(sale, clearing)
        return sale if sale.winner is not None else None

    def _deliver(self, sale: Sale, episode: int) -> Process:
        """Let the winner train for the pot until the deadline; then measure and settle, or give everything back."""
        env, dao = self.parties.world.env, sale.winner
        assert dao is not None
        sale.due_by_s = env.now + self.parties.world.settings.market.delivery_deadline_s
        minting, due = env.process(self._train(sale, dao, episode)), env.timeout(sale.due_by_s - env.now)
        yield minting | due
        sale.minted_s = self._mint_block_s(dao, sale.cleared_s)
        if sale.minted_s <= sale.due_by_s:
            yield minting  # until the block that the mint is in is final
            yield from self._measure(sale, dao)
            yield from self._settle(sale, dao)
        else:
            yield due
            yield from self._give_back(sale, dao)
            yield minting  # whoever is in the middle of a round ends it, for nothing

    # ---- promises and asks ----------------------------------------------------------------------------------------

    def _choose_categories(self) -> None:
        """Where DAOs choose, one after another takes the category whose pot it expects to leave it most."""
        if self.parties.world.settings.market.category_choice == "fixed" or len(self.categories) < 2:
            return
        there = dict.fromkeys(self.categories, 0)
        for dao in self._sellers():
            best = max(self.categories, key=lambda each: self._foreseen_cash(dao, each, there[each]))
            there[best] += 1
            dao.join(best, [buyer for buyer in self.parties.providers if buyer.wants(best)])

    def _foreseen_cash(self, dao: MuDao, category: str, rivals: int) -> float:
        """What the pot expected there leaves members after the effort that it makes worthwhile, of one in so many."""
        pot = self.pots.expected_money(category, self._total_ask(dao, self._epochs(category))[0])
        terms = PotTerms(dao, pot=pot, promised_epochs=self._epochs(category))
        agreed = terms.agreement(dao, dao.expecting(self._epochs(category)))
        return float(agreed.terms.cash(pot, agreed.played.epochs, agreed.played.privacy).sum()) / (1 + rivals)

    def _epochs(self, category: str) -> int:
        return promised_epochs(self.parties.world, self.categories.index(category), len(self.categories))

    def _promise(self, sellers: Sequence[MuDao], category: str) -> Promise | None:
        """What all of them can promise; where the work is done, what all of them have delivered."""
        promise = self._ahead(sellers, category)
        if promise is None or self.parties.world.settings.market.order == "presale":
            return promise
        there = [self._as_delivered(dao) for dao in sellers]
        return promise.of(Measured(min(m.quality for m in there), min(m.freshness for m in there)))

    def _ahead(self, sellers: Sequence[MuDao], category: str) -> Promise | None:
        """What all of them can promise before anything is trained."""
        key = tuple(dao.number for dao in sellers), self._epochs(category)
        if key not in self._promises:
            self._promises[key] = promise_of(sellers, key[1])
        return self._promises[key]

    def _ask(self, name: str, category: str, sellers: Sequence[MuDao], promise: Promise | None) -> Process:
        """Let every DAO's members vote on its total ask; returns (DAO, money) of those that ask."""
        due = [(dao, *self._total_ask(dao, self._epochs(category))) for dao in sellers]
        votes = yield from self._side_by_side(
            dao.vote_on_total(name, money * (IDLE_ASK if dao.idles else 1.0))
            if np.isfinite(money) and promise is not None
            else _nothing()
            for dao, money, _ in due
        )
        asks = []
        for (dao, money, reason), ask in zip(due, votes, strict=True):
            if ask is not None:
                asks.append((dao, ask))
            elif promise is None:
                self.parties.contract.unheld.record(name, category, f"what {dao.name} could promise is worth nothing")
            else:
                stalled = f"the ledger of {dao.name} stalled: no vote, no ask"
                self.parties.contract.unheld.record(name, category, stalled if np.isfinite(money) else reason)
        return asks

    def _total_ask(self, dao: MuDao, epochs: int) -> tuple[float, str]:
        """The pot at which members keep the promise, infinite where none does, and what is special about it."""
        if (dao.number, epochs) not in self._asks:
            self._asks[dao.number, epochs] = _total_ask(dao, epochs)
        return self._asks[dao.number, epochs]

    def _announce(
        self,
        name: str,
        category: str,
        promise: Promise,
        asks: Sequence[tuple[MuDao, float]],
        buyers: list[ServiceProvider],
    ) -> Process:
        """Post bonds, commit to test sets, publish promise, asks and reserve; returns the `Sale`."""
        world, contract = self.parties.world, self.parties.contract
        sellers = [dao for dao, _ in asks]
        reserve = self.reserves.money(_names(sellers, buyers))
        tender = contract.tender(name, category, (), buyers, reserve_money=reserve)
        tender.promise, tender.bidders = promise, tuple(buyer.number for buyer in buyers)
        auction = Auction(tender, sellers, [], buyers, [], draw=contract.new_draw())
        auction.asks = auction.announced_asks = in_whole_units([ask for _, ask in asks])
        contract.auctions.append(auction)
        sale = Sale(auction, promise, Pot(world.accounts, name, sink=SINK))
        for owner in (*sellers, *self.committers):
            sale.pot.post_bond(owner.address, to_units(world.settings.market.bond_money))
        yield from self._side_by_side(committer.commit(name) for committer in self.committers)
        with contract.doing("bidding", auction=name):
            payload = {
                "auction": name,
                "category": category,
                "promise": {"epochs": promise.epochs, "quality": promise.quality, "freshness": promise.freshness},
                "asks_units": {dao.address: to_units(ask) for dao, ask in asks},
                "reserve_units": to_units(reserve),
                "seal_to": tender.seal_to.hex(),
                "draw_seal": seal_of_draw(auction.draw).hex(),
            }
            yield world.public_chain.submit("announce", contract.key, payload)
        return sale

    # ---- clearing ---------------------------------------------------------------------------------------------------

    def _collect(self, sale: Sale, clearing: Clearing) -> Process:
        """Publish who won, let them pay into the pot, and give everybody else back what is locked."""
        world, contract, auction = self.parties.world, self.parties.contract, sale.auction
        yield from contract.publish_clearing(auction, clearing)
        units = payments_in_units(clearing)
        if clearing.sellers.size and sum(units) > 0:
            sale.winner, sale.cleared_s = auction.sellers[int(clearing.sellers[0])], world.env.now
            for place in clearing.buyers.tolist():
                sale.pot.collect(auction.buyers[auction.bidders[place]].address, units[place])
        refund_all(world.accounts, auction.name)
        for dao in auction.sellers:
            if dao is not sale.winner:
                sale.pot.return_bond(dao.address)
        foreseen = self.pots.expected_money(auction.category, float("nan"))
        self._learn(auction.category, auction, from_units(sale.pot.units))
        world.records.promises += promise_rows(sale, clearing, foreseen, self._asks)
        if sale.winner is None:
            self._return_committers_bonds(sale)
        yield from contract.publish_entries(auction)
        if world.settings.market.order == "presale":
            auction.state = "funded"
        if sale.winner is None:
            self._record(sale, None)

    def _learn(self, category: str, auction: Auction, pot_money: float) -> None:
        """What the ledger shows: pots by category, values for beliefs about rivals, asks for others' reserves."""
        bids = auction.bids[auction.bidders].tolist()
        self.reserves.learn(_names(auction.sellers, auction.buyers), auction.announced_asks.tolist(), bids)
        self.pots.observe(category, pot_money)
        self.parties.world.beliefs.observe(*auction.first_offers, [buyer.number for buyer in auction.buyers])

    # ---- delivery ---------------------------------------------------------------------------------------------------

    def _train(self, sale: Sale, dao: MuDao, episode: int) -> Process:
        """Work for the pot; a DAO that only wanted to win does nothing."""
        if dao.idles:
            return
        epochs = self._epochs(sale.auction.category)
        terms = PotTerms(dao, pot=from_units(sale.pot.units), promised_epochs=epochs, closes_s=sale.due_by_s)
        yield from dao.mint_nft(episode, terms)

    def _train_ahead(self, dao: MuDao, episode: int) -> Process:
        """Work for the pot that is foreseen, before anybody has paid."""
        if dao.idles:
            dao.nft = None
            return
        epochs = self._epochs(dao.category)
        pot = self.pots.expected_money(dao.category, self._total_ask(dao, epochs)[0])
        yield from dao.mint_nft(episode, PotTerms(dao, pot=pot, promised_epochs=epochs))

    def _mint_block_s(self, dao: MuDao, since_s: float) -> float:
        """The timestamp of the public block that holds the DAO's mint, infinite while none does."""
        for block in reversed(self.parties.world.public_chain.chain.blocks):
            if block.time_s < since_s:
                break
            if any(each.kind == "mint" and each.payload["dao"] == dao.name for each in block.transactions):
                return block.time_s
        return float("inf")

    def _as_delivered(self, dao: MuDao) -> Measured:
        """What a minted model is, by its weights and the public chain's timestamps."""
        block_s = self._mint_block_s(dao, dao.age.start_s)
        horizon_s = self.parties.world.settings.game.freshness_horizon_s
        return Measured(true_quality(dao), float(measured_freshness(dao.age.age(block_s), horizon_s=horizon_s)))

    def _measure(self, sale: Sale, dao: MuDao) -> Process:
        """Have a test set opened, and take the median of what evaluators report."""
        contract, opened, asked = self.parties.contract, False, 0
        while not opened:
            committer = self.committers[asked]
            asked += 1
            opened = yield from committer.open(sale.name)
            if not opened:
                sale.pot.forfeit_bond(committer.address)
        there = self._as_delivered(dao)
        rng = self.parties.world.streams.generator("evaluators", dao.number, len(contract.auctions))
        sale.report, said = evaluated(dao, len(sale.pot.paid), there.quality, asked, rng)
        sale.model = Measured(sale.report.median, there.freshness)
        with contract.doing("clearing", auction=sale.name):
            payload = {"auction": sale.name, "qualities": said, "median": sale.report.median}
            yield self.parties.world.public_chain.submit("evaluation", contract.key, payload)

    def _settle(self, sale: Sale, dao: MuDao) -> Process:
        """Release, refund and sink by what was delivered; then licences."""
        assert sale.model is not None and dao.nft is not None
        delivered = sale.promise.delivered(sale.model)
        exponent = sale.promise.exponent(len(dao.members), self.parties.world.settings.game.score_epochs_exponent)
        due = release(list(sale.pot.paid.values()), delivered, exponent=exponent)
        payout = sale.pot.settle(
            dao.address,
            dict(zip(dao.members.addresses, dao.nft.shares.tolist(), strict=True)),
            released=due.released,
            refunds=dict(zip(sale.pot.paid, due.refunds.tolist(), strict=True)),
        )
        sale.pot.return_bond(dao.address)
        yield from self._close(sale, dao, payout)

    def _hand_over(self, sale: Sale) -> Process:
        """Where the work came first, buyers have seen what they pay for: all of it is released."""
        dao = sale.winner
        assert dao is not None and dao.nft is not None
        sale.due_by_s, sale.minted_s = sale.cleared_s, self._mint_block_s(dao, dao.age.start_s)
        sale.model = self._as_delivered(dao)
        shares = dict(zip(dao.members.addresses, dao.nft.shares.tolist(), strict=True))
        payout = sale.pot.settle(dao.address, shares, released=sale.pot.units, refunds={})
        sale.pot.return_bond(dao.address)
        yield from self._close(sale, dao, payout)

    def _give_back(self, sale: Sale, dao: MuDao) -> Process:
        """Nothing was minted in time: everybody gets everything back, and the bond is lost."""
        sale.minted_s = float("nan")
        payout = sale.pot.refund()
        sale.pot.forfeit_bond(dao.address)
        yield from self._close(sale, dao, payout)

    def _close(self, sale: Sale, dao: MuDao, payout: Payout) -> Process:
        """Grant licences of what was delivered, publish what moved, and record it."""
        contract, auction = self.parties.contract, sale.auction
        places = {buyer.address: place for place, buyer in enumerate(auction.buyers)}
        auction.refunds = {places[winner]: from_units(units) for winner, units in payout.refunds.items()}
        for place in auction.winners:
            auction.delivered_worths[place] = _delivered_worth(sale, auction.buyers[place])
        if sale.model is not None and auction.clearing is not None:
            contract.grant(auction, auction.clearing)
        self._return_committers_bonds(sale)
        yield from contract.publish_entries(auction)
        self.parties.world.records.deliveries.append(delivery_row(sale, dao, payout, self.parties.world))
        dao.members.book(payout.shares)
        self._record(sale, payout)
        if sale.model is not None and auction.clearing is not None:
            yield from contract.resell(auction, auction.clearing)

    # ---- small things -----------------------------------------------------------------------------------------------

    def _record(self, sale: Sale, payout: Payout | None) -> None:
        """Rows of the auction and its bids."""
        auction, world = sale.auction, self.parties.world
        auction.state = "settled"
        row = auction_row(auction, world.settings.market.rule)
        row.dao_receipt_money = 0.0 if payout is None else from_units(payout.released)
        world.records.auctions.append(row)
        world.records.bids += BidRows(auction)

    def _return_committers_bonds(self, sale: Sale) -> None:
        for committer in self.committers:
            sale.pot.return_bond(committer.address)

    def _sellers(self) -> list[MuDao]:
        return [dao for dao in self.parties.daos if not dao.withdraws]

    def _empty_handed(self, sellers: Sequence[MuDao]) -> list[MuDao]:
        """Where the work comes first, who has nothing to sell."""
        return [dao for dao in self._sellers() if dao not in sellers]

    def _side_by_side(self, lives: Any) -> Generator[Any, Any, list[Any]]:
        """Let processes run at the same time; returns what each returned."""
        env = self.parties.world.env
        running = [env.process(life) for life in lives]
        yield env.all_of(running)
        return [process.value for process in running]

    # ---- before the first episode -----------------------------------------------------------------------------------

    def past_auction(self, name: str, category: str) -> Transaction | None:
        """A clearing of today's values and asks, off the clock, as if its promise had been kept."""
        world, sellers = self.parties.world, [dao for dao in self.parties.daos if dao.category == category]
        promise = self._ahead(sellers, category) if sellers and sellers[0].buyers else None
        asks = [self._total_ask(dao, self._epochs(category))[0] for dao in sellers]
        asks = [ask for ask in asks if np.isfinite(ask)]
        if promise is None or not asks:
            return None
        buyers = sellers[0].buyers
        worths = [promise.worth(each.valuation_money, each.quality_elasticity, promise.model) for each in buyers]
        bids = np.minimum(worths, [each.budget_money for each in buyers])
        names, rule = _names(sellers, buyers), world.settings.market.rule
        told = learned_from(world.rule_settings, self.reserves.bids_money(names))
        cleared = clear(rule, bids, asks, reserve=self.reserves.money(names), settings=told)
        self.reserves.learn(names, asks, bids.tolist())
        self.pots.observe(category, float(cleared.payments.sum()))
        of_quality = np.array([each.quality_elasticity for each in buyers]) * bids
        world.beliefs.observe(of_quality, bids - of_quality, [each.number for each in buyers])
        payload = {
            "auction": name,
            "bids": {buyer.address: to_units(bid) for buyer, bid in zip(buyers, bids.tolist(), strict=True)},
            "lowest_ask_units": to_units(min(asks)),
            "pot_units": to_units(float(cleared.payments.sum())),
        }
        return world.public_chain.chain.sign(self.parties.contract.key, "past-auction", payload)


def _names(sellers: Sequence[MuDao], buyers: Sequence[ServiceProvider]) -> list[str]:
    return [party.name for party in (*sellers, *buyers)]


def _total_ask(dao: MuDao, epochs: int) -> tuple[float, str]:
    terms = contest_terms(dao, dao.expecting(epochs))
    if len(terms) == 1:
        margin = 1.0 + dao.world.settings.market.lone_margin
        return margin * lone_cost(terms, epochs), "one member, no contest: its cost and a margin"
    try:
        return total_ask(terms, epochs), ""
    except NoTotalAskError as error:
        return float("inf"), f"{dao.name}: {error}"


def _delivered_worth(sale: Sale, buyer: ServiceProvider) -> float:
    """What the model as delivered is worth to a winner; nothing where there is none."""
    if sale.model is None:
        return 0.0
    return sale.promise.worth(buyer.valuation_money, buyer.quality_elasticity, sale.model)


def _nothing() -> Process:
    yield from ()
