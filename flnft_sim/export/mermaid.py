"""A run's auction as a Mermaid sequence diagram, from its announcement to its settlement."""

from collections.abc import Iterator
from typing import Any

from flnft_sim.errors import InputError
from flnft_sim.results.record import RunRecord

_MOST_BIDS = 12  # drawn one by one; more are summed up


def auction_diagram(result: RunRecord, auction: str | None = None) -> str:
    """Who tells whom what in an auction: the named one, or the first that sold something (else the first).

    Raises `InputError` where the run has no such auction.
    """
    row = _chosen(result, auction)
    return "".join(f"{line}\n" for line in ["sequenceDiagram", *(f"    {line}" for line in _steps(result, row))])


def _chosen(result: RunRecord, auction: str | None) -> Any:
    held = result.auctions[result.auctions["daos"] > 0]
    if auction is None:
        found = held.sort_values("trades", ascending=False, kind="stable")
    else:
        found = held[held["auction"] == auction]
    if found.empty:
        names = ", ".join(held["auction"].astype(str).head(10)) or "none"
        raise InputError(f"auction {auction or 'of this run'}: there is none; this run held: {names}")
    return found.iloc[0]


def _steps(result: RunRecord, auction: Any) -> Iterator[str]:
    bids = result.bids[result.bids["auction"] == auction.auction]
    licences = result.licences[result.licences["auction"] == auction.auction]
    yield "participant C as public chain"
    yield "participant A as auction contract"
    sellers = list(dict.fromkeys(licences["seller"])) or ["DAOs"]
    for seller in sellers:
        yield f"{_name(seller)}->>A: asks for a licence (lowest ask {auction.ask_money:.2f})"
    yield f"A->>C: announces {_name(auction.auction)}, reserve {auction.reserve_money:.2f}"
    sent = bids.sort_values("sealed_at_s", kind="stable").head(_MOST_BIDS)
    for bid in sent.itertuples(index=False):
        if bid.status == "no bid":
            continue
        yield f"{_name(bid.provider)}->>C: sealed bid at {bid.sealed_at_s:.1f} s"
        yield f"C->>A: {bid.status}{f' ({_name(bid.reason)})' if bid.reason else ''}"
    if len(bids) > len(sent):
        yield f"Note over C: and {len(bids) - len(sent)} more bids"
    yield f"Note over A: window closes at {auction.closed_at_s:.1f} s, bids are opened, {_name(auction.rule)} clears"
    if licences.empty:
        yield f"Note over A: nothing is sold ({_name(auction.reason or 'no reason told')})"
    for licence in licences.itertuples(index=False):
        yield f"{_name(licence.holder)}->>{_name(licence.seller)}: pays {licence.price_money:.2f}"
        yield f"{_name(licence.seller)}-->>{_name(licence.holder)}: licence, priority {licence.priority}"
    yield "A->>C: publishes opened bids, result and settlement"


def _name(text: object) -> str:
    """A name in which Mermaid finds no syntax of its own: a run may be a stranger's."""
    return "".join(sign if sign.isalnum() or sign in " -_.,()" else " " for sign in str(text))[:80] or "nobody"
