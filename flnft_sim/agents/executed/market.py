"""The market's contracts executed: every step of a minting and an auction is a message to one of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.contract.auction import Auction
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.dao.fl_nft import Manuscript
from flnft_sim.agents.onchain import OnChain, Process
from flnft_sim.agents.tender import Tender
from flnft_sim.agents.tokens import Tokens
from flnft_sim.agents.world import World
from flnft_sim.chain import contracts, limits
from flnft_sim.chain.backend import EPOCH, block_time
from flnft_sim.chain.merkle import ShareTree
from flnft_sim.chain.seals import Market, Opening
from flnft_sim.chain.transactions import Call
from flnft_sim.chain.units import to_wei
from flnft_sim.clock.execution import Execution, Message
from flnft_sim.errors import FlnftError
from flnft_sim.ledger import Receipt, sha256_hex, to_units
from flnft_sim.market import BASIS_POINTS, Envelope, VoteResult, seal_of_draw
from flnft_sim.market.voting import threshold
from flnft_sim.results.tables import LicenceRow

ASKED = 0.1  # share of the window after which asks are submitted: by then everybody has locked its escrow
NEVER_S = 2**32 - 1  # the longest that the contract's licence can last, for one that does not expire


class ContractsDisagree(FlnftError):
    """A contract came to something else than the market: a fault of this program, never of its input."""


@dataclass(frozen=True)
class Addresses:
    """Where the run's contracts are."""

    nft: str
    auction: str
    daos: Mapping[str, str]
    """By the DAO's address on the ledgers."""


@dataclass
class Sale:
    """One window of an auction, which is a sale of its own to the contract."""

    number: int
    closes: int
    opens_until: int
    asks: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    """What is asked in wei, and the salt of its seal, by token."""
    places: dict[str, int] = field(default_factory=dict)
    """In the contract's book, by provider."""


