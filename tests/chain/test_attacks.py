"""Each attack on the market's contracts ends in the answer that it should, and nobody else is the worse for it."""

from dataclasses import replace

import pytest
from eth_hash.auto import keccak
from stage import BOX, DETAILS, DRAW, IDENTITY, Stage, dao_of, key

from flnft_sim.chain import merkle
from flnft_sim.chain.artifacts import read_artifact
from flnft_sim.chain.backend import connect
from flnft_sim.chain.contracts import MuDao, revert_of
from flnft_sim.chain.contracts import Stage as AuctionStage
from flnft_sim.chain.errors import ContractRevert
from flnft_sim.chain.limits import MAX_ASKS
from flnft_sim.chain.merkle import Claim, ShareTree
from flnft_sim.chain.seals import Market, Opening
from flnft_sim.chain.transactions import Call

ETH = 10**18


def refused(stage, call, who, name, *values, **told):
    """The call ends in this error of the contract; `...` stands for any values."""
    with pytest.raises(ContractRevert) as fault:
        stage.do(call, who, **told)
    assert fault.value.name == name, fault.value
    assert values == (...,) or fault.value.values == values, fault.value


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def open_sale(stage):
    """Two tokens asked for at 1 and 2 ether, three bids of 3, 4 and 1 sealed; the window is still open."""
    tokens = [stage.mint(dao) for dao in stage.daos]
    auction = stage.announce()
    for token, dao, value in zip(tokens, stage.daos, (ETH, 2 * ETH), strict=True):
        stage.ask(auction, token, value, dao)
    for bidder, total in zip(stage.bidders, (3 * ETH, 4 * ETH, ETH), strict=True):
        stage.bid(auction, bidder, total, escrow=5 * ETH)
    return auction, tokens


def opened(stage, auction, tokens):
    """The window closed, everything opened (`stage.opened` are the logs), time to clear."""
    stage.close(auction)
    for token, value in zip(tokens, (ETH, 2 * ETH), strict=True):
        stage.open_ask(auction, token, value)
    stage.open(auction)
    stage.opened = stage.done.logs
    stage.end(auction)


# --- Sealed bids -----------------------------------------------------------------------------------------------------


def test_a_copied_seal_cannot_be_opened(stage, open_sale):
    auction, _ = open_sale
    thief, victim = key("stranger"), stage.book[auction][0]
    stage.do(stage.auction.register({thief.address: IDENTITY}), stage.operator)
    second = stage.announce()
    place = stage.bid(second, stage.bidders[0], 3 * ETH)
    seal = stage.read(stage.auction.bid_at(second, place))[3]
    copy = stage.do(stage.auction.bid(second, seal, BOX, escrow=5 * ETH), thief)
    stage.close(second)
    stolen = Opening(copy, victim.total, victim.details, victim.salt)
    refused(stage, stage.auction.open(second, [stolen]), thief, "WrongSeal", copy)
    stage.open(second)


@pytest.mark.parametrize("other", ["auction", "contract", "chain"])
def test_a_bid_replayed_elsewhere_cannot_be_opened(stage, open_sale, other):
    auction, _ = open_sale
    bidder, salt = stage.bidders[0], b"s" * 32
    second = stage.announce()
    where = {
        "auction": (stage.seals, auction),
        "contract": (Market(stage.genesis.chain_id, stage.nft.address), second),
        "chain": (Market(1, stage.auction.address), second),
    }
    seals, number = where[other]
    seal = seals.bid_seal(number, bidder.address, ETH, DETAILS, salt)
    place = stage.do(stage.auction.bid(second, seal, BOX, escrow=ETH), bidder)
    stage.close(second)
    refused(stage, stage.auction.open(second, [Opening(place, ETH, DETAILS, salt)]), bidder, "WrongSeal", place)


def test_the_contract_seals_as_python_does(stage):
    bidder, salt = stage.bidders[0], b"s" * 32
    here = stage.read(stage.auction.view("sealOf", 7, bidder.address, 5, DETAILS, salt))
    assert here == stage.seals.bid_seal(7, bidder.address, 5, DETAILS, salt)


