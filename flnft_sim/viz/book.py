"""An auction's book as the page tells it: out of rows of the tables `auctions` and `bids`, or out of ciphertexts."""

import math
from collections.abc import Iterable, Sequence

from flnft_sim.viz.scene import Belief, Book, BookLine, Row


def announced_book(auction: str, *, reserve_money: float) -> Book:
    """The book before the first window is open."""
    return Book(auction, "announced", f"reserve {reserve_money:,.2f}; bids are taken once that is in a block", [])


def sealed_book(auction: str, *, reserve_money: float, closes_s: float, bids: Iterable[tuple[str, str, bool]]) -> Book:
    """The book while a window is open. `bids` are senders, hexadecimal ciphertexts, and whether one is in a block."""
    lines = [
        BookLine(sender, "sealed", "in a block" if in_block else "on its way to a block", sealed[:16])
        for sender, sealed, in_block in bids
    ]
    until = f" until {closes_s:,.1f} s" if math.isfinite(closes_s) else ""
    return Book(auction, "bidding", f"reserve {reserve_money:,.2f}; bids stay sealed{until}", lines)


def opened_book(auction: Row, bids: Sequence[Row], state: str) -> Book:
    """The book once bids are open: winners by rank of access, then the others by bid."""
    lines = sorted((_line(auction, bid) for bid in bids), key=_order)
    return Book(auction["auction"], state, _price(auction), lines)


def beliefs_of(bids: Iterable[Row]) -> list[Belief]:
    """What each bidder, and who stayed away, had believed of the others."""
    return [
        Belief(bid["provider"], bid["total_money"], bid["predicted_rivals_money"], bid["real_rivals_money"])
        for bid in bids
        if bid["status"] in ("accepted", "no bid")
    ]


def _order(line: BookLine) -> tuple[bool, int, float]:
    return line.rank == 0, line.rank, -(line.bid_money or 0.0)


def _line(auction: Row, bid: Row) -> BookLine:
    fate, words = _fate(auction, bid)
    money = bid["total_money"]
    return BookLine(
        bid["provider"],
        fate,
        words,
        bid_money=None if math.isnan(money) else money,
        payment_money=bid["payment_money"] if bid["won"] else None,
        rank=bid["priority"] if bid["won"] else 0,
    )


def _fate(auction: Row, bid: Row) -> tuple[str, str]:
    """What became of a bid, and why."""
    if bid["won"]:
        return "won", f"won {bid['dao']}'s licence"
    if bid["status"] == "no bid":
        return "silent", f"no bid: {bid['reason']}"
    if bid["status"] != "accepted":
        why = bid["reason"] or ("its sender bid again" if bid["status"] == "replaced" else "never opened")
        return "refused", f"{bid['status']}: {why}"
    return "lost", f"lost: {_why_lost(auction, bid['total_money'])}"


def _why_lost(auction: Row, bid_money: float) -> str:
    if not auction["winners"]:
        return auction["reason"] or "nobody won"
    for name in ("price", "reserve"):
        limit = auction[f"{name}_money"]
        if bid_money < limit:
            return f"below the {name} of {limit:,.2f}"
    return f"not among the {auction['winners']} best"


def _price(auction: Row) -> str:
    """How the price came about, in one line."""
    ask, reserve = f"lowest ask {auction['ask_money']:,.2f}", f"reserve {auction['reserve_money']:,.2f}"
    if not auction["winners"]:
        return f"nothing sold: {auction['reason'] or 'nobody won'} ({ask}, {reserve})"
    setter = str(auction["price_set_by"]).removeprefix("the ")
    price = "" if math.isnan(auction["price_money"]) else f" {auction['price_money']:,.2f}"
    beside = ask if "reserve" in setter else f"{ask}, {reserve}"
    return f"price{price} = {setter} ({beside})"
