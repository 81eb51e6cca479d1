"""Whatever is done to the contracts in whatever order: money adds up to the wei, and rights end when they should."""

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from stage import DRAW, Stage, dao_of

from flnft_sim.chain.contracts import BidStatus
from flnft_sim.chain.contracts import Stage as AuctionStage
from flnft_sim.chain.errors import ContractRevert
from flnft_sim.chain.merkle import ShareTree
from flnft_sim.chain.replay import replay

PRICE = st.integers(0, 6).map(lambda money: money * 10**15 + money)
WEIGHTS = st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(any)
BIDDER = st.integers(0, 3)
WEEK = 7 * 86_400


class Traders(RuleBasedStateMachine):
    """Everybody does what it may, and much that it may not, on one chain."""

    @initialize(
        weights=st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(any), bps=st.sampled_from([0, 250, 10_000])
    )
    def begin(self, weights, bps):
        """Deploy everything; the second DAO is a MuDao whose members are the bidders."""
        self.stage = Stage(bidders=4, daos=1)
        self.bps = bps
        self.dao = dao_of(self.stage, self.stage.bidders)
        self.tree = ShareTree([each.address for each in self.stage.bidders], weights)
        self.vote = self.stage.do(self.dao.start_vote(self.stage.now + 1, 1), self.stage.operator)
        self.stage.now += 2
        self.stage.do(self.dao.tally(self.vote, self.tree.root, self.tree.weight), self.stage.operator)
        self.auction, self.tokens, self.values = 0, [], {}
        self.stages: dict[int, int] = {}
        self.settled: set[tuple[int, int]] = set()
        self.holders: set[tuple[int, str]] = set()
        self.got: dict[tuple[str, str], int] = {}  # withdrawn, by contract and owner
        self.received: dict[int, int] = {}
        self.claimed: dict[int, list[int]] = {}
        contracts = [self.stage.auction.address, self.stage.nft.address, self.dao.address]
        self.people = [key.address for key in (*self.stage.bidders, *self.stage.daos, self.stage.stranger)]
        self.everybody = [*contracts, *self.people, self.stage.operator.address]
        self.money = self.total()
        self.mint()

    def phase(self):
        """What the newest auction waits for."""
        if not self.auction or self.stages.get(self.auction, AuctionStage.BIDDING) != AuctionStage.BIDDING:
            return "over"
        terms = self.stage.terms[self.auction]
        if self.stage.now < terms["closes"]:
            return "bidding"
        return "opening" if self.stage.now < terms["opens_until"] else "ended"

    def go_on(self, data):
        """Do what the newest auction waits for."""
        draw, phase = data.draw, self.phase()
        if phase == "over" and (not self.auction or draw(st.booleans())):
            self.announce(draw(st.none() | PRICE), draw(st.sampled_from([0, 5_000])), draw(st.tuples(PRICE, PRICE)))
        elif phase == "over":
            for place in draw(st.sets(BIDDER, min_size=1)):
                self.settle(place)
        elif phase == "bidding" and self.stage.book[self.auction] and draw(st.booleans()):
            self.stage.close(self.auction)
        elif phase == "bidding":
            self.bid(draw(st.lists(st.tuples(BIDDER, PRICE, PRICE), min_size=1, max_size=4)))
        elif phase == "opening":
            self.open(draw(st.none() | BIDDER), draw(st.integers(0, 3)))
        else:
            self.clear(draw(st.permutations(range(4))), draw(st.integers(0, 3)))

    # Three rules of one kind, for hypothesis leaves some rules out of every example.
    go_on_first = rule(data=st.data())(lambda self, data: self.go_on(data))
    go_on_second = rule(data=st.data())(lambda self, data: self.go_on(data))
    go_on_third = rule(data=st.data())(lambda self, data: self.go_on(data))

    def total(self):
        """All wei there are: no gas is paid here."""
        return sum(self.stage.chain.account(address).balance for address in self.everybody)

    def attempt(self, call, who):
        """Send a call; the result, or None where the contract refuses (which must change no money)."""
        before = [self.stage.chain.account(address).balance for address in self.everybody]
        try:
            return self.stage.do(call, who)
        except ContractRevert:
            assert before == [self.stage.chain.account(address).balance for address in self.everybody]
            return None

    def bids(self):
        """(place, bidder, escrow, status, word) of the auction's bids."""
        for place in self.stage.book.get(self.auction, {}):
            yield (place, *self.stage.read(self.stage.auction.bid_at(self.auction, place)))

    @rule()
    def mint(self):
        """Both DAOs mint a token, a few times at most."""
        if self.phase() == "over" and len(self.tokens) < 6:
            for owner in (self.stage.daos[0].address, self.dao.address):
                self.tokens.append(self.stage.mint(owner, self.bps))

    def announce(self, reserve, forfeit, values):
        """A new auction, with asks of both DAOs; the one before is left as it is."""
        stage = self.stage
        self.close_books()
        self.auction = stage.announce(reserve=reserve, forfeit_bps=forfeit, licence_s=6_000)
        mine, daos = self.tokens[-2:]
        self.values = {mine: values[0], daos: values[1]}
        stage.ask(self.auction, mine, values[0], stage.daos[0])
        seal = stage.seals.ask_seal(self.auction, daos, self.dao.address, values[1], DRAW)
        stage.salts[self.auction, daos] = DRAW
        stage.do(self.dao.submit_ask(stage.auction.address, self.auction, daos, seal), stage.operator)

    def close_books(self):
        """Settle what the auction before left, so that sums stay small."""
        if self.auction and self.stages.get(self.auction) == AuctionStage.BIDDING:
            self.stage.now = max(self.stage.now, self.stage.terms[self.auction]["opens_until"] + WEEK + 1)
            self.stage.do(self.stage.auction.cancel(self.auction), self.stage.stranger)
            self.stages[self.auction] = AuctionStage.NO_TRADE
        for place in list(self.stage.book.get(self.auction, {})):
            self.settle(place)

    def bid(self, bids):
        """Seal bids or replace them, some over their escrow."""
        for who, total, more in bids:
            self.stage.bid(self.auction, self.stage.bidders[who], total, escrow=more if more % 2 else total + more)

    def open(self, hidden, asks):
        """Open the bids but perhaps one, and mostly the asks; then let the window for openings close."""
        for place, opening in self.stage.book[self.auction].items():
            if place != hidden:
                self.attempt(self.stage.auction.open(self.auction, [opening]), self.stage.stranger)
        for token, value in self.values.items() if asks else ():
            salt = self.stage.salts[self.auction, token]
            self.attempt(self.stage.auction.open_ask(self.auction, token, value, salt), self.stage.stranger)
        self.stage.end(self.auction)

    @precondition(lambda self: self.auction)
    @rule(what=st.sampled_from(["bid", "open", "clear", "cancel", "settle", "ask"]), who=BIDDER)
    def stray(self, what, who):
        """Try what it may not be the time for."""
        auction, contract = self.auction, self.stage.auction
        opening = list(self.stage.book[auction].values())[:1]
        calls = {
            "bid": contract.bid(auction, DRAW, b"", escrow=1),
            "open": contract.open(auction, opening),
            "clear": contract.clear(auction, DRAW, b"\t"),
            "cancel": contract.cancel(auction),
            "settle": contract.settle(auction, [9]),
            "ask": contract.ask(auction, self.tokens[0], DRAW),
        }
        if what != "bid" or self.phase() != "bidding":  # a bid in time needs an opening of its own
            self.attempt(calls[what], self.stage.bidders[who])

    @rule(seconds=st.sampled_from([10, 1_000, 3_000]))
    def wait(self, seconds):
        """Let time pass, in which licences may end."""
        self.stage.now += seconds if self.phase() in ("over", "ended") else 1

    def clear(self, shuffled, honest):
        """Clear, mostly as it should be."""
        sale = self.stage.read(self.stage.auction.sale(self.auction))
        asks = []
        for token in self.values:
            _, value, _ = self.stage.read(self.stage.auction.view("asks", self.auction, token))
            asks += [value - 1] if value else []
        price = min(sorted(asks)[1] if len(asks) > 1 else 2**128, sale[0])
        book = self.stage.book[self.auction]
        opened = [place for place, _, _, status, _ in self.bids() if status == BidStatus.OPENED]
        trades = asks and min(asks) <= price < 2**128 - 1
        order = [place for place in self.stage.order(self.auction, price) if place in opened] if trades else []
        if not honest:
            order = [place for place in shuffled if place in book]
        self.attempt(self.stage.auction.clear(self.auction, DRAW, bytes(order)), self.stage.stranger)

    def settle(self, place):
        """I5: a winner gets its escrow less the price, everybody else all of it, but for what it forfeits."""
        stage, bids = self.stage, {bid[0]: bid[1:] for bid in self.bids()}
        if place not in bids:
            return
        who, escrow, status, _ = bids[place]
        sale = stage.read(stage.auction.sale(self.auction))
        before = stage.credit(who)
        if self.attempt_settle(place):
            forfeit = (
                escrow * sale[8] // 10_000 if status == BidStatus.SEALED and sale[6] == AuctionStage.CLEARED else 0
            )
            assert stage.credit(who) - before == escrow - (sale[3] if status == BidStatus.WON else 0) - forfeit
            if status == BidStatus.WON:
                self.holders.add((sale[-1], who))

    def attempt_settle(self, place):
        """Whether it was settled now, which happens once."""
        try:
            self.stage.do(self.stage.auction.settle(self.auction, [place]), self.stage.stranger)
        except ContractRevert:
            return False
        assert (self.auction, place) not in self.settled
        self.settled.add((self.auction, place))
        return True

    @rule(who=BIDDER, twice=st.booleans())
    def withdraw(self, who, twice):
        """I2: nobody gets more than its credit, and a second time nothing."""
        for contract in (self.stage.auction, self.stage.nft):
            owner = self.stage.bidders[who]
            credit, balance = self.stage.credit(owner, contract), self.stage.chain.account(owner.address).balance
            assert self.stage.do(contract.withdraw(owner.address), owner) == credit
            if twice:
                assert self.stage.do(contract.withdraw(owner.address), owner) == 0
            assert self.stage.chain.account(owner.address).balance == balance + credit
            assert self.stage.credit(owner, contract) == 0

    @precondition(lambda self: self.holders)
    @rule(buyer=st.integers(0, 4), price=PRICE, back=st.integers(0, 3).map(lambda drawn: not drawn), data=st.data())
    def resell(self, buyer, price, back, data):
        """I4: royalty and the seller's part add up to the price."""
        stage, nft = self.stage, self.stage.nft
        token, seller = data.draw(st.sampled_from(sorted(self.holders)))
        rank = stage.read(nft.view("rankOf", token, seller))
        keys = {key.address: key for key in (*stage.bidders, stage.stranger)}
        one, other = keys[seller], list(keys.values())[buyer]
        self.attempt(nft.offer(token, rank, price), one)
        if back:
            self.attempt(nft.withdraw_offer(token, rank), one)
        dao, _ = stage.read(nft.view("royaltyInfo", token, price))
        before = stage.credit(dao, nft), stage.credit(one, nft)
        if stage.read(nft.view("offers", token, rank)) != price + 1:
            return
        try:
            stage.do(nft.buy(token, rank, price=price), other)
        except ContractRevert:
            return
        royalty = price * self.bps // 10_000
        holder, expires = stage.read(nft.view("licences", token, rank))
        assert holder == other.address and expires > stage.now
        self.holders.add((token, holder))
        [sold] = [event for event in nft.events(stage.done.logs) if event.name == "Resold"]
        assert (sold["price"], sold["royalty"]) == (price, royalty)
        assert stage.credit(dao, nft) - before[0] == royalty
        [left] = [e["user"] for e in nft.events(stage.done.logs) if e.name == "UpdateUser" and e["expires"] == 0]
        assert stage.read(nft.view("userExpires", token, left)) == 0

    @rule(contract=st.sampled_from(["auction", "nft"]))
    def collect(self, contract):
        """The DAO fetches what waits for it."""
        payer = getattr(self.stage, contract)
        credit = self.stage.credit(self.dao, payer)
        receipt = self.stage.do(self.dao.collect(payer.address, self.vote), self.stage.operator)
        self.received[receipt], self.claimed[receipt] = credit, []

    @precondition(lambda self: self.received)
    @rule(member=BIDDER, data=st.data())
    def claim(self, member, data):
        """I8: a member is paid once, and what all get adds up to the receipt."""
        receipt = data.draw(st.sampled_from(sorted(self.received)))
        amount, claim = self.received[receipt], self.tree.claims[member]
        before = self.stage.chain.account(claim.to).balance
        try:
            self.stage.do(self.dao.claim(receipt, claim), self.stage.stranger)
        except ContractRevert as revert:
            assert revert.name == "Twice" and member in self.claimed[receipt]
            return
        self.claimed[receipt].append(member)
        assert self.stage.chain.account(claim.to).balance - before == claim.amount(amount, self.tree.weight)
        assert sum(each.amount(amount, self.tree.weight) for each in self.tree.claims) == amount

    @invariant()
    def contracts_hold_what_they_owe(self):
        """I1 for all three contracts, and I9."""
        if not hasattr(self, "money"):
            return
        stage = self.stage
        assert self.total() == self.money
        owners = [*self.people, self.dao.address]
        for contract in (stage.auction, stage.nft):
            owed = sum(stage.credit(owner, contract) for owner in owners)
            if contract is stage.auction and self.auction:
                price = stage.read(stage.auction.sale(self.auction))[3]
                for _, _, escrow, status, _ in self.bids():
                    owed += 0 if status == BidStatus.SETTLED else escrow - (price if status == BidStatus.WON else 0)
            assert stage.chain.account(contract.address).balance == owed
        unclaimed = sum(
            claim.amount(amount, self.tree.weight)
            for receipt, amount in self.received.items()
            for claim in self.tree.claims
            if claim.place not in self.claimed[receipt]
        )
        assert stage.chain.account(self.dao.address).balance == unclaimed

    @invariant()
    def stages_move_forward(self):
        """I10."""
        for auction in self.stage.book if hasattr(self, "money") else ():
            if self.stages.get(auction, AuctionStage.BIDDING) == AuctionStage.BIDDING:
                now = self.stage.read(self.stage.auction.sale(auction))[6]
                assert now >= self.stages.get(auction, AuctionStage.BIDDING)
                self.stages[auction] = now

    @invariant()
    def rights_end_when_they_should(self):
        """I3 and I7: no use from the expiry on, ranks without gaps, one licence a holder."""
        stage = self.stage if hasattr(self, "money") else None
        for token in {token for token, _ in self.holders} if stage else ():
            given = stage.read(stage.nft.view("ranks", token))
            live: dict[str, int] = {}
            for rank in range(1, given + 1):
                holder, expires = stage.read(stage.nft.view("licences", token, rank))
                if expires > stage.now:
                    assert holder not in live
                    live[holder] = rank
            for holder in {holder for some, holder in self.holders if some == token}:
                assert stage.read(stage.nft.may_use(token, holder)) == (holder in live)
            _, outside = stage.read(stage.nft.view("licences", token, given + 1))
            assert outside == 0

    def teardown(self):
        """I11: the same bytes give the same gas, logs and roots on a new engine."""
        if hasattr(self, "money"):
            chain = self.stage.chain
            blocks = [chain.block(number).to_dict() for number in range(1, chain.last.number + 1)]
            again = replay(chain.genesis.to_dict(), blocks)
            assert again.engine.state_root() == chain.engine.state_root()


def test_money_and_rights_hold_whatever_is_done():
    run_state_machine_as_test(Traders, settings=settings(max_examples=3, stateful_step_count=25))


@pytest.mark.slow
def test_money_and_rights_hold_in_10000_steps():
    run_state_machine_as_test(Traders, settings=settings(max_examples=200, stateful_step_count=50, derandomize=False))


def test_a_contract_that_owed_more_than_it_holds_would_be_found(monkeypatch):
    class Careless(Traders):
        """One that forgets the escrows."""

        def bids(self):
            return iter(())

    told = settings(max_examples=10, stateful_step_count=25, database=None, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Careless, settings=told)
