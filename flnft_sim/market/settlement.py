"""Settle a clearing in integer money: escrows pay, DAOs receive, members get their shares, the rest goes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from flnft_sim.errors import InputError
from flnft_sim.ledger.accounts import Accounts, InsufficientFunds, to_units, whole_units
from flnft_sim.market.clearing import Clearing
from flnft_sim.market.rules.base import facts_of


@dataclass(frozen=True)
class Settlement:
    """Units moved by one settlement, by address."""

    payments: dict[str, int]
    """By winning provider."""
    receipts: dict[str, int]
    """By DAO that sold licences."""
    shares: dict[str, dict[str, int]]
    """By DAO, then by member: what of the receipts each got. A DAO without valid claims keeps all."""
    refunds: dict[str, int]
    """By provider: what came back from escrow."""
    auctioneer_units: int
    """What the auctioneer kept; negative where it covered the rule's deficit."""


def settle(
    accounts: Accounts,
    clearing: Clearing,
    *,
    auction_id: str,
    buyers: Sequence[str],
    sellers: Sequence[str],
    claims: Mapping[str, Mapping[str, float]],
    auctioneer: str,
) -> Settlement:
    """Move the money of one clearing, and refund every escrow of the auction, to the unit.

    `buyers` and `sellers` are the addresses behind the clearing's bids and asks, `claims` the approved asks of each
    DAO's members (Eq. 34). All money passes the account of the `auctioneer`, which keeps a surplus and covers a
    deficit. Nothing moves where an escrow or the auctioneer cannot pay (`InsufficientFunds`), an account is missing or
    a party takes part twice (`InputError`).
    """
    for side, addresses in (("buyer", buyers), ("seller", sellers)):
        if len(set(addresses)) != len(addresses):
            raise InputError(f"a {side} stands twice in auction {auction_id}; give every party one report")
    due = payments_in_units(clearing)
    payments = {buyers[i]: due[i] for i in clearing.buyers}
    receipts = _receipts(clearing, sum(payments.values()), sellers)
    surplus = sum(payments.values()) - sum(receipts.values())
    shares = {dao: _shares(units, claims.get(dao, {})) for dao, units in receipts.items()}
    _check_means(accounts, auction_id, payments, shares, auctioneer, surplus)

    for buyer, units in payments.items():
        accounts.pay_from_escrow(buyer, auction_id, auctioneer, units, f"licence in auction {auction_id}")
    for dao, units in receipts.items():
        accounts.transfer(auctioneer, dao, units, f"licences sold in auction {auction_id}")
        for member, share in shares[dao].items():
            accounts.transfer(dao, member, share, f"share of auction {auction_id}")
    return Settlement(payments, receipts, shares, refund_all(accounts, auction_id), surplus)


def payments_in_units(clearing: Clearing) -> list[int]:
    """What each bidder of a clearing pays, in units, by bid.

    Shares of a total are rounded down, so that nobody pays more than its share: what all pay is the pot. Prices of a
    licence are rounded to the nearest unit.
    """
    in_units = whole_units if facts_of(clearing.rule).asks == "total" else to_units
    return [in_units(float(money)) for money in clearing.payments]


def refund_all(accounts: Accounts, auction_id: str) -> dict[str, int]:
    """Return every escrow of an auction, of one that was cancelled too; units by address."""
    return {bidder: accounts.refund(bidder, auction_id) for bidder in accounts.escrowing(auction_id)}


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Split `total` units in proportion to `weights` by cumulative rounding: not one unit appears or disappears.

    Who holds the weights from c₁ to c₂ of all W gets ⌊total·c₂/W⌋ − ⌊total·c₁/W⌋, which a contract can pay out one
    member at a time. Exact for any floats (they are ratios of integers); each share is within one unit of its exact
    quota. Raises `InputError` where a weight is negative or not finite or all are 0.
    """
    ratios = []
    for weight in weights:
        if not 0 <= weight < float("inf"):
            raise InputError(f"a share has weight {weight}; give finite weights of 0 or more")
        ratios.append(float(weight).as_integer_ratio())
    common = max((denominator for _, denominator in ratios), default=1)  # all are powers of two
    integers = [numerator * (common // denominator) for numerator, denominator in ratios]
    whole = sum(integers)
    if whole == 0:
        raise InputError(f"{total} units cannot be shared by {len(integers)} weights that are all 0")
    ends = [total * reached // whole for reached in accumulate(integers)]
    return [end - start for start, end in pairwise((0, *ends))]


def _receipts(clearing: Clearing, paid: int, sellers: Sequence[str]) -> dict[str, int]:
    """Units each selling DAO gets. Where the rule balances, it is all that was paid, whatever rounding did to it."""
    amounts = [float(clearing.receipts[i]) for i in clearing.sellers]
    due = to_units(sum(amounts))
    parties = len(clearing.buyers) + len(amounts)
    if abs(paid - due) <= parties:  # each party's rounding moves it by at most one unit
        due = paid
    if due == 0:
        return {sellers[i]: 0 for i in clearing.sellers}
    return dict(zip((sellers[i] for i in clearing.sellers), share_out(due, amounts), strict=True))


def _shares(units: int, claims: Mapping[str, float]) -> dict[str, int]:
    """By member: claims count in whole units, as on a chain."""
    valid = {member: claim_units for member, claim in claims.items() if (claim_units := to_units(claim)) > 0}
    return dict(zip(valid, share_out(units, list(valid.values())), strict=True)) if valid else {}


def _check_means(
    accounts: Accounts,
    auction_id: str,
    payments: Mapping[str, int],
    shares: Mapping[str, Mapping[str, int]],
    auctioneer: str,
    surplus: int,
) -> None:
    for buyer, units in payments.items():
        locked = accounts.escrowed(buyer, auction_id)
        if units > locked:
            raise InsufficientFunds(f"{buyer} owes {units} units in auction {auction_id}, but locked only {locked}")
    for dao, members in shares.items():
        for address in (dao, *members):
            accounts.balance(address)  # raises where there is no such account
    if -surplus > accounts.balance(auctioneer):
        raise InsufficientFunds(
            f"auction {auction_id} runs a deficit of {-surplus} units, but its auctioneer {auctioneer} holds "
            f"{accounts.balance(auctioneer)}; raise market.auctioneer_money or choose a balanced rule"
        )