def test_what_comes_late_or_early_is_told_when(stage, open_sale):
    auction, tokens = open_sale
    closes, until = stage.terms[auction]["closes"], stage.terms[auction]["opens_until"]
    contract, opening = stage.auction, stage.book[auction][0]
    stage.now = closes - 1
    refused(stage, contract.open(auction, [opening]), stage.stranger, "TooEarly", closes)
    stage.now = closes  # the closing second itself is in time
    stage.bid(auction, stage.bidders[0], 3 * ETH, escrow=0)
    stage.close(auction)
    refused(stage, contract.bid(auction, b"s" * 32, BOX, escrow=1), stage.bidders[0], "TooLate", closes)
    refused(stage, contract.ask(auction, tokens[0], b"s" * 32), stage.daos[0], "TooLate", closes)
    refused(stage, contract.clear(auction, DRAW, b""), stage.stranger, "TooEarly", until)
    stage.end(auction)
    refused(stage, contract.open(auction, [opening]), stage.stranger, "TooLate", until)
    refused(stage, contract.open_ask(auction, tokens[0], ETH, b"s" * 32), stage.stranger, "TooLate", until)


def test_a_bid_over_its_escrow_is_rejected_and_all_of_it_comes_back(stage, open_sale):
    auction, tokens = open_sale
    stage.bid(auction, stage.bidders[2], 9 * ETH, escrow=0)
    opened(stage, auction, tokens)
    [rejected] = [event for event in stage.auction.events(stage.opened) if event.name == "Rejected"]
    assert (rejected["place"], rejected["total"]) == (2, 9 * ETH)
    stage.clear(auction, 2 * ETH)
    stage.settle(auction)
    assert [stage.credit(each) for each in stage.bidders] == [3 * ETH, 3 * ETH, 5 * ETH]


def test_strangers_and_late_comers_do_not_bid_and_nobody_grinds_the_draw_by_new_names(stage, open_sale):
    auction, _ = open_sale
    call = stage.auction.bid(auction, b"s" * 32, BOX, escrow=1)
    refused(stage, call, stage.stranger, "NotRegistered")
    stage.do(stage.auction.register({stage.stranger.address: IDENTITY}), stage.operator)
    refused(stage, call, stage.stranger, "NotRegistered")  # after the draw was sealed
    second = stage.announce()
    stage.do(stage.auction.bid(second, b"s" * 32, BOX, escrow=1), stage.stranger)
    refused(stage, stage.auction.register({key("more").address: IDENTITY}), stage.stranger, "NotAuctioneer")


def test_amounts_that_would_be_cut_off_are_refused(stage):
    rich = stage.bidders[0]
    genesis = replace(stage.genesis, alloc={**stage.genesis.alloc, rich.address: 2**100})
    stage = Stage(chain=lambda _: connect("evm", genesis))
    auction = stage.announce()
    refused(stage, stage.auction.bid(auction, b"s" * 32, BOX, escrow=2**88), rich, "TooMuch")
    stage.do(stage.auction.bid(auction, b"s" * 32, BOX, escrow=2**88 - 1), rich)
    refused(stage, stage.auction.bid(auction, b"s" * 32, BOX, escrow=1), rich, "TooMuch")
    token = stage.mint(stage.daos[0])
    stage.ask(auction, token, 2**96 - 1, stage.daos[0])
    place = stage.bid(auction, rich, 2**128 + 5, escrow=0)
    stage.close(auction)
    refused(stage, stage.auction.open_ask(auction, token, 2**96 - 1, stage.salts[auction, token]), rich, "TooMuch")
    stage.open(auction, [place])
    assert stage.read(stage.auction.bid_at(auction, place))[2] == 3  # rejected: over the escrow
    refused(stage, stage.nft.mint(stage.daos[0].address, DRAW, DRAW, 10_001), rich, "ERC2981InvalidTokenRoyalty", ...)


# --- The auctioneer --------------------------------------------------------------------------------------------------


def test_an_auctioneer_cannot_leave_out_reorder_or_invent(stage, open_sale):
    auction, tokens = open_sale
    opened(stage, auction, tokens)
    contract, lies = stage.auction, stage.operator
    refused(stage, contract.clear(auction, DRAW, bytes([1])), lies, "Incomplete", 1, 2)
    refused(stage, contract.clear(auction, DRAW, b""), lies, "Incomplete", 0, 2)
    refused(stage, contract.clear(auction, DRAW, bytes([0, 1])), lies, "OutOfOrder", 1)
    refused(stage, contract.clear(auction, DRAW, bytes([1, 1])), lies, "OutOfOrder", 1)
    refused(stage, contract.clear(auction, DRAW, bytes([1, 0, 2])), lies, "OutOfOrder", 2)  # below the price
    refused(stage, contract.clear(auction, DRAW, bytes([1, 0, 9])), lies, "OutOfOrder", 2)  # nobody's
    assert stage.clear(auction, 2 * ETH) == bytes([1, 0])