class Executed(OnChain):
    """Signs and sends what the contracts need; that the market and they agree is looked after each clearing."""

    contract: Actor
    """Who announces, opens, clears and settles."""

    def __init__(
        self, tokens: Tokens, execution: Execution, addresses: Addresses, *, opening_s: float, voting_s: float
    ) -> None:
        super().__init__(tokens)
        self._execution = execution
        self._nft, self._auction = contracts.FlNft(addresses.nft), contracts.SealedAuction(addresses.auction)
        self._daos = {owner: contracts.MuDao(address) for owner, address in addresses.daos.items()}
        self._market = Market(execution.backend.genesis.chain_id, addresses.auction)
        self._opening_s, self._voting_s = opening_s, voting_s
        self._sales: dict[str, Sale] = {}  # by auction, its newest window
        self._announced = 0
        self._votes: dict[str, int] = {}  # by the DAO's address, how many it has posted
        self._trees: dict[tuple[str, str], tuple[int, ShareTree]] = {}  # by DAO and auction, with the vote's number
        self._tallies: dict[tuple[str, str], Any] = {}  # by DAO and auction: happens when its vote is over

    def served_by(self, contract: Actor) -> None:
        """Act for this auctioneer."""
        self.contract = contract

    @property
    def _world(self) -> World:
        return self.contract.world

    # ---- minting and votes ------------------------------------------------------------------------------------------

    def minting(self, dao: MuDao, files: Manuscript) -> Message:
        """Mint to the DAO's contract, by the hashes of document and weights."""
        hashes = bytes.fromhex(sha256_hex(files.document)), bytes.fromhex(files.weights_hash)
        royalty_bps = round(self._world.settings.market.royalty * BASIS_POINTS)
        call = self._nft.mint(self._daos[dao.address].address, *hashes, royalty_bps)
        return Message(call, dao.chain_key, limits.MINT)

    def minted(self, dao: MuDao, receipt: Receipt) -> int:
        """The number that the contract gave."""
        del dao
        return int(receipt.answer.value)

    def post_vote(self, dao: MuDao, auction: str, vote: VoteResult) -> None:
        """Let members vote on their asks once more, on the contract, or post what the vote of a large DAO came to."""
        weights = [to_units(claim) for claim in vote.claims.tolist()]
        if not any(weights):  # nobody is to be paid: the DAO keeps what it gets
            return
        number = self._votes[dao.address] = self._votes.get(dao.address, 0) + 1
        tree = ShareTree([user.chain_key.address for user in dao.members.users], weights)
        self._trees[dao.address, auction] = number, tree
        large = len(weights) > contracts.MAX_VOTERS
        held = self._post(dao, auction, number, tree) if large else self._vote(dao, auction, vote, number, tree)
        self._tallies[dao.address, auction] = self._world.env.process(held)

    def _post(self, dao: MuDao, auction: str, number: int, tree: ShareTree) -> Process:
        """Say what was agreed on by the DAO's ledger: the total, and the root of what each is paid by."""
        contract, over = self._daos[dao.address], block_time(self._world.env.now) - 1
        self._send(dao, "vote", auction, contract.start_vote(over, 0), limits.START_VOTE)
        post = contract.post(number, tree.root, tree.weight, to_wei(tree.weight))
        yield self._send(dao, "vote", auction, post, limits.POST, follows=True)

    def _vote(self, dao: MuDao, auction: str, vote: VoteResult, number: int, tree: ShareTree) -> Process:
        """Every candidate proposes its ask and approves others'; what came in time is counted when the vote is over."""
        contract, env = self._daos[dao.address], self._world.env
        ends = block_time(env.now + self._voting_s)
        needed = threshold(self._world.settings.market.voting.rule, int(np.count_nonzero(vote.candidates)))
        self._send(dao, "vote", auction, contract.start_vote(ends, needed), limits.START_VOTE)
        sent = [
            self._send(dao.members.users[place], "vote", auction, call, gas, follows=True)
            for place in np.flatnonzero(vote.candidates).tolist()
            for call, gas in self._ballot(contract, number, vote, place)
        ]
        yield env.all_of(sent)
        yield env.timeout(max(0.0, ends - EPOCH - env.now))
        counted = contract.tally(number, tree.root, tree.weight)
        receipt = yield self._send(dao, "vote", auction, counted, limits.of_tally(len(vote.candidates)))
        in_time = all(each.value.answer.holds for each in sent)
        if in_time and receipt.answer.value != to_wei(tree.weight):
            raise ContractsDisagree(
                f"{dao.name}: its contract counts asks of {receipt.answer.value} wei, its members {to_wei(tree.weight)}"
            )

    def _ballot(
        self, contract: contracts.MuDao, number: int, vote: VoteResult, place: int
    ) -> Iterator[tuple[Call, int]]:
        """What a candidate asks, and whose asks it approves; with the gas that each may take."""
        approved = vote.approves[place] if vote.approves.ndim == 2 else vote.approves
        yield contract.propose(number, to_wei(to_units(float(vote.asks[place])))), limits.PROPOSE
        yield contract.vote(number, np.flatnonzero(approved).tolist()), limits.of_vote(len(vote.candidates))

    # ---- a window for bids ------------------------------------------------------------------------------------------

    def registration(self, buyers: Sequence[Actor]) -> Message:
        """Register the bidders; who is registered stays so."""
        call = self._auction.register({buyer.chain_key.address: buyer.key.public_key for buyer in buyers})
        return Message(call, self.contract.chain_key, limits.REGISTER + limits.EACH_REGISTERED * len(buyers))

    def open_window(self, auction: Auction) -> None:
        """Announce the window's sale: until when bids come and are opened, the reserve, the seal of the draw."""
        self._announced += 1
        closes = block_time(auction.closes_s)
        sale = self._sales[auction.name] = Sale(self._announced, closes, closes + round(self._opening_s))
        licence_s = self._world.settings.market.licence_s
        call = self._auction.announce(
            seal_to=auction.tender.seal_to,
            closes=sale.closes,
            opens_until=sale.opens_until,
            licence_s=NEVER_S if licence_s is None else round(licence_s),
            draw_seal=seal_of_draw(auction.draw),
            reserve=to_wei(to_units(auction.reserve_money)),
        )
        self._send(self.contract, "window", auction.name, call, limits.ANNOUNCE).callbacks.append(self._count)

    def _count(self, announced: Any) -> None:
        """An announcement that came too late has no number."""
        self._announced -= announced.ok and not announced.value.answer.holds

    def take_asks(self, auction: Auction, ask: Callable[[Auction], None]) -> Process:
        """Once everybody has locked its escrow, each DAO submits its ask, sealed."""
        env, sale = self._world.env, self._sales[auction.name]
        yield env.timeout(ASKED * (auction.closes_s - env.now))
        if not auction.asks.size:
            ask(auction)
        for dao, nft, money in zip(auction.sellers, auction.nfts, auction.asks.tolist(), strict=True):
            contract, value = self._daos[dao.address], to_wei(to_units(money))
            salt = self._world.streams.generator("asks", dao.number, sale.number).bytes(32)
            seal = self._market.ask_seal(sale.number, nft.token, contract.address, value, salt)
            call = contract.submit_ask(self._auction.address, sale.number, nft.token, seal)
            auction.tender.on_their_way.append(self._send(dao, "ask", auction.name, call, limits.ASK))
            sale.asks[nft.token] = value, salt

    def bid(self, sender: Actor, tender: Tender, sealed: bytes | Envelope) -> Message:
        """Seal the total for the contract, with the ciphertext as its box, and lock the budget; a forger has none."""
        sale, secret = self._sales[tender.name], sealed.secret if isinstance(sealed, Envelope) else None
        sealed = bytes(sealed)
        gas = limits.BID + limits.BID_BYTE * len(sealed)
        if secret is None:
            return Message(self._auction.bid(sale.number, sealed[:32], sealed, escrow=0), sender.chain_key, gas)
        bidder = sender.chain_key.address
        seal = self._market.bid_seal(sale.number, bidder, to_wei(secret.total), secret.details, secret.salt)
        escrow = to_wei(self._world.accounts.escrowed(sender.address, tender.name))
        return Message(self._auction.bid(sale.number, seal, sealed, escrow=escrow), sender.chain_key, gas)

    # ---- after the window -------------------------------------------------------------------------------------------

    def open_bids(self, auction: Auction) -> Process:
        """Open bids and asks, and wait until nobody can any more; what the contract opened in time counts."""
        sale, world = self._sales[auction.name], self._world
        fitting, others = self._told_apart(sale, self._openings(auction, sale))
        parts = [*contracts.portions(fitting, limits.PORTION), *([one] for one in others)]
        sent = [
            self._send(
                self.contract, "open", auction.name, self._auction.open(sale.number, part),
                limits.OPEN + limits.EACH_OPENED * len(part),
            )
            for part in parts
        ]  # fmt: skip
        for dao, nft in zip(auction.sellers, auction.nfts, strict=True):
            call = self._auction.open_ask(sale.number, nft.token, *sale.asks[nft.token])
            sent.append(self._send(dao, "open", auction.name, call, limits.OPEN_ASK))
        with self.contract.doing("clearing", auction=auction.name):
            yield world.env.all_of(sent)
            yield world.env.timeout(max(0.0, sale.opens_until - EPOCH - world.env.now))
        self._count_what_was_opened(auction, sale)

    def _openings(self, auction: Auction, sale: Sale) -> Iterator[Opening]:
        """Of every sealed bid that the contract holds, what its ciphertext says."""
        for entry in auction.book:
            if entry.answer is None or not entry.answer.holds:
                continue
            told = auction.tender.sealed.told(bytes(entry.sealed))
            if told is not None and told[0].window == auction.tender.window:
                secret, place = told[1], int(entry.answer.value)
                sale.places[entry.sender] = place
                yield Opening(place, to_wei(secret.total), secret.details, secret.salt)

    def _told_apart(self, sale: Sale, openings: Iterable[Opening]) -> tuple[list[Opening], list[Opening]]:
        """Which openings fit the seals that the contract holds, one a place; the others, which it is to judge alone.

        Together with others, a box that does not hold what was sealed would keep these from being opened.
        """
        fitting, others = dict[int, Opening](), dict[int, Opening]()
        for each in openings:
            bidder, _, _, seal = self._read(self._auction.bid_at(sale.number, each.place))
            due = self._market.bid_seal(sale.number, bidder, each.total, each.details, each.salt)
            (fitting if due == seal else others)[each.place] = each
        return list(fitting.values()), list(others.values())

    def _count_what_was_opened(self, auction: Auction, sale: Sale) -> None:
        """Leave out what the contract did not open: it would clear without it."""
        opened = contracts.BidStatus.OPENED
        for place, buyer in enumerate(auction.buyers):
            if auction.bids[place] > 0:
                at = sale.places.get(buyer.name)
                if at is None or self._read(self._auction.bid_at(sale.number, at))[2] != opened:
                    auction.bids[place] = 0.0
        held = [self._read(self._auction.view("asks", sale.number, nft.token))[1] > 0 for nft in auction.nfts]
        auction.keep_sellers([place for place, in_time in enumerate(held) if in_time])

    def clearing(self, auction: Auction) -> Message:
        """Clear with the winners in the order that the market found."""
        sale = self._sales[auction.name]
        order = bytes(sale.places[auction.buyers[place].name] for place in auction.winners)
        call = self._auction.clear(sale.number, auction.draw, order)
        gas = limits.of_clearing(len(sale.places), len(sale.asks))
        return Message(call, self.contract.chain_key, gas)

    def wind_up(self, auction: Auction) -> Process:
        """Clear without winners, and let everybody have its escrow back before it bids again."""
        sent = [self._send_message(self.contract, "unsold", auction.name, self.clearing(auction))]
        sent += [
            self._send_message(self.contract, "refund", auction.name, message) for message in self._settlements(auction)
        ]
        with self.contract.doing("settlement", auction=auction.name):
            yield self._world.env.all_of(sent)
            yield self._world.env.all_of(self._withdrawals(auction))

    def settlements(self, auction: Auction) -> list[Message]:
        """Give winners their licence and everybody what is left of its escrow, having seen that the contract agrees."""
        self._see_that_it_agrees(auction)
        return self._settlements(auction)

    def _settlements(self, auction: Auction) -> list[Message]:
        sale = self._sales[auction.name]
        return [
            Message(
                self._auction.settle(sale.number, part),
                self.contract.chain_key,
                limits.SETTLE + limits.EACH_SETTLED * len(part),
            )
            for part in contracts.portions(sorted(sale.places.values()), limits.PORTION)
        ]

    def pay_out(self, auction: Auction) -> Process:
        """Bidders withdraw, the DAO that sold collects, and its members claim their shares."""
        sent = self._withdrawals(auction)
        clearing, world = auction.clearing, self._world
        seller = auction.sellers[int(clearing.sellers[0])] if clearing is not None and clearing.sellers.size else None
        tree = None if seller is None else self._trees.get((seller.address, auction.name))
        with self.contract.doing("settlement", auction=auction.name):
            if seller is not None and tree is not None:
                yield self._tallies[seller.address, auction.name]
                contract = self._daos[seller.address]
                collected = contract.collect(self._auction.address, tree[0])
                receipt = yield self._send(seller, "collect", auction.name, collected, limits.COLLECT)
                for user, claim in zip(seller.members.users, tree[1].claims, strict=True):
                    if claim.c2 > claim.c1:
                        call = contract.claim(int(receipt.answer.value), claim)
                        sent.append(self._send(user, "claim", auction.name, call, limits.CLAIM))
            yield world.env.all_of(sent)

    def _withdrawals(self, auction: Auction) -> list[Any]:
        sale = self._sales[auction.name]
        bidders = (buyer for buyer in auction.buyers if buyer.name in sale.places)
        return [
            self._send(
                buyer, "withdraw", auction.name, self._auction.withdraw(buyer.chain_key.address), limits.WITHDRAW
            )
            for buyer in bidders
            if self._read(self._auction.credit(buyer.chain_key.address))
        ]

    def resell(self, auction: Auction, resold: Iterable[LicenceRow]) -> Process:
        """The holder offers, the taker buys at that price, the holder fetches what is left after the royalty."""
        clearing, people = auction.clearing, {buyer.name: buyer for buyer in auction.buyers}
        bought = []
        for row in resold:
            assert clearing is not None  # or nobody had a licence to sell
            token, rank = auction.nfts[int(clearing.sellers[0])].token, row.priority
            price, seller = to_wei(to_units(row.price_money)), people[row.seller]
            self._send(seller, "offer", auction.name, self._nft.offer(token, rank, price), limits.OFFER)
            call = self._nft.buy(token, rank, price=price)
            bought.append(self._send(people[row.holder], "buy", auction.name, call, limits.BUY, follows=True))
            call = self._nft.withdraw(seller.chain_key.address)
            bought.append(self._send(seller, "withdraw", auction.name, call, limits.WITHDRAW, follows=True))
        with self.contract.doing("settlement", auction=auction.name):
            yield self._world.env.all_of(bought)

    # ---- sending and reading ----------------------------------------------------------------------------------------

    def _see_that_it_agrees(self, auction: Auction) -> None:
        """The contract has checked that the order is complete; price, winners and token are compared here."""
        sale, clearing = self._sales[auction.name], auction.clearing
        assert clearing is not None
        _, _, _, its_price, its_winners, *_, its_token = self._read(self._auction.sale(sale.number))
        price = 0 if clearing.price is None else to_wei(to_units(clearing.price))
        token = auction.nfts[int(clearing.sellers[0])].token if clearing.sellers.size else 0
        if (its_price, its_winners, its_token) != (price, len(auction.winners), token):
            raise ContractsDisagree(
                f"auction {auction.name}: the contract sold {its_winners} licences of token {its_token} at {its_price} "
                f"wei, the market {len(auction.winners)} of token {token} at {price}"
            )

    def _send(self, sender: Actor, kind: str, auction: str, call: Call, gas: int, *, follows: bool = False) -> Any:
        return self._send_message(sender, kind, auction, Message(call, sender.chain_key, gas, follows))

    def _send_message(self, sender: Actor, kind: str, auction: str, message: Message) -> Any:
        payload = {"auction": auction, "call": message.call.name}
        return self._world.public_chain.submit(kind, sender.key, payload, message=message)

    def _read(self, call: Call) -> Any:
        return self._execution.read(call)
