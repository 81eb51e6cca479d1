"""What is sealed before it is told: bids and asks (EIP-712), the draw, and the lots that equals draw from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi import encode
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

_DOMAIN = {"name": "flnft-auction", "version": "1"}
_BID = (
    ("auction", "uint256"),
    ("bidder", "address"),
    ("total", "uint256"),
    ("details", "bytes32"),
    ("salt", "bytes32"),
)
_ASK = (("auction", "uint256"), ("token", "uint256"), ("dao", "address"), ("value", "uint256"), ("salt", "bytes32"))


@dataclass(frozen=True)
class Opening:
    """What opens the sealed bid at a place of an auction's book."""

    place: int
    total: int
    """The bid in wei."""
    details: bytes
    """32 bytes: a hash of what else the bid says."""
    salt: bytes
    """32 bytes that nobody can guess."""


@dataclass(frozen=True)
class Market:
    """Where seals hold: one auction contract on one chain."""

    chain_id: int
    contract: str

    def bid_seal(self, auction: int, bidder: str, total: int, details: bytes, salt: bytes) -> bytes:
        """Return the seal of a bid in wei: 32 bytes, worth nothing for another bidder, auction, contract or chain."""
        values = {"auction": auction, "bidder": bidder, "total": total, "details": details, "salt": salt}
        return self._hash("Bid", _BID, values)

    def ask_seal(self, auction: int, token: int, dao: str, value: int, salt: bytes) -> bytes:
        """Return the seal of an ask in wei, bound as a bid's is."""
        return self._hash("Ask", _ASK, {"auction": auction, "token": token, "dao": dao, "value": value, "salt": salt})

    def _hash(self, kind: str, fields: Sequence[tuple[str, str]], values: Mapping[str, Any]) -> bytes:
        types = {kind: [{"name": name, "type": of} for name, of in fields]}
        domain = _DOMAIN | {"chainId": self.chain_id, "verifyingContract": self.contract}
        signable = encode_typed_data(domain, types, values)
        return bytes(keccak(b"\x19" + signable.version + signable.header + signable.body))


def draw_seal(draw: bytes) -> bytes:
    """Return what is announced of the draw: its Keccak-256."""
    return bytes(keccak(draw))


def bidder_lot(draw: bytes, bidder: str) -> int:
    """Return the lot of a bidder; of equal bids the one with the smaller lot stands first."""
    return int.from_bytes(keccak(encode(["bytes32", "address"], [draw, bidder])), "big")


def token_lot(draw: bytes, token: int) -> int:
    """Return the lot of a token that is for sale; of equal asks the one with the smaller lot stands first."""
    return int.from_bytes(keccak(encode(["bytes32", "uint256"], [draw, token])), "big")


def winning_order(bids: Mapping[int, tuple[str, int]], price: int, draw: bytes) -> bytes:
    """Return the places of all bids of `price` or more as `SealedAuction.clear` takes them.

    `bids` has the bidder and the bid in wei of each opened place. Highest first, equal ones by their lots.
    """
    winners = [place for place, (_, total) in bids.items() if total >= price]
    return bytes(sorted(winners, key=lambda place: (-bids[int(place)][1], bidder_lot(draw, bids[int(place)][0]))))
