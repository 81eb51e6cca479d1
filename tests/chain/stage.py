"""A stage for the contracts' tests: all three deployed, keys for everybody, and an auction's steps one call each."""

import numpy as np

from flnft_sim.chain.backend import Candidate, Genesis, connect
from flnft_sim.chain.contracts import FlNft, MuDao, SealedAuction, portions
from flnft_sim.chain.keys import ChainKey
from flnft_sim.chain.seals import Market, Opening, draw_seal, winning_order
from flnft_sim.chain.transactions import created_address

MONEY = 10**20
DETAILS = bytes(range(32))
DRAW = b"d" * 32
IDENTITY = b"i" * 32
BOX = b"x" * 284


def key(role: str, number: int = 0) -> ChainKey:
    """The key of somebody on the stage."""
    return ChainKey.from_seed(np.random.SeedSequence([ord(letter) for letter in role] + [number]))


class Stage:
    """A chain with the market's contracts on it; `gas` has what each kind of transaction took."""

    def __init__(self, *, bidders: int = 3, daos: int = 2, others=(), engine: str = "pyevm", chain=None):
        self.operator, self.stranger = key("operator"), key("stranger")
        self.bidders = [key("bidder", number) for number in range(bidders)]
        self.daos = [key("dao", number) for number in range(daos)]
        everybody = [self.operator, self.stranger, *self.bidders, *self.daos, *others]
        self.genesis = Genesis(alloc={each.address: MONEY for each in everybody}, engine=engine)
        self.chain = connect("evm", self.genesis) if chain is None else chain(self.genesis)
        self.gas: dict[str, list[int]] = {}
        self.now = self.chain.last.timestamp
        nft = created_address(self.operator.address, 1)
        self.auction = SealedAuction(self.do(SealedAuction.deploy(nft), self.operator))
        self.nft = FlNft(self.do(FlNft.deploy(self.auction.address), self.operator))
        assert self.nft.address == nft
        self.seals = Market(self.genesis.chain_id, self.auction.address)
        for some in portions([each.address for each in self.bidders]):
            self.do(self.auction.register(dict.fromkeys(some, IDENTITY)), self.operator)
        self.book: dict[int, dict[int, Opening]] = {}
        self.salts: dict[tuple[int, int], bytes] = {}
        self.terms: dict[int, dict[str, int]] = {}

    def do(self, call, who, *, gas=None):
        """Send a call in a block of its own at the stage's time; returns its result or raises the contract's error."""
        env = self.chain.next_block(self.now)
        sent = self.chain.sign(call, who, timestamp=env.timestamp, gas=gas)
        [done] = self.chain.build(env, [Candidate(sent.raw, sent.gas_limit)]).own
        self.now, self.done = env.timestamp, done
        if done.success:
            self.gas.setdefault(call.name, []).append(done.gas_used)
        result = sent.answer(done)
        return sent.creates or result

    def read(self, call, **told):
        """What a call would return now."""
        return self.chain.read(call, timestamp=self.now, **told)

    def mint(self, dao, royalty_bps=500):
        """A token of a DAO."""
        return self.do(self.nft.mint(getattr(dao, "address", dao), b"\1" * 32, b"\2" * 32, royalty_bps), self.stranger)

    def announce(self, *, reserve=None, forfeit_bps=0, licence_s=10_000, draw=DRAW):
        """An auction of 1000 seconds to bid and 1000 to open."""
        closes, opens_until = self.now + 1000, self.now + 2000
        call = self.auction.announce(
            seal_to=b"\3" * 32, reserve=reserve, closes=closes, opens_until=opens_until, licence_s=licence_s,
            draw_seal=draw_seal(draw), forfeit_bps=forfeit_bps,
        )  # fmt: skip
        number = self.do(call, self.operator)
        self.book[number], self.terms[number] = {}, {"closes": closes, "opens_until": opens_until}
        return number

    def ask(self, auction, token, value, dao):
        """A sealed ask of a DAO's key."""
        salt = self.salts[auction, token] = bytes([token % 256]) * 32
        self.do(self.auction.ask(auction, token, self.seals.ask_seal(auction, token, dao.address, value, salt)), dao)

    def bid(self, auction, bidder, total, escrow=None, box=BOX):
        """A sealed bid; its opening is written down."""
        salt = bytes([self.bidders.index(bidder) % 256]) * 32
        seal = self.seals.bid_seal(auction, bidder.address, total, DETAILS, salt)
        place = self.do(self.auction.bid(auction, seal, box, escrow=total if escrow is None else escrow), bidder)
        self.book[auction][place] = Opening(place, total, DETAILS, salt)
        return place

    def close(self, auction):
        """Let time pass until bids are late."""
        self.now = max(self.now, self.terms[auction]["closes"] + 1)

    def end(self, auction):
        """Let time pass until openings are late."""
        self.now = max(self.now, self.terms[auction]["opens_until"] + 1)

    def open_ask(self, auction, token, value):
        """Open an ask as it was sealed."""
        self.do(self.auction.open_ask(auction, token, value, self.salts[auction, token]), self.operator)

    def open(self, auction, places=None):
        """Open bids as they were sealed, in portions."""
        places = list(self.book[auction]) if places is None else places
        for some in portions(places, 50):
            self.do(self.auction.open(auction, [self.book[auction][place] for place in some]), self.operator)

    def order(self, auction, price):
        """The winners as they must be listed, by the openings."""
        bids = {}
        for place, opening in self.book[auction].items():
            bidder, escrow, _, _ = self.read(self.auction.bid_at(auction, place))
            if opening.total <= escrow:
                bids[place] = (bidder, opening.total)
        return winning_order(bids, price, DRAW)

    def clear(self, auction, price, order=None, who=None):
        """Clear with all winners, or with `order`."""
        order = self.order(auction, price) if order is None else order
        self.do(self.auction.clear(auction, DRAW, order), who or self.stranger)
        return order

    def settle(self, auction, places=None):
        """Settle all bids or some, in portions of 50."""
        places = list(self.book[auction]) if places is None else places
        for some in portions(places, 50):
            self.do(self.auction.settle(auction, list(some)), self.stranger)

    def sold(self, bids, asks, **told):
        """An auction from mint to clear, of all these bids (by bidder) and asks (by DAO); tells price and number."""
        tokens = [self.mint(dao) for dao in self.daos[: len(asks)]]
        auction = self.announce(**told)
        for token, value, dao in zip(tokens, asks, self.daos, strict=False):
            self.ask(auction, token, value, dao)
        for bidder, total in zip(self.bidders, bids, strict=False):
            self.bid(auction, bidder, total)
        self.close(auction)
        for token, value in zip(tokens, asks, strict=True):
            self.open_ask(auction, token, value)
        self.open(auction)
        self.end(auction)
        second = sorted(asks)[1] if len(asks) > 1 else 2**200
        price = min(second, told.get("reserve") or 2**128)
        self.clear(auction, price)
        return auction, price, tokens

    def credit(self, who, where=None):
        """What waits for somebody in the auction, or in another contract."""
        return self.read((where or self.auction).credit(getattr(who, "address", who)))


def dao_of(stage, members, executor=None):
    """A MuDao on the stage's chain, made by `executor`."""
    return MuDao(stage.do(MuDao.deploy([each.address for each in members]), executor or stage.operator))
