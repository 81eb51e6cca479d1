"""Integer money: accounts whose sum never changes, and the journal of every transfer.

One unit is 10⁻⁶ of a unit of money. Opening balances are set before the first transfer (they go into the genesis
block); after that, money only moves, so the opening balances and the journal determine every later balance.
"""

from collections.abc import Mapping
from math import isfinite
from operator import index
from types import MappingProxyType
from typing import TypedDict

from flnft_sim.errors import FlnftError, InputError

MICRO = 1_000_000
"""Units in one unit of money."""


class Entry(TypedDict):
    """One transfer in the journal."""

    src: str
    dst: str
    units: int
    memo: str


class InsufficientFunds(InputError):
    """A transfer of more than the account holds; nothing was moved."""


class ConservationError(FlnftError):
    """The sum over all accounts changed: a fault of this program, never of its input."""


def to_units(money: float) -> int:
    """The nearest number of units (half to even); `InputError` if `money` is not finite."""
    if not isfinite(money):
        raise InputError(f"an amount of money is {money}; give a finite number")
    return round(money * MICRO)


def whole_units(money: float) -> int:
    """The whole units within an amount: what is over is not charged; `InputError` if `money` is not finite.

    An amount that misses a whole number by no more than its own rounding in binary is that number.
    """
    nearest = to_units(money)
    return nearest - (nearest - money * MICRO > max(1e-6, 4e-16 * abs(nearest)))


def from_units(units: int) -> float:
    """Money as a float, for tables and for the mechanisms."""
    return units / MICRO


class Accounts:
    """Balances in units by address. Every operation moves money or raises with nothing moved.

    An escrow is an account of its own (`escrow/<auction>/<address>`), so the journal of plain transfers tells
    everything.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._balances: dict[str, int] = {}
        self._opening: dict[str, int] = {}
        self._escrows: dict[str, dict[str, str]] = {}  # auction -> bidder -> escrow account
        self._issued = 0
        self._sum = 0

    def open(self, address: str, balance: int = 0) -> None:
        """Open an account; a balance other than 0 must be given before the first transfer."""
        balance = _checked_units(balance, f"the opening balance of {address}")
        if address in self._balances:
            raise InputError(f"account {address} is open already; choose another address")
        if balance and self.entries:
            raise InputError(
                f"account {address} would bring {balance} new units after the first transfer; "
                "open it with 0 and transfer to it"
            )
        self._opening[address] = balance
        self._issued += balance
        self._change(address, balance)
        self._assert_conserved()

    def transfer(self, src: str, dst: str, units: int, memo: str) -> None:
        """Move `units` from one open account to another; `InsufficientFunds` if `src` holds less."""
        units = _checked_units(units, f"a transfer from {src} to {dst}")
        held = self.balance(src)
        self.balance(dst)
        if units > held:
            raise InsufficientFunds(f"account {src} holds {held} units, cannot move {units} to {dst} ({memo})")
        self._change(src, -units)
        self._change(dst, units)
        self.entries.append({"src": src, "dst": dst, "units": units, "memo": memo})
        self._assert_conserved()

    def escrow(self, address: str, auction_id: str, units: int) -> None:
        """Lock `units` of an account until the auction is settled; adds to what is locked there already."""
        account = f"escrow/{auction_id}/{address}"
        self._require_funds(address, _checked_units(units, f"the escrow of {address} for auction {auction_id}"))
        self._balances.setdefault(account, 0)
        self._escrows.setdefault(auction_id, {})[address] = account
        self.transfer(address, account, units, f"escrow for auction {auction_id}")

    def escrowed(self, address: str, auction_id: str) -> int:
        """Units that `address` has locked for the auction, 0 if none."""
        account = self._escrows.get(auction_id, {}).get(address)
        return self._balances[account] if account else 0

    def escrowing(self, auction_id: str) -> tuple[str, ...]:
        """Addresses with an open escrow for the auction, in the order of their first deposit."""
        return tuple(self._escrows.get(auction_id, ()))

    def pay_from_escrow(self, address: str, auction_id: str, dst: str, units: int, memo: str) -> None:
        """Move `units` of what `address` has locked to `dst`; `InsufficientFunds` if it has locked less."""
        account = self._escrows.get(auction_id, {}).get(address)
        if account is None:
            raise InsufficientFunds(f"{address} has nothing in escrow for auction {auction_id}")
        self.transfer(account, dst, units, memo)

    def refund(self, address: str, auction_id: str) -> int:
        """Return all that is left of an escrow to its owner and close it; the units returned, 0 if none."""
        account = self._escrows.get(auction_id, {}).pop(address, None)
        if account is None:
            return 0
        units = self._balances[account]
        if units:
            self.transfer(account, address, units, f"refund from auction {auction_id}")
        del self._balances[account]
        return units

    def balance(self, address: str) -> int:
        """Units the account holds; `InputError` if it is not open."""
        try:
            return self._balances[address]
        except KeyError:
            raise InputError(f"there is no account {address}; open it first") from None

    @property
    def balances(self) -> Mapping[str, int]:
        """A read-only view of all balances, escrows included, in the order of opening."""
        return MappingProxyType(self._balances)

    @property
    def opening_balances(self) -> Mapping[str, int]:
        """What each account was opened with, for the genesis block."""
        return MappingProxyType(self._opening)

    def __contains__(self, address: object) -> bool:
        return address in self._balances

    def total(self) -> int:
        """The sum over all accounts, counted anew: O(accounts)."""
        return sum(self._balances.values())

    def _require_funds(self, address: str, units: int) -> None:
        if units > self.balance(address):
            raise InsufficientFunds(f"account {address} holds {self.balance(address)} units, cannot lock {units}")

    def _change(self, address: str, units: int) -> None:
        self._balances[address] = self._balances.get(address, 0) + units
        self._sum += units

    def _assert_conserved(self) -> None:
        """Raise unless the running sum is what was issued: O(1), so it runs after every operation."""
        if self._sum != self._issued:
            raise ConservationError(f"the accounts hold {self._sum} units, but {self._issued} were issued")


def _checked_units(units: int, what: str) -> int:
    try:
        units = index(units)
    except TypeError:
        raise InputError(f"{what} is {units!r}; give an integer number of units (1 money = {MICRO})") from None
    if units < 0:
        raise InputError(f"{what} is {units} units; give 0 or more")
    return units
