"""The auction contract: it matches, takes sealed bids, opens and clears them, settles, and lets the ledger learn."""

from collections import Counter
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

import mesa
import numpy as np
import simpy

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.contract.auction import Auction, BookEntry
from flnft_sim.agents.dao.dao import FlNft, MuDao
from flnft_sim.agents.dao.deliveries import astray
from flnft_sim.agents.dao.experience import Experience
from flnft_sim.agents.outsider import Outsider
from flnft_sim.agents.provider import Offer, ServiceProvider
from flnft_sim.ledger import from_units, to_units
from flnft_sim.market import (
    Group,
    Licence,
    Licences,
    SealedBids,
    Settlement,
    VoteResult,
    ask_per_licence,
    learned_reserve,
    match,
    rebid_step,
    settle,
)

if TYPE_CHECKING:
    from flnft_sim.agents.world import World

Process = Generator[simpy.Event, Any, Any]

NOTHING_DELIVERED = "no update was aggregated"
"""The outcome of a minting in which nobody's work arrived: there is no model to sell, and no budget was locked."""

_NAMED = 3  # of several DAOs with one outcome
GAS_PER_ENTRY = 5_000  # about 300 bytes of a journal's entry at 16 gas a byte


class AuctionContract(Actor):
    """The auctioneer of all markets; what it publishes on the public chain is all that parties learn."""

    role = "contract"

    def __init__(self, model: mesa.Model, world: "World") -> None:
        super().__init__(model, world, 0)
        self.outsider = Outsider(model, world)
        self.past_asks: dict[str, list[float]] = {}  # lowest ask of every past auction, by category
        self.auctions: list[Auction] = []
        self.licences = Licences()
        self._unheld: Counter[str] = Counter()
        self._published_entries = 0  # of the accounts' journal, how many are on the public chain

    def reserve_money(self, category: str) -> float:
        """The reserve price of a licence, published before any bid is sealed."""
        market = self.world.settings.market
        if market.reserve_money is not None:
            return market.reserve_money
        return learned_reserve(self.past_asks.get(category, []), market.reserve_prior_money)

    def hold_auctions(self, episode: int) -> Process:
        """Match the episode's sellers and buyers, and hold the auctions of all matched groups side by side."""
        world = self.world
        sellers = [dao for dao in world.daos if not dao.withdraws and dao.nft is not None]
        matching = match([dao.category for dao in sellers], [[buyer.category] for buyer in world.providers])
        auctions = [world.env.process(self._hold(episode, group, sellers)) for group in matching.groups]
        empty_handed = [dao for dao in world.daos if not dao.withdraws and dao.nft is None]
        self._learn_without_auctions(empty_handed, sellers)
        left_over = [(sellers[i].category, "no provider demands this category") for i in matching.unmatched_sellers]
        left_over += [(dao.category, f"{dao.name} withdrew") for dao in world.daos if dao.withdraws]
        left_over += [(category, _nothing_minted(daos)) for category, daos in _by_category(empty_handed).items()]
        told = {category for category, _ in left_over}
        wanted = [world.providers[j].category for j in matching.unmatched_buyers]
        left_over += [(category, "no DAO sells it") for category in wanted if category not in told]
        for category, reason in dict.fromkeys(left_over):
            self._record_unmatched(episode, category, reason)
        yield world.env.all_of(auctions)

    # ---- the story of one auction -----------------------------------------------------------------------------------

    def _hold(self, episode: int, group: Group, sellers: list[MuDao]) -> Process:
        auction = yield from self._announce(
            episode,
            group.category,
            [sellers[i] for i in group.sellers],
            [self.world.providers[j] for j in group.buyers],
        )
        if auction is None:  # nobody can sell, so no bid is taken and no budget locked
            return
        opened_s, market = self.world.env.now, self.world.settings.market
        while True:
            yield from self._take_bids(auction)
            auction.open_book()
            rule, seed = market.rule, self.world.streams.integer("ties", len(self.auctions), auction.rebids)
            auction.clear(rule, seed)
            if auction.winners or not self._may_rebid(auction, opened_s):
                break
            self._move_together(auction)
        yield from self._settle(auction)
        yield from self._resell(auction)

    def _announce(self, episode: int, category: str, sellers: list[MuDao], buyers: list[ServiceProvider]) -> Process:
        """Let the DAOs vote on their asks, then publish what is for sale, the reserve and the key to seal bids with.

        Returns the `Auction`, None where no DAO could agree on an ask.
        """
        world, name = self.world, f"{category}-e{episode}"
        nfts = [dao.nft for dao in sellers if dao.nft is not None]
        voting = [world.env.process(dao.vote_on_asks(name, nft)) for dao, nft in zip(sellers, nfts, strict=True)]
        yield world.env.all_of(voting)
        agreed = [place for place, process in enumerate(voting) if process.value is not None]
        for place in sorted(set(range(len(sellers))) - set(agreed)):
            self._record_unmatched(episode, category, f"the ledger of {sellers[place].name} stalled: no vote, no ask")
        if not agreed:
            self._learn_from_prices(sellers)
            return None
        votes = [cast(VoteResult, voting[place].value) for place in agreed]
        sellers, nfts = [sellers[place] for place in agreed], [nfts[place] for place in agreed]
        auction = self._prepared(name, category, sellers, nfts, buyers, votes)
        self.auctions.append(auction)
        with self.doing("bidding", auction=name):
            payload = {
                "auction": name,
                "category": category,
                "fl_nfts": [nft.document_file for nft in nfts],
                "reserve_units": to_units(auction.reserve_money),
                "seal_to": auction.sealed.public_key.hex(),
            }
            yield world.public_chain.submit("announce", self.key, payload)
        return auction

    def _prepared(
        self,
        name: str,
        category: str,
        sellers: list[MuDao],
        nfts: list[FlNft],
        buyers: list[ServiceProvider],
        votes: list[VoteResult],
    ) -> Auction:
        offers = [buyer.offer([nft.decision for nft in nfts]) for buyer in buyers]
        bidders = sum(offer.total_money > 0 for offer in offers)
        fraction = self.world.settings.market.ask_fraction
        return Auction(
            name=name,
            category=category,
            sellers=sellers,
            nfts=nfts,
            buyers=buyers,
            reserve_money=self.reserve_money(category),
            offers=offers,
            asks=np.array([ask_per_licence(vote.total_ask, bidders, fraction) for vote in votes]),
            votes=votes,
            sealed=SealedBids(
                name,
                private_key=self.world.streams.generator("auctioneer", len(self.auctions)).bytes(32),
                verify_keys={buyer.address: buyer.key.public_key for buyer in buyers},
                budgets={buyer.address: to_units(buyer.budget_money) for buyer in buyers},
            ),
        )

    def _take_bids(self, auction: Auction) -> Process:
        """Hold the window open; a bid is a transaction, and counts if its block is there before the window closes."""
        world, window_s = self.world, self.world.settings.market.bidding_s
        auction.state, auction.closes_s = "bidding", world.env.now + window_s
        honest, on_their_way = [], []
        for buyer, offer in zip(auction.buyers, auction.offers, strict=True):
            if offer.total_money > 0 or buyer.overspends:
                self._lock_budget(buyer, auction.name)
                honest.append(buyer.seal_bid(auction.name, auction.rebids, auction.sealed.public_key, offer))
                delay_s = buyer.bid_delay_s(window_s)
                on_their_way.append(world.env.process(self._bring(auction, buyer, honest[-1], delay_s)))
        for sealed, delay_s in self.outsider.attack(auction, honest, window_s):
            on_their_way.append(world.env.process(self._bring(auction, self.outsider, sealed, delay_s)))
        with self.doing("bidding", auction=auction.name):
            yield world.env.timeout(window_s)
            yield world.env.all_of(on_their_way)  # until it is final which bids were in time
        auction.state = "opened"

    def _bring(self, auction: Auction, sender: Actor, sealed: bytes, delay_s: float) -> Process:
        """A ciphertext on its way to the chain; it counts from the moment it is in a block."""
        env = self.world.env
        yield env.timeout(delay_s)
        entry = BookEntry(sender.name, sealed, sealed_at_s=env.now)
        auction.book.append(entry)
        with sender.doing("bidding", auction=auction.name):
            payload = {"auction": auction.name, "sealed": sealed.hex()}
            receipt = yield self.world.public_chain.submit("bid", sender.key, payload)
        entry.in_block_s = self.world.public_chain.chain.blocks[receipt.block_height].time_s

    def _lock_budget(self, buyer: ServiceProvider, auction: str) -> None:
        """Escrow the whole budget: escrowing the bid would reveal it."""
        accounts = self.world.accounts
        if not accounts.escrowed(buyer.address, auction):
            accounts.escrow(buyer.address, auction, to_units(buyer.budget_money))

    def _may_rebid(self, auction: Auction, opened_s: float) -> bool:
        market = self.world.settings.market
        next_close_s = self.world.env.now + market.bidding_s
        in_time = next_close_s <= opened_s + market.clock_s and auction.rebids < market.rebids_max
        return bool(in_time and auction.sellers and auction.bids.max(initial=0.0) > 0)

    def _move_together(self, auction: Auction) -> None:
        """Nobody won: bids rise and asks fall by a step, bids at most to a licence's worth or the budget."""
        auction.rebids += 1
        auction.outbid()
        step = rebid_step(
            [offer.total_money for offer in auction.offers],
            auction.asks,
            step=self.world.settings.market.rebid_step,
            bid_limits=[min(buyer.valuation_money, buyer.budget_money) for buyer in auction.buyers],
        )
        auction.asks = step.asks
        auction.offers = [offer.scaled_to(float(total)) for offer, total in zip(auction.offers, step.bids, strict=True)]

    # ---- after the clearing ----------------------------------------------------------------------------------

    def _settle(self, auction: Auction) -> Process:
        """Publish the opened bids and the result; move the money and refund escrows; all final on the public chain."""
        world, clearing = self.world, auction.clearing
        assert clearing is not None
        with self.doing("clearing", auction=auction.name):
            payload = {
                "auction": auction.name,
                "rule": clearing.rule,
                "bids": {
                    entry.bid.bidder: entry.bid.total
                    for entry in auction.book
                    if entry.bid is not None and entry.status == "accepted"
                },
                "asks_units": [to_units(ask) for ask in auction.asks],
                "reserve_units": to_units(auction.reserve_money),
                "winners": [auction.buyers[place].address for place in auction.winners],
                "draw": str(clearing.seed),  # 63 bits, more than JavaScript's numbers hold
            }
            yield world.public_chain.submit("clearing", self.key, payload)
        settlement = settle(
            world.accounts,
            clearing,
            auction_id=auction.name,
            buyers=[auction.buyers[place].address for place in auction.bidders],
            sellers=[dao.address for dao in auction.sellers],
            claims={
                dao.address: self._claims(dao, vote) for dao, vote in zip(auction.sellers, auction.votes, strict=True)
            },
            auctioneer=self.address,
        )
        self._grant(auction)
        self._learn(auction)
        yield from self._publish_entries(auction)
        auction.state = "settled"
        self._record(auction, settlement)

    def _claims(self, dao: MuDao, vote: VoteResult) -> dict[str, float]:
        return dict(zip(dao.members.addresses, vote.claims.tolist(), strict=True))

    def _grant(self, auction: Auction) -> None:
        clearing = auction.clearing
        assert clearing is not None
        if clearing.sellers.size:
            seller = int(clearing.sellers[0])
            dao, winners = auction.sellers[seller], [auction.buyers[place] for place in auction.winners]
            granted = self.licences.grant(
                auction.nfts[seller].name, dao=dao.address, holders=[winner.address for winner in winners]
            )
            for licence, winner, place in zip(granted, winners, auction.winners, strict=True):
                paid = auction.payment_money(place)
                self._record_licence(auction, licence, dao.name, winner.name, paid, royalty_money=0.0)

    def _learn(self, auction: Auction) -> None:
        """What the ledger now shows: the opened bids feed everyone's beliefs, the lowest ask the next reserve.

        Bids are those of the first opening: rebids raise all bids alike because nobody won, so they tell of the clock
        and not of demand, and the next bids, which beliefs are about, start without them. So is the ask: a reserve that
        learned from asks that rebids have lowered would sink from auction to auction.
        """
        self.past_asks.setdefault(auction.category, []).append(float(auction.announced_asks.min()))
        self.world.beliefs.observe(*auction.first_offers, [buyer.number for buyer in auction.buyers])

    def _learn_without_auctions(self, empty_handed: list[MuDao], sellers: list[MuDao]) -> None:
        """Where nobody minted anything, the prices that were announced to users are all that beliefs can learn from."""
        selling = {dao.category for dao in sellers}
        for category, daos in _by_category(empty_handed).items():
            if category not in selling:
                self._learn_from_prices(daos)

    def _learn_from_prices(self, daos: list[MuDao]) -> None:
        """Who announced a price of nothing has shown that; what anybody else would have bid is not known."""
        decisions = [dao.last_decision for dao in daos if dao.last_decision is not None]
        buyers = [buyer for buyer in self.world.providers if buyer.category == daos[0].category]
        shown = np.array([0.0 if buyer.offer(decisions).total_money == 0 else np.nan for buyer in buyers])
        self.world.beliefs.observe(shown, shown, [buyer.number for buyer in buyers])

    def _publish_entries(self, auction: Auction) -> Process:
        """Put the journal's entries that are not on the chain yet there, in as many transactions as blocks can hold."""
        world, entries = self.world, self.world.accounts.entries
        fresh, self._published_entries = entries[self._published_entries :], len(entries)
        most = max(1, world.settings.public_chain.gas_limit // (2 * GAS_PER_ENTRY))
        parts = [fresh[start : start + most] for start in range(0, len(fresh), most)]
        with self.doing("settlement", auction=auction.name):
            yield world.env.all_of(
                [
                    world.public_chain.submit(
                        "settle", self.key, {"auction": auction.name, "entries": [dict(entry) for entry in part]}
                    )
                    for part in parts
                ]
            )

    def _resell(self, auction: Auction) -> Process:
        """The secondary market: some winners sell their licence to a provider without one, the DAO gets its royalty."""
        world, market, clearing = self.world, self.world.settings.market, auction.clearing
        assert clearing is not None
        rng = world.streams.generator("resales", len(self.auctions), auction.rebids)
        if not clearing.sellers.size or market.resale_share == 0:
            return
        seller = int(clearing.sellers[0])
        takers = [place for place in range(len(auction.buyers)) if place not in auction.winners]
        rng.shuffle(takers)
        for licence in self.licences.of_nft(auction.nfts[seller].name):
            if not takers or rng.random() >= market.resale_share:
                continue
            taker = auction.buyers[takers.pop()]
            holder = next(buyer for buyer in auction.buyers if buyer.address == licence.holder)
            price = min(to_units(clearing.price or 0.0), world.accounts.balance(taker.address))
            before = world.accounts.balance(licence.dao)
            self.licences.resell(
                world.accounts, licence.licence_id, buyer=taker.address, price_units=price, royalty=market.royalty
            )
            royalty_money = from_units(world.accounts.balance(licence.dao) - before)
            self._record_licence(auction, licence, holder.name, taker.name, from_units(price), royalty_money)
        yield from self._publish_entries(auction)

    def _record_licence(
        self, auction: Auction, licence: Licence, seller: str, holder: str, price_money: float, royalty_money: float
    ) -> None:
        self.world.records.licences.append(
            {
                "auction": auction.name,
                "licence": licence.licence_id,
                "seller": seller,
                "holder": holder,
                "priority": licence.priority,
                "price_money": price_money,
                "royalty_money": royalty_money,
            }
        )

    def _record(self, auction: Auction, settlement: Settlement) -> None:
        """Rows of bids and the auction; what each member received is booked on its last round's row."""
        records = self.world.records
        records.auctions.append(auction.row(self.world.settings.market.rule))
        records.bids += auction.bid_rows()
        for dao in auction.sellers:
            dao.members.book(settlement.shares.get(dao.address, {}))

    def _record_unmatched(self, episode: int, category: str, reason: str) -> None:
        """A row for those of a category who came to no auction, named apart from the auction that the others held."""
        nothing, apart = float("nan"), f"{category}-e{episode}-unheld"
        self._unheld[apart] += 1
        self.world.records.auctions.append(
            {
                "auction": f"{apart}-{self._unheld[apart]}",
                "category": category,
                "rule": self.world.settings.market.rule,
                "closed_at_s": nothing,
                "daos": 0,
                "bidders": 0,
                "rejected": 0,
                "ask_money": nothing,
                "announced_ask_money": nothing,
                "reserve_money": nothing,
                "price_money": nothing,
                "price_set_by": "",
                "winners": 0,
                "surplus_money": 0.0,
                "dao_receipt_money": 0.0,
                "trades": 0,
                "rebids": 0,
                "reason": reason,
            }
        )

    # ---- before the first measured auction ---------------------------------------------------------------------------

    def play_history(self, auctions: int) -> None:
        """Play `auctions` past auctions off the clock, all on the ledger: what beliefs and reserves learn from."""
        world = self.world
        transactions = []
        measured = [dao.experience for dao in world.daos]
        for dao in world.daos if auctions else ():
            dao.experience = Experience.foreseen(dao)
        for number in range(auctions):
            world.next_demand()
            for category in dict.fromkeys(dao.category for dao in world.daos):
                daos = [dao for dao in world.daos if dao.category == category]
                transactions += self._past_auction(f"{category}-h{number}", category, daos)
        for dao, nothing in zip(world.daos, measured, strict=True):
            dao.experience = nothing
        if transactions:
            world.public_chain.chain.append(transactions, time_s=0.0, producer="history")

    def _past_auction(self, name: str, category: str, daos: list[MuDao]) -> list[Any]:
        world = self.world
        buyers = [buyer for buyer in world.providers if buyer.category == category]
        if not buyers:
            return []
        decisions = [dao.decision_phase.settle() for dao in daos]
        offers: list[Offer] = [buyer.offer(decisions) for buyer in buyers]
        bidders = sum(offer.total_money > 0 for offer in offers)
        fraction = world.settings.market.ask_fraction
        lowest = min(ask_per_licence(float(decision.rewards.sum()), bidders, fraction) for decision in decisions)
        self.past_asks.setdefault(category, []).append(lowest)
        quality, freshness = ([getattr(o, field) for o in offers] for field in ("quality_money", "freshness_money"))
        world.beliefs.observe(np.array(quality), np.array(freshness), [buyer.number for buyer in buyers])
        payload = {
            "auction": name,
            "bids": {b.address: to_units(o.total_money) for b, o in zip(buyers, offers, strict=True)},
            "lowest_ask_units": to_units(lowest),
        }
        return [world.public_chain.chain.sign(self.key, "past-auction", payload)]


def _by_category(daos: list[MuDao]) -> dict[str, list[MuDao]]:
    found: dict[str, list[MuDao]] = {}
    for dao in daos:
        found.setdefault(dao.category, []).append(dao)
    return found


def _nothing_minted(daos: list[MuDao]) -> str:
    """The outcome of DAOs that have nothing on offer, with what became of their members' updates."""
    names = ", ".join(dao.name for dao in daos[:_NAMED]) + (f" and {len(daos) - _NAMED} more" if daos[_NAMED:] else "")
    return f"{names} minted nothing: {NOTHING_DELIVERED} ({astray([dao.deliveries for dao in daos])})"
