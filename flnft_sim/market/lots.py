"""Who stands before whom among equal reports: lots from a seed, or from a draw that was sealed beforehand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from flnft_sim.arrays import Ints
from flnft_sim.errors import InputError
from flnft_sim.late import late, made
from flnft_sim.ledger.keccak import keccak
from flnft_sim.streams import checked_seed

_WORD_BYTES = 32


@late("bids", "asks", "counts")
@dataclass(frozen=True)
class Lots:
    """A lot for every report: of two equal reports that with the smaller lot stands first. No two are the same.

    Sealed ones are drawn when somebody asks: most markets have no equal reports.
    """

    bids: Ints
    """(n,)"""
    asks: Ints
    """(m,)"""
    counts: tuple[int, int] = field(init=False, repr=False, compare=False)
    """n and m."""

    @classmethod
    def drawn(cls, seed: int, bids: int, asks: int) -> "Lots":
        """Draw lots for so many bids and asks from `seed`."""
        rng = np.random.default_rng(checked_seed(seed))
        return cls(np.argsort(rng.permutation(bids)), np.argsort(rng.permutation(asks)))

    @classmethod
    def sealed(cls, draw: bytes, *, bidders: Sequence[bytes], tokens: Sequence[int]) -> "Lots":
        """Draw lots as the auction contract does: keccak(draw ‖ address) and keccak(draw ‖ token), words of 32 bytes.

        Nobody can grind such a draw who has published its `seal_of_draw` before addresses and tokens were known.
        """
        addresses = [address.rjust(_WORD_BYTES, b"\0") for address in bidders]
        numbers = [token.to_bytes(_WORD_BYTES, "big") for token in tokens]
        return made(
            cls,
            _find_bids=lambda: _ranks(keccak(draw + address) for address in addresses),
            _find_asks=lambda: _ranks(keccak(draw + number) for number in numbers),
            counts=(len(addresses), len(numbers)),
        )

    def of_bids(self, places: Ints) -> "Lots":
        """The lots of the bids at these places alone, and of all asks."""
        counts = len(np.arange(self.counts[0])[places]), self.counts[1]
        return made(Lots, _find_bids=lambda: self.bids[places], _find_asks=lambda: self.asks, counts=counts)

    def check(self, bids: int, asks: int) -> None:
        """Raise `InputError` unless there is one lot a report."""
        if self.counts != (bids, asks):
            raise InputError(
                f"{self.counts[0]} and {self.counts[1]} lots meet {bids} bids and {asks} asks; give one lot a report"
            )

    def _find_counts(self) -> tuple[int, int]:
        return len(self.bids), len(self.asks)


def seal_of_draw(draw: bytes) -> bytes:
    """What is published of a draw before bids are taken: its keccak, 32 bytes."""
    return keccak(draw)


def _ranks(hashes: Iterable[bytes]) -> Ints:
    """(n,) ranks 0 … n−1: NumPy has no whole numbers of 256 bits."""
    values = list(hashes)
    order = sorted(range(len(values)), key=values.__getitem__)
    return np.argsort(np.array(order, np.int64))
