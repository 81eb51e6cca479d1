"""The pot of one sale before delivery: what winners pay in advance lies in escrow, and leaves it by a stated rule.

Whole units throughout. Until delivery is settled nobody can touch it; then every unit goes to the seller's members,
back to who paid it, or to a sink that no party benefits from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flnft_sim.errors import InputError
from flnft_sim.ledger.accounts import Accounts
from flnft_sim.market.settlement import share_out


@dataclass(frozen=True)
class Payout:
    """Where the units of a pot went."""

    released: int
    """To the seller, and on to its members."""
    shares: dict[str, int]
    """By member, of what was released."""
    refunds: dict[str, int]
    """By winner, of what it had paid."""
    sunk: int


class Pot:
    """The escrowed pot of one sale, and the bonds of those who must act; all on `accounts`, in units.

    The pot and the bonds are accounts of their own (`pot/<auction>`, `bonds/<auction>`). The pot is settled once; what
    is done with it after that, or out of order, is an `InputError`, and nothing moves.
    """

    def __init__(self, accounts: Accounts, auction: str, *, sink: str) -> None:
        accounts.balance(sink)  # raises where there is no such account
        self.accounts, self.auction, self.sink = accounts, auction, sink
        self.address, self._bonded = f"pot/{auction}", f"bonds/{auction}"
        accounts.open(self.address)
        accounts.open(self._bonded)
        self.paid: dict[str, int] = {}
        """By winner, what it paid in."""
        self.payout: Payout | None = None
        """Where it all went; None before."""
        self._bonds: dict[str, int] = {}  # by owner, of those that are out

    @property
    def units(self) -> int:
        """What lies in the pot now."""
        return self.accounts.balance(self.address)

    @property
    def bonds(self) -> dict[str, int]:
        """The bonds that are out, by owner."""
        return dict(self._bonds)

    def post_bond(self, owner: str, units: int) -> None:
        """Lock a bond of its owner until it is returned or forfeited."""
        if owner in self._bonds:
            raise InputError(f"{owner} has posted its bond in {self.auction} already; one is enough")
        self.accounts.transfer(owner, self._bonded, units, f"bond in auction {self.auction}")
        self._bonds[owner] = units

    def return_bond(self, owner: str) -> int:
        """Give a bond back; the units, 0 where none is out."""
        return self._move_bond(owner, owner, "returned")

    def forfeit_bond(self, owner: str) -> int:
        """Let a bond go to the sink; the units, 0 where none is out."""
        return self._move_bond(owner, self.sink, "forfeited")

    def collect(self, winner: str, units: int) -> None:
        """Take what a winner pays out of its escrow in the auction; `InsufficientFunds` if that holds less."""
        self._open()
        if winner in self.paid:
            raise InputError(f"{winner} has paid in auction {self.auction} already; one licence is enough")
        self.accounts.pay_from_escrow(winner, self.auction, self.address, units, f"into the pot of {self.auction}")
        self.paid[winner] = units

    def settle(self, seller: str, shares: Mapping[str, float], *, released: int, refunds: Mapping[str, int]) -> Payout:
        """Empty the pot: `refunds` to winners, `released` to the seller's members, the rest to the sink; in units.

        `shares` weigh the members; without any weight the seller keeps what is released. Raises `InputError` for a
        refund of more than was paid, and for more in all than there is.
        """
        self._open()
        over = [winner for winner, units in refunds.items() if units > self.paid.get(winner, 0)]
        if over or min(released, *refunds.values(), 0) < 0 or released + sum(refunds.values()) > self.units:
            raise InputError(
                f"{released} units released and {sum(refunds.values())} refunded from the pot of {self.auction}, which "
                f"holds {self.units}; nobody gets back more than it paid, nor all together more than there is"
            )
        weights = {member: share for member, share in shares.items() if share > 0}
        each = dict(zip(weights, share_out(released, list(weights.values())), strict=True)) if weights else {}
        for address in (seller, *each):
            self.accounts.balance(address)  # raises before anything has moved
        self._pay_back(refunds)
        self._pay(seller, released, f"released from the pot of {self.auction}")
        for member, units in each.items():
            self.accounts.transfer(seller, member, units, f"share of the pot of {self.auction}")
        return self._emptied(released, each, dict(refunds))

    def refund(self) -> Payout:
        """Give everybody back all that it paid."""
        self._open()
        refunds = dict(self.paid)
        self._pay_back(refunds)
        return self._emptied(0, {}, refunds)

    def _emptied(self, released: int, shares: dict[str, int], refunds: dict[str, int]) -> Payout:
        sunk = self.units
        self._pay(self.sink, sunk, f"not delivered for the pot of {self.auction}")
        self.payout = Payout(released, shares, refunds, sunk)
        return self.payout

    def _pay_back(self, refunds: Mapping[str, int]) -> None:
        for winner, units in refunds.items():
            self._pay(winner, units, f"refund from the pot of {self.auction}")

    def _pay(self, address: str, units: int, memo: str) -> None:
        if units:
            self.accounts.transfer(self.address, address, units, memo)

    def _move_bond(self, owner: str, to: str, how: str) -> int:
        units = self._bonds.pop(owner, 0)
        if units:
            self.accounts.transfer(self._bonded, to, units, f"bond {how} in auction {self.auction}")
        return units

    def _open(self) -> None:
        if self.payout is not None:
            raise InputError(f"the pot of auction {self.auction} is settled; what is paid later belongs to another")
