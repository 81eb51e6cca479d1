"""The shared uplink: an event-driven fluid link, without a clock of its own."""

import math
from collections.abc import Hashable, Mapping
from typing import NamedTuple

from flnft_sim.checks import not_negative, positive
from flnft_sim.errors import InputError
from flnft_sim.network.shares import LeakyShares, OrthogonalShares, Shares

ROUNDING = 1e-15  # a scheduler that computes now + (end − now) can land this much (relative) short of the end


class Completion[K: Hashable](NamedTuple):
    """An upload that ended by itself."""

    key: K
    end_s: float


class SharedUplink[K: Hashable]:
    """Uploads that overlap in time share one band: when one starts or ends, the rates of the others change.

    Alone, an upload of d bits takes d/(ω·log2(1+SNR)) seconds (Eq. 11's T^l). Of n at once each has ω/n, and with
    `cross_talk` ρ > 0 the others' power density as interference: SINR_i = snr_i / (1 + ρ·Σ_{j≠i} snr_j). Bits not yet
    sent carry over from one set of rates to the next. An event costs O(log n) at ρ = 0 and O(n) vectorised otherwise.

    The caller owns the clock: every change names its instant `now_s`, which must not run backwards. `advance(now_s)`
    hands out what has ended by then, with the exact instants.
    """

    def __init__(self, bandwidth_hz: float, *, cross_talk: float = 0.0) -> None:
        positive("bandwidth_hz", bandwidth_hz, "Hz")
        not_negative("cross_talk", cross_talk)
        self.bandwidth_hz, self.cross_talk = bandwidth_hz, cross_talk
        self._shares: Shares[K] = (
            LeakyShares(bandwidth_hz, cross_talk) if cross_talk > 0.0 else OrthogonalShares(bandwidth_hz)
        )
        self._ended: list[Completion[K]] = []
        self._next: tuple[float, K] | None = None  # holds until the set of uploads changes
        self._now_s = 0.0
        self._settled = True  # whether all that ends by now has been taken off

    def __len__(self) -> int:
        return len(self._shares)

    def __contains__(self, key: K) -> bool:
        return key in self._shares

    def start(self, key: K, bits: float, snr: float, now_s: float) -> None:
        """Begin an upload under a key of its own; `snr` is its signal over the noise of the whole band (a ratio)."""
        if not (0.0 <= bits < math.inf and 0.0 < snr < math.inf):  # one test for the good case: this is a hot path
            not_negative("bits", bits, "bit")
            positive("snr", snr)
        if key in self._shares:
            raise InputError(f"upload {key!r} is still under way: end or abort it before it starts again")
        self._move_to(now_s)
        self._shares.add(key, bits, snr)
        self._next, self._settled = None, False

    def set_snrs(self, snrs: Mapping[K, float], now_s: float) -> None:
        """Change the SNR of uploads (their users have moved), all at once; the bits they have left carry over."""
        for key, snr in snrs.items():
            if not 0.0 < snr < math.inf:
                positive(f"snr of {key!r}", snr)
        self._move_to(now_s)
        for key, snr in snrs.items():
            if key in self._shares:  # it may have ended on the way to now_s
                self._shares.add(key, self._shares.remove(key), snr)
        self._next, self._settled = None, False

    def abort(self, key: K, now_s: float) -> float:
        """Take an upload off the link; the bits it had left (0 where it ended by now_s)."""
        if key not in self._shares:
            raise InputError(f"upload {key!r} is not under way: nothing to abort")
        self._move_to(now_s)
        if key not in self._shares:
            return 0.0
        self._next = None
        return self._shares.remove(key)

    def advance(self, now_s: float) -> list[Completion[K]]:
        """Let time pass until now_s; the uploads that ended since the last call, in order."""
        self._move_to(now_s)
        ended, self._ended = self._ended, []
        return ended

    def next_completion(self) -> tuple[float, K] | None:
        """When the first upload ends if nothing else happens, and its key; None where none is under way."""
        if self._next is None and (earliest := self._shares.earliest()) is not None:
            self._next = (self._now_s + earliest[0], earliest[1])
        return self._next

    def rates(self) -> dict[K, float]:
        """Present rate of every upload under way in bit/s."""
        return self._shares.rates()

    def sinr(self, key: K) -> float:
        """Present SINR of an upload under way (a ratio)."""
        return self._shares.sinr(key)

    def _move_to(self, now_s: float) -> None:
        if now_s == self._now_s and self._settled:
            return
        horizon_s = now_s * (1.0 + ROUNDING)
        if not horizon_s >= self._now_s:
            raise InputError(f"now_s = {now_s} s: the link is at {self._now_s} s already; time cannot run backwards")
        while (upcoming := self.next_completion()) is not None and upcoming[0] <= horizon_s:
            end_s, key = upcoming
            self._shares.advance(end_s - self._now_s)
            self._shares.remove(key)
            self._ended.append(Completion(key, end_s))
            self._now_s, self._next = end_s, None
        if now_s > self._now_s:
            self._shares.advance(now_s - self._now_s)
            self._now_s = now_s
        self._settled = True