def test_an_auctioneer_cannot_open_another_bid_than_was_sealed(stage, open_sale):
    auction, _ = open_sale
    stage.close(auction)
    opening = stage.book[auction][1]
    for lie in (
        Opening(1, opening.total - 1, opening.details, opening.salt),
        Opening(1, opening.total, bytes(32), opening.salt),
        Opening(1, opening.total, opening.details, bytes(32)),
    ):
        refused(stage, stage.auction.open(auction, [lie]), stage.operator, "WrongSeal", 1)
    stage.open(auction, [1])
    refused(stage, stage.auction.open(auction, [opening]), stage.operator, "NotSealed", 1)
    refused(stage, stage.auction.open(auction, [Opening(9, 1, DETAILS, DRAW)]), stage.operator, "NotSealed", 9)


def test_an_auctioneer_who_does_nothing_stops_nobody(stage, open_sale):
    """Bidders and DAOs open their own, and anyone who knows the draw clears."""
    auction, tokens = open_sale
    stage.close(auction)
    for place, bidder in enumerate(stage.bidders):
        stage.do(stage.auction.open(auction, [stage.book[auction][place]]), bidder)
    for token, value, dao in zip(tokens, (ETH, 2 * ETH), stage.daos, strict=True):
        stage.do(stage.auction.open_ask(auction, token, value, stage.salts[auction, token]), dao)
    stage.end(auction)
    stage.clear(auction, 2 * ETH, who=stage.bidders[2])
    stage.settle(auction)
    assert stage.credit(stage.daos[0]) == 4 * ETH


def test_after_a_week_without_a_clearing_all_money_comes_back(stage, open_sale):
    auction, _ = open_sale
    week = stage.terms[auction]["opens_until"] + 7 * 86_400
    stage.now = week
    refused(stage, stage.auction.cancel(auction), stage.stranger, "TooEarly", week)
    stage.now = week + 1
    stage.do(stage.auction.cancel(auction), stage.stranger)
    refused(stage, stage.auction.cancel(auction), stage.stranger, "WrongStage")
    refused(stage, stage.auction.clear(auction, DRAW, b""), stage.operator, "WrongStage")
    stage.settle(auction)
    assert [stage.credit(each) for each in stage.bidders] == [5 * ETH] * 3


def test_the_draw_is_the_one_that_was_sealed_at_the_announcement(stage, open_sale):
    auction, tokens = open_sale
    opened(stage, auction, tokens)
    refused(stage, stage.auction.clear(auction, b"D" * 32, bytes([1, 0])), stage.operator, "WrongSeal", 0)


