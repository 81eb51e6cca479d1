"""Members' shares of what a DAO receives: intervals of weights, and the Merkle tree by which each proves its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi import encode
from eth_hash.auto import keccak

from flnft_sim.chain.units import WEI_PER_UNIT
from flnft_sim.checks import whole
from flnft_sim.errors import InputError


@dataclass(frozen=True)
class Claim:
    """A member's interval [c1, c2) of the weights, with the proof that it is in the tree."""

    place: int
    to: str
    c1: int
    c2: int
    proof: tuple[bytes, ...] = ()

    def amount(self, received: int, weight: int) -> int:
        """Return its part of `received` wei where all weights add up to `weight`."""
        return _up_to(received, self.c2, weight) - _up_to(received, self.c1, weight)


class ShareTree:
    """The shares of members by their weights, whole numbers of 0 or more; `root` and `weight` go into `MuDao.tally`.

    Leaves and nodes are hashed as OpenZeppelin's MerkleProof does: pairs sorted, leaves hashed twice.
    """

    def __init__(self, members: Sequence[str], weights: Sequence[int]) -> None:
        if len(members) != len(weights):
            raise InputError(f"{len(members)} members and {len(weights)} weights: give one weight a member")
        ends = [0]
        for place, each in enumerate(weights):
            ends.append(ends[-1] + whole(f"the weight of member {place}", each))
        self.weight = ends[-1]
        if not self.weight:
            raise InputError("all shares weigh 0; a receipt cannot be divided by them")
        plain = [Claim(place, to, ends[place], ends[place + 1]) for place, to in enumerate(members)]
        self._levels = [[_leaf(claim) for claim in plain]]
        while len(self._levels[-1]) > 1:
            nodes = self._levels[-1]
            pairs = [nodes[i : i + 2] for i in range(0, len(nodes), 2)]
            self._levels.append([_node(*pair) if len(pair) == 2 else pair[0] for pair in pairs])
        self.root = self._levels[-1][0]
        self.claims = tuple(Claim(c.place, c.to, c.c1, c.c2, self._proof(c.place)) for c in plain)

    def _proof(self, place: int) -> tuple[bytes, ...]:
        proof = []
        for level in self._levels[:-1]:
            if place ^ 1 < len(level):
                proof.append(level[place ^ 1])
            place //= 2
        return tuple(proof)


def _up_to(received: int, c: int, weight: int) -> int:
    """What all up to `c` get together, in wei: whole units, but for the last of them, who gets the rest."""
    return received if c == weight else received // WEI_PER_UNIT * c // weight * WEI_PER_UNIT


def _leaf(claim: Claim) -> bytes:
    record = encode(["uint256", "address", "uint256", "uint256"], [claim.place, claim.to, claim.c1, claim.c2])
    return bytes(keccak(keccak(record)))


def _node(one: bytes, other: bytes) -> bytes:
    return bytes(keccak(min(one, other) + max(one, other)))
