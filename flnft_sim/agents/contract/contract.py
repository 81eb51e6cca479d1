"""The auction contract: it matches, takes sealed bids, opens and clears them, settles, and lets the ledger learn."""

import math
from collections.abc import Generator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
import simpy

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.contract.access import Access
from flnft_sim.agents.contract.auction import Auction
from flnft_sim.agents.contract.recording import BidRows, auction_row
from flnft_sim.agents.contract.resale import resales
from flnft_sim.agents.contract.unheld import Unheld
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.decision import Decision
from flnft_sim.agents.outsider import Outsider
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.tender import Tender
from flnft_sim.agents.world import World
from flnft_sim.ledger import from_units, to_units
from flnft_sim.market import (
    Clearing,
    Licences,
    Matching,
    SealedBids,
    Settlement,
    VoteResult,
    match,
    seal_of_draw,
    settle,
    wishes,
)
from flnft_sim.results.tables import NAN, LicenceRow

if TYPE_CHECKING:
    from flnft_sim.clock.execution import Message

Process = Generator[simpy.Event, Any, Any]

DRAW_BYTES = 32
GAS_PER_ENTRY = 5_000  # about 300 bytes of a journal's entry at 16 gas a byte


class AuctionContract(Actor):
    """The auctioneer of all markets; what it publishes on the public chain is all that parties learn.

    It reads what is public (votes on asks, who has locked an escrow) and what is opened to it, nothing else.
    """

    role = "contract"

    def __init__(
        self, model: mesa.Model, world: World, *, providers: Sequence[ServiceProvider], outsider: Outsider
    ) -> None:
        super().__init__(model, world, 0)
        self.providers, self.outsider = providers, outsider
        self.auctions: list[Auction] = []
        self.settled: list[Auction] = []
        """Those that are over, in the order in which they ended."""
        self.licences = Licences()
        self.access = Access(world)
        self.unheld = Unheld(world)
        world.onchain.served_by(self)
        self._published_entries = 0  # of the accounts' journal, how many are on the public chain

    def hold_auctions(self, episode: int, daos: Sequence[MuDao]) -> Process:
        """Match the episode's sellers and buyers, and hold the auctions of all matched groups side by side."""
        env, buyers = self.world.env, self.providers
        sellers = [dao for dao in daos if not dao.withdraws and dao.nft is not None]
        empty_handed = [dao for dao in daos if not dao.withdraws and dao.nft is None]
        matching = self.matching(sellers)
        auctions = [
            env.process(
                self._hold(
                    f"{group.category}-e{episode}",
                    group.category,
                    [sellers[i] for i in group.sellers],
                    [buyers[j] for j in group.buyers],
                )
            )
            for group in matching.groups
        ]
        self._learn_without_auctions(empty_handed, sellers)
        self.unheld.tell(episode, daos, empty_handed, sellers, matching, buyers)
        yield env.all_of(auctions)

    def matching(self, sellers: Sequence[MuDao]) -> Matching:
        """Group DAOs that sell and providers that can use what they sell.

        Each bids in one group, for its whole budget is locked there.
        """
        on_offer = [dao.category for dao in sellers]
        return match(on_offer, [wishes(buyer.category, on_offer) for buyer in self.providers], groups_per_buyer=1)

    # ---- the story of one auction -----------------------------------------------------------------------------------

    def _hold(self, name: str, category: str, sellers: list[MuDao], buyers: list[ServiceProvider]) -> Process:
        """Announce, take bids, open and clear, again while nobody wins; then settle, and let licences be resold."""
        auction: Auction | None = yield from self._announce(name, category, sellers, buyers)
        if auction is None:  # nobody can sell, so no bid is taken and no budget locked
            return
        opened_s, tender = self.world.env.now, auction.tender
        for party in (*(buyer.bid(tender) for buyer in buyers), self.outsider.attack(tender)):
            self.world.env.process(party)
        while True:
            yield from self.take_bids(auction)
            if not auction.asks.size:
                self._ask(auction)
            auction.open_book()
            yield from self.world.onchain.open_bids(auction)
            clearing = auction.clear(self.world.settings.market.rule, self.world.rule_settings)
            rebid = not auction.winners and self._may_rebid(auction, opened_s)
            if rebid:
                yield from self.world.onchain.wind_up(auction)
            tender.close(rebid=rebid)
            if not rebid:
                break
            self._reopen(auction)
        yield from self._settle(auction, clearing)
        yield from self.resell(auction, clearing)

    def _announce(self, name: str, category: str, sellers: list[MuDao], buyers: list[ServiceProvider]) -> Process:
        """Let the DAOs vote on their asks, then publish what is for sale, the reserve and the key to seal bids with.

        The draw between equal reports is sealed here, before there is any report.
        Returns the `Auction`, None where no DAO could agree on an ask.
        """
        world = self.world
        nfts = [dao.nft for dao in sellers if dao.nft is not None]
        voting = [world.env.process(dao.vote_on_asks(name, nft)) for dao, nft in zip(sellers, nfts, strict=True)]
        yield world.env.all_of(voting)
        votes: list[VoteResult | None] = [process.value for process in voting]
        for dao, vote in zip(sellers, votes, strict=True):
            if vote is None:
                self.unheld.record(name, category, f"the ledger of {dao.name} stalled: no vote, no ask")
        agreed = [place for place, vote in enumerate(votes) if vote is not None]
        if not agreed:
            self._learn_from_prices(sellers)
            return None
        tender = self.tender(name, category, tuple(nfts[place].decision for place in agreed), buyers)
        auction = Auction(
            tender,
            [sellers[place] for place in agreed],
            [nfts[place] for place in agreed],
            buyers,
            [vote for vote in votes if vote is not None],
            draw=self.new_draw(),
        )
        self.auctions.append(auction)
        with self.doing("bidding", auction=name):
            payload = {
                "auction": name,
                "category": category,
                "fl_nfts": [nft.files.document_file for nft in auction.nfts],
                "reserve_units": to_units(tender.reserve_money),
                "seal_to": tender.seal_to.hex(),
                "draw_seal": seal_of_draw(auction.draw).hex(),
            }
            yield world.public_chain.submit("announce", self.key, payload, message=world.onchain.registration(buyers))
        return auction

    def new_draw(self) -> bytes:
        """Draw what will order equal reports of the next auction; its seal is announced before there is any."""
        return self.world.streams.generator("ties", len(self.auctions)).bytes(DRAW_BYTES)

    def tender(
        self,
        name: str,
        category: str,
        decisions: tuple[Any, ...],
        buyers: list[ServiceProvider],
        *,
        reserve_money: float | None = None,
    ) -> Tender:
        """What is announced of an auction, with a key of its own to seal bids with; reserves are the category's."""
        world = self.world
        sealed = SealedBids(
            name,
            private_key=world.streams.generator("auctioneer", len(self.auctions)).bytes(32),
            verify_keys={buyer.address: buyer.key.public_key for buyer in buyers},
            budgets={buyer.address: to_units(buyer.budget_money) for buyer in buyers},
        )
        window_s = world.settings.market.bidding_s
        reserve_money = world.reserves.money(category) if reserve_money is None else reserve_money
        reserve_money = from_units(to_units(reserve_money))
        return Tender(name, category, decisions, reserve_money, window_s, sealed, world.env.event())

    def take_bids(self, auction: Auction) -> Process:
        """Hold the window open; a bid is a transaction, and counts if its block is there before the window closes."""
        env, tender = self.world.env, auction.tender
        auction.state, auction.closes_s = "bidding", math.ceil(env.now) + tender.window_s
        self.world.onchain.open_window(auction)
        with self.doing("bidding", auction=auction.name):
            yield from self.world.onchain.take_asks(auction, self._ask)
            yield env.timeout(auction.closes_s - env.now)
            yield env.all_of(tender.on_their_way)  # until it is final which bids were in time
        auction.state = "opened"

    def _ask(self, auction: Auction) -> None:
        """Ask of a licence its part of what members claim, by who has locked an escrow, which everybody can see."""
        registered = len(self.world.accounts.escrowing(auction.name))
        auction.ask(registered, self.world.settings.market.ask_fraction)

    def _may_rebid(self, auction: Auction, opened_s: float) -> bool:
        market = self.world.settings.market
        next_close_s = self.world.env.now + market.bidding_s
        in_time = next_close_s <= opened_s + market.clock_s and auction.rebids < market.rebids_max
        return bool(in_time and auction.bids.max(initial=0.0) > 0)

    def _reopen(self, auction: Auction) -> None:
        """Nobody won: asks fall by a step, as bids are about to rise by one."""
        auction.tender.sealed.reopen()
        auction.lower_asks(self.world.settings.market.rebid_step)

    # ---- after the clearing ----------------------------------------------------------------------------------

    def _settle(self, auction: Auction, clearing: Clearing) -> Process:
        """Publish the opened bids and the result; move the money and refund escrows; all final on the public chain."""
        yield from self.publish_clearing(auction, clearing)
        settlement = settle(
            self.world.accounts,
            clearing,
            auction_id=auction.name,
            buyers=[auction.buyers[place].address for place in auction.bidders],
            sellers=[dao.address for dao in auction.sellers],
            claims={
                dao.address: dict(zip(dao.members.addresses, vote.claims.tolist(), strict=True))
                for dao, vote in zip(auction.sellers, auction.votes, strict=True)
            },
            auctioneer=self.address,
        )
        self.grant(auction, clearing)
        self._learn(auction)
        yield from self.publish_entries(auction, self.world.onchain.settlements(auction))
        yield from self.world.onchain.pay_out(auction)
        self.end(auction)
        self._record(auction, settlement)

    def end(self, auction: Auction) -> None:
        """All of it is settled: its bids' rows can be told."""
        auction.end()
        self.settled.append(auction)
        rows, bids = BidRows(auction), self.world.records.bids
        bids.promise(lambda: bids.columns(rows), len(rows))

    def publish_clearing(self, auction: Auction, clearing: Clearing) -> Process:
        """Publish the opened bids and who won, final on the public chain."""
        world = self.world
        with self.doing("clearing", auction=auction.name):
            payload = {
                "auction": auction.name,
                "rule": clearing.rule,
                "bids": {bidder: bid.total for bidder, bid in auction.tender.sealed.bids.items()},
                "asks_units": [to_units(ask) for ask in auction.asks],
                "reserve_units": to_units(auction.reserve_money),
                "winners": [auction.buyers[place].address for place in auction.winners],
                "draw": auction.draw.hex(),
            }
            message = world.onchain.clearing(auction)
            yield world.public_chain.submit("clearing", self.key, payload, message=message)

    def grant(self, auction: Auction, clearing: Clearing) -> None:
        """Give the winners their licences, in order of rank."""
        licence_s = self.world.settings.market.licence_s
        if not clearing.sellers.size:
            return
        seller = int(clearing.sellers[0])
        dao, winners = auction.sellers[seller], [auction.buyers[place] for place in auction.winners]
        payments = auction.payments_money
        assert dao.nft is not None  # it has sold what it minted
        granted = self.licences.grant(
            dao.nft.name,
            dao=dao.address,
            holders=[winner.address for winner in winners],
            expires_s=None if licence_s is None else auction.closes_s + licence_s,
        )
        rows = [
            LicenceRow(
                auction=auction.name,
                licence=licence.licence_id,
                seller=dao.name,
                holder=winner.name,
                priority=licence.priority,
                price_money=payments[place] - auction.refunds.get(place, 0.0),
                royalty_money=0.0,
                expires_s=NAN if licence.expires_s is None else licence.expires_s,
            )
            for licence, winner, place in zip(granted, winners, auction.winners, strict=True)
        ]
        self.world.records.licences += rows
        self.access.begin(dao, list(zip(winners, rows, strict=True)))

    def _learn(self, auction: Auction) -> None:
        """What the ledger now shows: the opened bids feed everyone's beliefs, the lowest ask the next reserve.

        Bids are those of the first opening: rebids raise all bids alike because nobody won, so they tell of the clock
        and not of demand, and the next bids, which beliefs are about, start without them. So is the ask: a reserve that
        learned from asks that rebids have lowered would sink from auction to auction.
        """
        if auction.announced_asks.size:  # a contract leaves out asks that came too late
            self.world.reserves.learn(auction.category, float(auction.announced_asks.min()))
        self.world.beliefs.observe(*auction.first_offers, [buyer.number for buyer in auction.buyers])

    def _learn_without_auctions(self, empty_handed: Sequence[MuDao], sellers: Sequence[MuDao]) -> None:
        """Where nobody minted anything, the prices that were announced to users are all that beliefs can learn from."""
        selling = {dao.category for dao in sellers}
        for category in dict.fromkeys(dao.category for dao in empty_handed):
            if category not in selling:
                self._learn_from_prices([dao for dao in empty_handed if dao.category == category])

    def _learn_from_prices(self, daos: Sequence[MuDao]) -> None:
        """Who announced a price of nothing has shown that; what anybody else would have bid is not known."""
        decisions = [dao.last_decision for dao in daos if isinstance(dao.last_decision, Decision)]
        buyers = [buyer for buyer in self.providers if buyer.wants(daos[0].category)]
        shown = np.array([0.0 if buyer.offer(decisions).total_money == 0 else np.nan for buyer in buyers])
        self.world.beliefs.observe(shown, shown, [buyer.number for buyer in buyers])

    def publish_entries(self, auction: Auction, messages: Sequence["Message"] = ()) -> Process:
        """Put the journal's entries that are not on the chain yet there, in as many transactions as blocks can hold.

        With them go `messages` to the auction's contract, one each.
        """
        world, entries = self.world, self.world.accounts.entries
        fresh, self._published_entries = entries[self._published_entries :], len(entries)
        most = max(1, world.settings.public_chain.gas_limit // (2 * GAS_PER_ENTRY))
        parts = [fresh[start : start + most] for start in range(0, len(fresh), most)]
        with self.doing("settlement", auction=auction.name):
            yield world.env.all_of(
                [
                    world.public_chain.submit(
                        "settle",
                        self.key,
                        {"auction": auction.name, "entries": [dict(entry) for entry in part or ()]},
                        message=message,
                    )
                    for part, message in zip_longest(parts, messages)
                ]
            )

    def resell(self, auction: Auction, clearing: Clearing) -> Process:
        """Let the secondary market play, and put what it moved on the chain."""
        market = self.world.settings.market
        if not clearing.sellers.size or market.resale_share == 0:
            return
        rng = self.world.streams.generator("resales", len(self.auctions), auction.rebids)
        resold = list(
            resales(
                auction,
                clearing,
                self.licences,
                self.world.accounts,
                rng,
                share=market.resale_share,
                royalty=market.royalty,
                now_s=self.world.env.now,
            )
        )
        self.world.records.licences += resold
        takers = {buyer.name: buyer for buyer in auction.buyers}
        self.access.begin(auction.sellers[int(clearing.sellers[0])], [(takers[row.holder], row) for row in resold])
        yield from self.publish_entries(auction)
        yield from self.world.onchain.resell(auction, resold)

    def _record(self, auction: Auction, settlement: Settlement) -> None:
        """The auction's row; what each member received is booked on its last round's row."""
        self.world.records.auctions.append(auction_row(auction, self.world.settings.market.rule))
        for dao in auction.sellers:
            dao.members.book(settlement.shares.get(dao.address, {}))
