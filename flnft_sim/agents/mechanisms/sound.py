"""The mechanism `sound`: promises are sold first, members compete for the pot, and what is delivered is paid for."""

from collections.abc import Mapping, Sequence

import numpy as np

from flnft_sim.agents.committer import Committer
from flnft_sim.agents.contract.auction import Auction, in_whole_units
from flnft_sim.agents.dao.contest import PotTerms
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.mechanisms.base import MECHANISMS, Mechanism, MechanismFacts, Parties, Process, side_by_side
from flnft_sim.agents.mechanisms.offers import Offers
from flnft_sim.agents.mechanisms.rows import promise_rows
from flnft_sim.agents.mechanisms.sale import PotBook, Sale
from flnft_sim.agents.mechanisms.settling import Settling
from flnft_sim.agents.promise import Promise
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.reserve_book import TotalReserves
from flnft_sim.agents.settings import Settings
from flnft_sim.ledger import Transaction, from_units, key_of, to_units
from flnft_sim.market import Clearing, Pot, clear, learned_from, payments_in_units, refund_all, seal_of_draw
from flnft_sim.streams import Streams

COMMITTERS = 2  # of test sets: where the first does not open its set, the second does
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
        self.settling = Settling(parties, self.committers)
        self.offers = Offers(parties, self.pots, delivered=self.settling.as_delivered)

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
        env = self.parties.world.env
        self.offers.choose_categories(self._sellers())
        if self.parties.world.settings.market.order == "presale":
            sales = yield from self._sell_all(episode, self._sellers())
            self.enter("minting", episode)
            yield from side_by_side(env, [self._deliver(sale, episode) for sale in sales])
        else:
            self.enter("minting", episode)
            yield from side_by_side(env, [self._train_ahead(dao, episode) for dao in self._sellers()])
            sales = yield from self._sell_all(episode, [dao for dao in self._sellers() if dao.nft is not None])
            yield from side_by_side(env, [self.settling.hand_over(sale) for sale in sales])

    def _sell_all(self, episode: int, sellers: Sequence[MuDao]) -> Process:
        """Hold all categories' sales side by side; returns those that have a pot."""
        self.enter("auction", episode)
        contract, daos = self.parties.contract, self.parties.daos
        matching = contract.matching(sellers)
        contract.unheld.tell(episode, daos, self._empty_handed(sellers), sellers, matching, self.parties.providers)
        selling = (
            self._sell(
                f"{group.category}-e{episode}",
                group.category,
                [sellers[i] for i in group.sellers],
                [self.parties.providers[j] for j in group.buyers],
            )
            for group in matching.groups
        )
        sales = yield from side_by_side(self.parties.world.env, selling)
        return [sale for sale in sales if sale is not None]

    def _sell(self, name: str, category: str, sellers: list[MuDao], buyers: list[ServiceProvider]) -> Process:
        """One category: promise and ask, take sealed values, clear; returns the `Sale`, None without a pot."""
        promise = self.offers.promise(sellers, category)
        asks = yield from self.offers.ask(name, category, sellers, promise)
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
        sale.minted_s = self.settling.mint_block_s(dao, sale.cleared_s)
        if sale.minted_s <= sale.due_by_s:
            yield minting  # until the block that the mint is in is final
            yield from self.settling.measure(sale, dao)
            yield from self.settling.settle(sale, dao)
        else:
            yield due
            yield from self.settling.give_back(sale, dao)
            yield minting  # whoever is in the middle of a round ends it, for nothing

    # ---- sale -----------------------------------------------------------------------------------------------------

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
        reserve = self.reserves.money(_names(sellers, buyers), epochs=promise.epochs)
        tender = contract.tender(name, category, (), buyers, reserve_money=reserve)
        tender.promise, tender.bidders = promise, tuple(buyer.number for buyer in buyers)
        auction = Auction(tender, sellers, [], buyers, [], draw=contract.new_draw())
        auction.asks = auction.announced_asks = in_whole_units([ask for _, ask in asks])
        contract.auctions.append(auction)
        sale = Sale(auction, promise, Pot(world.accounts, name, sink=SINK))
        for owner in (*sellers, *self.committers):
            sale.pot.post_bond(owner.address, to_units(world.settings.market.bond_money))
        yield from side_by_side(world.env, [committer.commit(name) for committer in self.committers])
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
        world.records.promises += promise_rows(sale, clearing, foreseen, self.offers.asks)
        if sale.winner is None:
            self.settling.return_bonds(sale)
        yield from contract.publish_entries(auction)
        if world.settings.market.order == "presale":
            auction.state = "funded"
        if sale.winner is None:
            self.settling.record(sale, None)

    def _learn(self, category: str, auction: Auction, pot_money: float) -> None:
        """What the ledger shows: pots by category, values for beliefs about rivals, asks for others' reserves."""
        bids = auction.bids[auction.bidders].tolist()
        names, epochs = _names(auction.sellers, auction.buyers), self.offers.epochs(category)
        self.reserves.learn(names, auction.announced_asks.tolist(), bids, epochs=epochs)
        self.pots.observe(category, pot_money)
        self.parties.world.beliefs.observe(*auction.first_offers, [buyer.number for buyer in auction.buyers])

    # ---- work -----------------------------------------------------------------------------------------------------

    def _train(self, sale: Sale, dao: MuDao, episode: int) -> Process:
        """Work for the pot; a DAO that only wanted to win does nothing."""
        if dao.idles:
            return
        epochs = self.offers.epochs(sale.auction.category)
        terms = PotTerms(dao, pot=from_units(sale.pot.units), promised_epochs=epochs, closes_s=sale.due_by_s)
        yield from dao.mint_nft(episode, terms)

    def _train_ahead(self, dao: MuDao, episode: int) -> Process:
        """Work for the pot that is foreseen, before anybody has paid."""
        if dao.idles:
            dao.nft = None
            return
        epochs = self.offers.epochs(dao.category)
        pot = self.pots.expected_money(dao.category, self.offers.total_ask(dao, epochs)[0])
        yield from dao.mint_nft(episode, PotTerms(dao, pot=pot, promised_epochs=epochs))

    def _sellers(self) -> list[MuDao]:
        return [dao for dao in self.parties.daos if not dao.withdraws]

    def _empty_handed(self, sellers: Sequence[MuDao]) -> list[MuDao]:
        """Where the work comes first, who has nothing to sell."""
        return [dao for dao in self._sellers() if dao not in sellers]

    # ---- before the first episode -----------------------------------------------------------------------------------

    def past_auction(self, name: str, category: str) -> Transaction | None:
        """A clearing of today's values and asks, off the clock, as if its promise had been kept."""
        world, sellers = self.parties.world, [dao for dao in self.parties.daos if dao.category == category]
        promise = self.offers.ahead(sellers, category) if sellers and sellers[0].buyers else None
        asks = [self.offers.total_ask(dao, self.offers.epochs(category))[0] for dao in sellers]
        asks = [ask for ask in asks if np.isfinite(ask)]
        if promise is None or not asks:
            return None
        buyers = sellers[0].buyers
        worths = [promise.worth(each.valuation_money, each.quality_elasticity, promise.model) for each in buyers]
        bids = np.minimum(worths, [each.budget_money for each in buyers])
        names, rule = _names(sellers, buyers), world.settings.market.rule
        told = learned_from(world.rule_settings, self.reserves.bids_money(names))
        cleared = clear(rule, bids, asks, reserve=self.reserves.money(names, epochs=promise.epochs), settings=told)
        self.reserves.learn(names, asks, bids.tolist(), epochs=promise.epochs)
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
