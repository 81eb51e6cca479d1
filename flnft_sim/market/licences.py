"""Licences of FL-NFTs: granted by an auction, resold in the secondary market with a royalty to the DAO."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flnft_sim.errors import InputError
from flnft_sim.ledger.accounts import Accounts

BASIS_POINTS = 10_000
"""Of a whole: the smallest steps in which a royalty can be set."""


@dataclass(frozen=True)
class Licence:
    """The right to use one FL-NFT; the NFT itself stays with its DAO."""

    licence_id: str
    nft_id: str
    dao: str
    """Address that owns the NFT and gets the royalties."""
    holder: str
    """Address that may use it."""
    priority: int
    """Rank in access, 1 first; it goes with the licence."""
    expires_s: float | None = None
    """From when on it is worth nothing, whoever holds it; None where it does not expire."""

    def allows(self, now_s: float) -> bool:
        """Whether its holder may use the FL-NFT at that time."""
        return self.expires_s is None or now_s < self.expires_s


class Licences:
    """Who holds which licence. A holder has at most one licence of an FL-NFT."""

    def __init__(self) -> None:
        self._licences: dict[str, Licence] = {}
        self._holders: dict[str, set[str]] = {}  # by FL-NFT

    def grant(
        self, nft_id: str, *, dao: str, holders: Iterable[str], expires_s: float | None = None
    ) -> tuple[Licence, ...]:
        """Grant a licence to each of `holders`, the order being their priority after those granted before."""
        granted = []
        for holder in holders:
            self._admit(nft_id, holder)
            rank = len(self._holders[nft_id])
            licence = Licence(f"{nft_id}/{rank}", nft_id, dao, holder, rank, expires_s)
            self._licences[licence.licence_id] = licence
            granted.append(licence)
        return tuple(granted)

    def resell(
        self,
        accounts: Accounts,
        licence_id: str,
        *,
        buyer: str,
        price_units: int,
        royalty: float,
        now_s: float = 0.0,
    ) -> Licence:
        """Move a licence to `buyer` for `price_units`, of which the DAO gets the share `royalty`, rounded down.

        Rank and expiry stay. Raises `InputError` (unknown or expired licence, royalty outside [0, 1] or finer than a
        basis point, the buyer holds one already) or `InsufficientFunds`, with nothing moved.
        """
        licence = self.get(licence_id)
        points = _basis_points(licence_id, royalty)
        if not licence.allows(now_s):
            raise InputError(f"licence {licence_id} expired at {licence.expires_s:g} s; it is {now_s:g} s now")
        self._refuse_second(licence.nft_id, buyer)
        accounts.balance(licence.dao)  # raises here, before any money has moved, where it has no account
        accounts.transfer(buyer, licence.holder, price_units, f"resale of licence {licence_id}")
        due = int(price_units) * points // BASIS_POINTS
        accounts.transfer(licence.holder, licence.dao, due, f"royalty of licence {licence_id}")
        self._holders[licence.nft_id].remove(licence.holder)
        self._admit(licence.nft_id, buyer)
        moved = replace(licence, holder=buyer)
        self._licences[licence_id] = moved
        return moved

    def get(self, licence_id: str) -> Licence:
        """The licence of that id."""
        try:
            return self._licences[licence_id]
        except KeyError:
            raise InputError(f"there is no licence {licence_id!r}; grant it first") from None

    def of_nft(self, nft_id: str) -> tuple[Licence, ...]:
        """All licences of an FL-NFT by priority."""
        return tuple(licence for licence in self._licences.values() if licence.nft_id == nft_id)

    def of_holder(self, holder: str) -> tuple[Licence, ...]:
        """All licences an address holds."""
        return tuple(licence for licence in self._licences.values() if licence.holder == holder)

    def _admit(self, nft_id: str, holder: str) -> None:
        self._refuse_second(nft_id, holder)
        self._holders.setdefault(nft_id, set()).add(holder)

    def _refuse_second(self, nft_id: str, holder: str) -> None:
        if holder in self._holders.get(nft_id, ()):
            raise InputError(f"{holder} holds a licence of {nft_id} already; a second one has no use")


def _basis_points(licence_id: str, royalty: float) -> int:
    if not 0 <= royalty <= 1:
        raise InputError(f"the royalty of licence {licence_id} is {royalty}; give a share from 0 to 1")
    points = round(royalty * BASIS_POINTS)
    if points / BASIS_POINTS != royalty:
        nearest = points / BASIS_POINTS
        raise InputError(f"the royalty of licence {licence_id} is {royalty}; give whole basis points, say {nearest}")
    return points