def test_a_bidder_that_never_opens_moves_no_price_and_may_forfeit(stage):
    for forfeit_bps, back in ((0, 5 * ETH), (1_000, 5 * ETH - ETH // 2)):
        tokens = [stage.mint(dao) for dao in stage.daos]
        auction = stage.announce(forfeit_bps=forfeit_bps)
        for token, dao, value in zip(tokens, stage.daos, (ETH, 2 * ETH), strict=True):
            stage.ask(auction, token, value, dao)
        before = [stage.credit(each) for each in (*stage.bidders, stage.daos[0])]
        for bidder in stage.bidders:
            stage.bid(auction, bidder, 3 * ETH, escrow=5 * ETH)
        stage.close(auction)
        for token, value in zip(tokens, (ETH, 2 * ETH), strict=True):
            stage.open_ask(auction, token, value)
        stage.open(auction, [0, 1])
        stage.end(auction)
        places = [place for place in stage.order(auction, 2 * ETH) if place != 2]
        stage.clear(auction, 2 * ETH, bytes(places))
        stage.settle(auction)
        after = [stage.credit(each) for each in (*stage.bidders, stage.daos[0])]
        assert [one - other for one, other in zip(after, before, strict=True)] == [
            3 * ETH, 3 * ETH, back, 4 * ETH + 5 * ETH - back,
        ]  # fmt: skip
    refused(
        stage,
        stage.auction.announce(
            seal_to=DRAW,
            closes=stage.now + 9,
            opens_until=stage.now + 19,
            licence_s=1,
            draw_seal=DRAW,
            forfeit_bps=10_001,
        ),
        stage.operator,
        "TooMuch",
    )


def test_a_forfeit_is_for_a_sale_and_nobody_forfeits_where_nothing_was_sold(stage):
    auction = stage.announce(forfeit_bps=10_000)
    stage.bid(auction, stage.bidders[0], ETH)
    stage.end(auction)
    stage.clear(auction, 0, b"")
    stage.settle(auction)
    assert stage.credit(stage.bidders[0]) == ETH


def test_only_the_auctioneer_announces_and_only_what_lies_ahead(stage):
    told = {"seal_to": DRAW, "licence_s": 1, "draw_seal": DRAW}
    call = stage.auction.announce(closes=stage.now + 9, opens_until=stage.now + 19, **told)
    refused(stage, call, stage.stranger, "NotAuctioneer")
    for closes, until in ((stage.now - 5, stage.now + 9), (stage.now + 9, stage.now + 9)):
        refused(
            stage, stage.auction.announce(closes=closes, opens_until=until, **told), stage.operator, "TooEarly", ...
        )


# --- Asks ------------------------------------------------------------------------------------------------------------


def test_an_ask_cannot_be_changed_after_bids_are_seen_nor_be_of_anothers_token(stage, open_sale):
    auction, tokens = open_sale
    third = stage.mint(stage.daos[0])
    refused(stage, stage.auction.ask(auction, third, DRAW), stage.daos[1], "NotOwner")
    refused(stage, stage.auction.ask(auction, tokens[0], DRAW), stage.daos[0], "Twice")
    stage.close(auction)
    salt = stage.salts[auction, tokens[0]]
    refused(stage, stage.auction.open_ask(auction, tokens[0], 1, salt), stage.daos[0], "WrongSeal", tokens[0])
    stage.open_ask(auction, tokens[0], ETH)
    refused(stage, stage.auction.open_ask(auction, tokens[0], ETH, salt), stage.daos[0], "NotSealed", tokens[0])


def test_an_auction_takes_no_more_asks_and_bids_than_it_can_clear():
    stage = Stage(bidders=1, daos=1)
    auction = stage.announce()
    for token in range(1, MAX_ASKS + 2):
        stage.mint(stage.daos[0])
        call = stage.auction.ask(auction, token, DRAW)
        if token <= MAX_ASKS:
            stage.do(call, stage.daos[0])
    refused(stage, call, stage.daos[0], "Full")


def test_an_ask_is_void_when_its_token_has_gone_and_money_goes_to_who_asked(stage, open_sale):
    auction, tokens = open_sale
    opened(stage, auction, tokens)
    away = stage.nft.view("transferFrom", stage.daos[0].address, stage.stranger.address, tokens[0])
    stage.do(away, stage.daos[0])
    # The cheaper ask is void: one ask is left, and no reserve to set its price.
    stage.clear(auction, 0, b"")
    assert stage.read(stage.auction.sale(auction))[6] == AuctionStage.NO_TRADE


def test_money_goes_to_the_dao_that_asked_though_its_token_goes_on_after_the_clearing(stage, open_sale):
    auction, tokens = open_sale
    opened(stage, auction, tokens)
    stage.clear(auction, 2 * ETH)
    away = stage.nft.view("transferFrom", stage.daos[0].address, stage.stranger.address, tokens[0])
    stage.do(away, stage.daos[0])
    stage.settle(auction)
    assert (stage.credit(stage.daos[0]), stage.credit(stage.stranger)) == (4 * ETH, 0)


# --- Money -----------------------------------------------------------------------------------------------------------


def test_nothing_is_paid_or_settled_twice(stage, open_sale):
    auction, tokens = open_sale
    opened(stage, auction, tokens)
    refused(stage, stage.auction.settle(auction, [0]), stage.stranger, "WrongStage")
    stage.clear(auction, 2 * ETH)
    refused(stage, stage.auction.clear(auction, DRAW, bytes([1, 0])), stage.stranger, "WrongStage")
    stage.settle(auction, [0, 1])
    for place in (0, 9):
        refused(stage, stage.auction.settle(auction, [place]), stage.stranger, "NotSealed", place)
    stage.settle(auction, [2])
    bidder = stage.bidders[0]
    before = stage.chain.account(stage.auction.address).balance
    assert stage.do(stage.auction.withdraw(bidder.address), bidder) == 3 * ETH
    assert stage.do(stage.auction.withdraw(bidder.address), bidder) == 0
    assert stage.chain.account(stage.auction.address).balance == before - 3 * ETH


@pytest.fixture
def hostile(stage, root):
    """A contract that misbehaves when it is sent money; `act` lets it call others."""
    code = read_artifact(root / "tests/chain/artifacts/Hostile.json")
    address = stage.do(Call(None, code.bytecode), stage.stranger)

    def tell(name, *args, value=0):
        return Call(address, code.abi.function(name).call(args), value, name)

    def seen(name):
        function = code.abi.function(name)
        return stage.read(Call(address, function.call(()), 0, name, function.decode))

    return address, tell, seen


def hostile_bid(stage, hostile, auction, total):
    """The hostile contract bids, as it is registered."""
    address, tell, _ = hostile
    seal = stage.seals.bid_seal(auction, address, total, DETAILS, DRAW)
    call = stage.auction.bid(auction, seal, BOX, escrow=0)
    stage.do(tell("act", call.to, call.data, value=total), stage.stranger)
    place = len(stage.book[auction])
    stage.book[auction][place] = Opening(place, total, DETAILS, DRAW)


def nobody_wins_beside(stage, hostile):
    """An auction in which the hostile contract and one other have bid and nobody has won, not settled yet."""
    stage.do(stage.auction.register({hostile[0]: IDENTITY}), stage.operator)
    auction = stage.announce()
    hostile_bid(stage, hostile, auction, 5 * ETH)
    stage.bid(auction, stage.bidders[0], ETH)
    stage.end(auction)
    stage.clear(auction, 0, b"")
    return auction


def test_a_receiver_that_refuses_money_stops_nobody_else(stage, hostile):
    address, tell, _ = hostile
    auction = nobody_wins_beside(stage, hostile)
    stage.do(tell("arm", True, address, b""), stage.stranger)
    stage.settle(auction)
    call = stage.auction.withdraw(address)
    refused(
        stage, Call(**vars(tell("act", call.to, call.data)) | {"error": revert_of}), stage.stranger, "TransferFailed"
    )
    assert stage.do(stage.auction.withdraw(stage.bidders[0].address), stage.bidders[0]) == ETH
    assert stage.credit(address) == 5 * ETH  # still its own, once it takes it
    elsewhere = stage.auction.withdraw(key("elsewhere").address)
    stage.do(tell("act", elsewhere.to, elsewhere.data), stage.stranger)
    assert stage.chain.account(key("elsewhere").address).balance == 5 * ETH


def test_a_receiver_that_calls_withdraw_again_gets_nothing_more(stage, hostile):
    address, tell, seen = hostile
    auction = nobody_wins_beside(stage, hostile)
    stage.settle(auction)
    call = stage.auction.withdraw(address)
    stage.do(tell("arm", False, call.to, call.data), stage.stranger)
    stage.do(tell("act", call.to, call.data), stage.stranger)
    assert (seen("tries"), seen("reentered"), int.from_bytes(seen("answer"), "big")) == (1, True, 0)
    assert stage.chain.account(address).balance == 5 * ETH
    assert stage.chain.account(stage.auction.address).balance == ETH


def sold_licence(stage, open_sale):
    """The auction held: bidder 1 has rank 1 and bidder 0 rank 2 of the first token, for 2 ether each."""
    auction, tokens = open_sale
    opened(stage, auction, tokens)
    stage.clear(auction, 2 * ETH)
    stage.settle(auction)
    return tokens[0]


def test_a_seller_that_calls_back_while_it_is_paid_for_a_resale_gets_its_price_once(stage, open_sale, hostile):
    address, tell, seen = hostile
    token = sold_licence(stage, open_sale)
    seller = stage.bidders[1]
    stage.do(stage.nft.offer(token, 1, ETH), seller)
    buy = stage.nft.buy(token, 1, price=ETH)
    stage.do(tell("act", buy.to, buy.data, value=ETH), stage.stranger)
    offer = stage.nft.offer(token, 1, 2 * ETH)
    stage.do(tell("act", offer.to, offer.data), stage.stranger)
    stage.do(stage.nft.buy(token, 1, price=2 * ETH), stage.stranger)
    withdraw = stage.nft.withdraw(address)
    stage.do(tell("arm", False, withdraw.to, withdraw.data), stage.stranger)
    stage.do(tell("act", withdraw.to, withdraw.data), stage.stranger)
    royalty = 2 * ETH * 500 // 10_000
    assert seen("reentered") and int.from_bytes(seen("answer"), "big") == 0
    assert stage.chain.account(address).balance == 2 * ETH - royalty
    owed = stage.credit(stage.daos[0], stage.nft) + stage.credit(seller, stage.nft)
    assert stage.chain.account(stage.nft.address).balance == owed


# --- Licences --------------------------------------------------------------------------------------------------------


def test_licences_are_granted_by_the_market_alone(stage, open_sale):
    token = sold_licence(stage, open_sale)
    for name, args in (
        ("license", (token, stage.stranger.address, 1, 2**40)),
        ("setUser", (token, stage.stranger.address, 2**40)),
        ("reserveRanks", (token, 5)),
    ):
        for who in (stage.operator, stage.daos[0], stage.stranger):
            refused(stage, stage.nft.view(name, *args), who, "NotMarket")
    assert not stage.read(stage.nft.may_use(token, stage.stranger.address))


def test_a_resale_keeps_rank_and_expiry_and_pays_the_royalty(stage, open_sale):
    token = sold_licence(stage, open_sale)
    seller, buyer, price = stage.bidders[1], stage.stranger, 10**18 + 7
    expires = stage.read(stage.nft.view("userExpires", token, seller.address))
    stage.do(stage.nft.offer(token, 1, price), seller)
    stage.do(stage.nft.buy(token, 1, price=price), buyer)
    assert stage.read(stage.nft.view("licences", token, 1)) == (buyer.address, expires)
    assert stage.read(stage.nft.view("userExpires", token, seller.address)) == 0
    royalty = price * 500 // 10_000
    assert (stage.credit(stage.daos[0], stage.nft), stage.credit(seller, stage.nft)) == (royalty, price - royalty)
    assert not stage.read(stage.nft.may_use(token, seller.address))
    assert stage.read(stage.nft.may_use(token, buyer.address))
    refused(stage, stage.nft.buy(token, 1, price=price), stage.bidders[2], "NotForSale")


def test_what_may_not_be_bought_or_offered(stage, open_sale):
    token = sold_licence(stage, open_sale)
    seller, other = stage.bidders[1], stage.bidders[0]
    refused(stage, stage.nft.offer(token, 1, ETH), other, "NoLicence", token, 1)
    refused(stage, stage.nft.buy(token, 1, price=0), stage.stranger, "NotForSale")
    stage.do(stage.nft.offer(token, 1, ETH), seller)
    refused(stage, stage.nft.buy(token, 1, price=ETH), other, "HoldsOne", other.address)
    refused(stage, stage.nft.buy(token, 1, price=ETH - 1), stage.stranger, "WrongPrice", ETH)
    stage.do(stage.nft.offer(token, 1, 2 * ETH), seller)  # raised before the buyer's transaction is in a block
    refused(stage, stage.nft.buy(token, 1, price=ETH), stage.stranger, "WrongPrice", 2 * ETH)
    refused(stage, stage.nft.withdraw_offer(token, 1), other, "NoLicence", token, 1)
    stage.do(stage.nft.withdraw_offer(token, 1), seller)
    refused(stage, stage.nft.buy(token, 1, price=2 * ETH), stage.stranger, "NotForSale")
    stage.do(stage.nft.offer(token, 1, ETH), seller)
    expires = stage.read(stage.nft.view("userExpires", token, seller.address))
    stage.now = expires - 1
    assert stage.read(stage.nft.may_use(token, seller.address))
    stage.now = expires
    refused(stage, stage.nft.buy(token, 1, price=ETH), stage.stranger, "Expired", expires)
    refused(stage, stage.nft.offer(token, 1, ETH), seller, "Expired", expires)
    assert not stage.read(stage.nft.may_use(token, seller.address))


def test_a_winner_that_holds_a_licence_already_gets_the_new_one_in_its_place(stage, open_sale):
    """Were it refused, its money would be stuck, and with it everybody's whom one call settles."""
    token = sold_licence(stage, open_sale)
    auction = stage.announce(reserve=2 * ETH, licence_s=50_000)
    stage.ask(auction, token, ETH, stage.daos[0])
    stage.bid(auction, stage.bidders[1], 3 * ETH)
    stage.close(auction)
    stage.open_ask(auction, token, ETH)
    stage.open(auction)
    stage.end(auction)
    stage.do(stage.nft.offer(token, 1, ETH), stage.bidders[1])
    stage.clear(auction, 2 * ETH)
    stage.settle(auction)
    assert stage.read(stage.nft.view("rankOf", token, stage.bidders[1].address)) == 3
    closes = stage.read(stage.auction.sale(auction))[1]
    assert stage.read(stage.nft.view("userExpires", token, stage.bidders[1].address)) == closes + 50_000
    refused(stage, stage.nft.buy(token, 1, price=ETH), stage.stranger, "Expired", 0)


def test_the_token_speaks_the_standards(stage):
    interfaces = {"ERC-165": "01ffc9a7", "ERC-721": "80ac58cd", "ERC-2981": "2a55205a"}
    own = 0
    for signature in (b"userExpires(uint256,address)", b"setUser(uint256,address,uint64)"):
        own ^= int.from_bytes(keccak(signature)[:4], "big")
    for number in (*interfaces.values(), f"{own:08x}"):
        assert stage.read(stage.nft.view("supportsInterface", bytes.fromhex(number))), number
    assert not stage.read(stage.nft.view("supportsInterface", b"\xff" * 4))
    token = stage.mint(stage.daos[0], 250)
    assert stage.read(stage.nft.view("royaltyInfo", token, 10_001)) == (stage.daos[0].address, 250)
    assert stage.read(stage.nft.view("ownerOf", token)) == stage.daos[0].address


# --- The DAO ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def dao(stage):
    """A DAO of the bidders, whose executor is the operator."""
    return dao_of(stage, stage.bidders)


def tallied(stage, dao, weights=(1, 1, 1), tree=None):
    """A vote that is over, with shares by these weights."""
    vote = stage.do(dao.start_vote(stage.now + 50, 2), stage.operator)
    stage.now += 51
    tree = tree or ShareTree([each.address for each in stage.bidders], weights)
    stage.do(dao.tally(vote, tree.root, tree.weight), stage.operator)
    return vote, tree


def earned(stage, dao, amount, vote):
    """The DAO earns money by a royalty of 100 % and collects it; tells the receipt."""
    token = stage.mint(dao, 10_000)
    auction = stage.announce(reserve=0)
    salt = DRAW
    seal = stage.seals.ask_seal(auction, token, dao.address, 0, salt)
    stage.do(dao.submit_ask(stage.auction.address, auction, token, seal), stage.operator)
    stage.bid(auction, stage.bidders[0], ETH)
    stage.close(auction)
    stage.do(stage.auction.open_ask(auction, token, 0, salt), stage.stranger)
    stage.open(auction)
    stage.end(auction)
    stage.clear(auction, 0)
    stage.settle(auction)
    stage.do(stage.nft.offer(token, 1, amount), stage.bidders[0])
    stage.do(stage.nft.buy(token, 1, price=amount), stage.stranger)
    return stage.do(dao.collect(stage.nft.address, vote), stage.operator)


def test_members_vote_once_on_others_and_strangers_not_at_all(stage, dao):
    vote = stage.do(dao.start_vote(stage.now + 1000, 2), stage.operator)
    one, two, three = stage.bidders
    for ask, member in zip((5, 7, 11), stage.bidders, strict=True):
        stage.do(dao.propose(vote, ask), member)
    refused(stage, dao.propose(vote, 1), one, "Twice")
    refused(stage, dao.propose(vote, 1), stage.stranger, "NotMember")
    refused(stage, dao.vote(vote, [0]), stage.stranger, "NotMember")
    stage.do(dao.vote(vote, [0, 1]), one)  # for itself: the bit is ignored
    refused(stage, dao.vote(vote, [1]), one, "Twice")
    stage.do(dao.vote(vote, [0, 1, 2]), two)
    stage.do(dao.vote(vote, [0, 1, 2]), three)
    tree = ShareTree([one.address], [1])
    refused(stage, dao.tally(vote, tree.root, 1), stage.operator, "TooEarly", ...)
    refused(stage, dao.start_vote(1, 2), one, "NotExecutor")
    stage.now += 1000
    refused(stage, dao.vote(vote, [0]), two, "TooLate", ...)
    refused(stage, dao.propose(vote, 1), two, "TooLate", ...)
    refused(stage, dao.tally(vote, tree.root, 1), one, "NotExecutor")
    # Approvals: member 0 has two of others, member 1 two, member 2 one.
    assert stage.do(dao.tally(vote, tree.root, 1), stage.operator) == 5 + 7
    refused(stage, dao.tally(vote, tree.root, 1), stage.operator, "Twice")
    refused(stage, dao.tally(9, tree.root, 1), stage.operator, "NotTallied")
    refused(stage, dao.post(vote, tree.root, 1, 3), stage.operator, "NotMember")


def test_members_claim_their_parts_once_and_they_add_up_to_the_receipt(stage, dao):
    amount = 10**15 + 1
    vote, tree = tallied(stage, dao, (1, 2, 4))
    receipt = earned(stage, dao, amount, vote)
    parts = [claim.amount(amount, tree.weight) for claim in tree.claims]
    assert sum(parts) == amount
    before = [stage.chain.account(each.address).balance for each in stage.bidders]
    for claim in tree.claims:
        stage.do(dao.claim(receipt, claim), stage.stranger)
        refused(stage, dao.claim(receipt, claim), stage.stranger, "Twice")
    after = [stage.chain.account(each.address).balance for each in stage.bidders]
    assert [one - other for one, other in zip(after, before, strict=True)] == parts
    assert stage.chain.account(dao.address).balance == 0
    forged = Claim(0, stage.stranger.address, 0, 7, tree.claims[0].proof)
    refused(stage, dao.claim(receipt, forged), stage.stranger, "BadProof")


def test_a_receipt_never_pays_more_than_itself_whatever_the_root_says(stage, dao):
    """Intervals that overlap: the second claim would take from another receipt's money."""
    members = [each.address for each in stage.bidders]
    greedy = [Claim(place, to, 0, 9) for place, to in enumerate(members)]
    leaves = [merkle._leaf(claim) for claim in greedy[:2]]
    root = merkle._node(*leaves)
    vote = stage.do(dao.start_vote(stage.now + 50, 2), stage.operator)
    stage.now += 51
    stage.do(dao.tally(vote, root, 9), stage.operator)
    first, second = (earned(stage, dao, 10**15, vote) for _ in range(2))
    one, two = (Claim(c.place, c.to, c.c1, c.c2, (leaves[1 - c.place],)) for c in greedy[:2])
    stage.do(dao.claim(first, one), stage.stranger)
    refused(stage, dao.claim(first, two), stage.stranger, "TooMuch")
    assert stage.chain.account(dao.address).balance == 10**15
    stage.do(dao.claim(second, two), stage.stranger)


def test_a_member_that_refuses_or_reenters_takes_nothing_from_others(stage, hostile):
    address, tell, seen = hostile
    dao = MuDao(stage.do(MuDao.deploy([address, stage.bidders[0].address]), stage.operator))
    tree = ShareTree([address, stage.bidders[0].address], (1, 1))
    vote, _ = tallied(stage, dao, tree=tree)
    receipt = earned(stage, dao, 10**15, vote)
    mine, other = (dao.claim(receipt, claim) for claim in tree.claims)
    stage.do(tell("arm", True, address, b""), stage.stranger)
    refused(stage, mine, stage.stranger, "TransferFailed")
    stage.do(other, stage.stranger)
    stage.do(tell("arm", False, mine.to, mine.data), stage.stranger)
    stage.do(mine, stage.stranger)
    assert seen("tries") == 1 and not seen("reentered")
    assert stage.chain.account(address).balance == 10**15 // 2
    assert stage.chain.account(dao.address).balance == 0


def test_only_the_executor_submits_and_collects(stage, dao):
    vote, _ = tallied(stage, dao)
    refused(stage, dao.collect(stage.auction.address, vote), stage.bidders[0], "NotExecutor")
    refused(stage, dao.collect(stage.auction.address, 9), stage.operator, "NotTallied")
    refused(stage, dao.submit_ask(stage.auction.address, 1, 1, DRAW), stage.bidders[0], "NotExecutor")


def test_a_dao_without_members_posts_what_its_votes_came_to(stage):
    dao = dao_of(stage, [])
    vote = stage.do(dao.start_vote(stage.now + 50, 2), stage.operator)
    stage.now += 51
    refused(stage, dao.post(vote, DRAW, 0, 5), stage.operator, "BadProof")
    stage.do(dao.post(vote, DRAW, 9, 5), stage.operator)
    assert stage.read(dao.view("voteOf", vote))[1:] == (True, 2, 9, DRAW, 5)
    with pytest.raises(ContractRevert, match="Twice"):
        stage.do(MuDao.deploy([stage.stranger.address] * 2), stage.operator)
