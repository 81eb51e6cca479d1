"""How the uploads of one instant divide the band: two books with one face, one per cost.

Both give each of n uploads a sub-band of ω/n and the power *density* of its full-band transmission (it spreads 23 dBm
over ω, so in ω/n it sends 1/n of it). Noise shrinks with the sub-band as well, so the SNR does not depend on n.
"""

import math
from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from typing import Protocol

import numpy as np

LOG_2 = math.log(2.0)


def rate_alone(bandwidth_hz: float, snr: float) -> float:
    """`uplink_rate` of one upload with the band to itself, without its checks: for inner loops."""
    return bandwidth_hz * math.log1p(snr) / LOG_2


class Shares[K: Hashable](Protocol):
    """What every book can do. Times are seconds from the book's present, sizes bits, rates bit/s."""

    def __len__(self) -> int: ...
    def __contains__(self, key: K) -> bool: ...
    def add(self, key: K, bits: float, snr: float) -> None: ...
    def remove(self, key: K) -> float:
        """Forget an upload; the bits it had left."""
        ...

    def advance(self, seconds: float) -> None: ...
    def earliest(self) -> tuple[float, K] | None:
        """Seconds until the first upload ends if nothing changes, and its key."""
        ...

    def sinr(self, key: K) -> float: ...
    def rates(self) -> dict[K, float]: ...


class _Sharer[K: Hashable]:
    """An upload in the heap of ends; plain slots, because one is made for every upload."""

    __slots__ = ("current", "finish", "key", "rate_alone", "snr")

    def __init__(self, key: K, rate_alone: float, snr: float, finish: float) -> None:
        self.key, self.rate_alone, self.snr = key, rate_alone, snr
        self.finish = finish  # on the virtual clock
        self.current = True  # False once removed


class OrthogonalShares[K: Hashable]:
    """Sub-bands that do not disturb one another: O(log n) an event.

    Every upload slows down by the same factor n, so one *virtual clock* with dV/dt = 1/n serves all: an upload that
    needs s seconds alone ends when V has grown by s, whoever comes and goes meanwhile. A heap keeps the ends in order.
    """

    def __init__(self, bandwidth_hz: float) -> None:
        self._bandwidth_hz = bandwidth_hz
        self._clock = 0.0
        self._sharers: dict[K, _Sharer[K]] = {}
        self._ends: list[tuple[float, int, _Sharer[K]]] = []  # removed ones stay until they come to the top
        self._added = 0  # breaks ties by order of arrival

    def __len__(self) -> int:
        return len(self._sharers)

    def __contains__(self, key: K) -> bool:
        return key in self._sharers

    def add(self, key: K, bits: float, snr: float) -> None:
        rate = rate_alone(self._bandwidth_hz, snr)
        finish = self._clock + bits / rate
        sharer = self._sharers[key] = _Sharer(key, rate, snr, finish)
        self._added += 1
        heappush(self._ends, (finish, self._added, sharer))

    def remove(self, key: K) -> float:
        sharer = self._sharers.pop(key)
        sharer.current = False
        left = max(0.0, sharer.finish - self._clock) * sharer.rate_alone
        if not self._sharers:  # idle: start anew, so that an upload alone is free of the past's rounding
            self._clock = 0.0
            self._ends.clear()
        elif len(self._ends) > 2 * len(self._sharers) + 64:
            self._ends = [end for end in self._ends if end[2].current]
            heapify(self._ends)
        return left

    def advance(self, seconds: float) -> None:
        if self._sharers:
            self._clock += seconds / len(self._sharers)

    def earliest(self) -> tuple[float, K] | None:
        ends = self._ends
        while ends and not ends[0][2].current:
            heappop(ends)
        if not ends:
            return None
        finish, _, sharer = ends[0]
        ahead = finish - self._clock
        return (ahead * len(self._sharers) if ahead > 0.0 else 0.0), sharer.key

    def sinr(self, key: K) -> float:
        return self._sharers[key].snr

    def rates(self) -> dict[K, float]:
        count = len(self._sharers)
        return {key: sharer.rate_alone / count for key, sharer in self._sharers.items()}


class LeakyShares[K: Hashable]:
    """Sub-bands that leak into one another: O(n) an event, in a few vectorised passes (never a pass per pair).

    SINR_i = snr_i / (1 + ρ·Σ_{j≠i} snr_j) with cross-talk ρ: one total of received powers serves all n.
    """

    def __init__(self, bandwidth_hz: float, cross_talk: float) -> None:
        self._bandwidth_hz, self._cross_talk = bandwidth_hz, cross_talk
        self._keys: list[K] = []
        self._places: dict[K, int] = {}
        self._left = np.empty(16)
        self._snr = np.empty(16)
        self._sinr = self._rate = self._snr[:0]  # of the uploads there were when the set last stood still
        self._changed = False  # whether it has changed since

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: K) -> bool:
        return key in self._places

    def add(self, key: K, bits: float, snr: float) -> None:
        place = len(self._keys)
        if place == len(self._left):
            self._left = np.concatenate([self._left, np.empty(place)])
            self._snr = np.concatenate([self._snr, np.empty(place)])
        self._left[place], self._snr[place] = bits, snr
        self._keys.append(key)
        self._places[key] = place
        self._changed = True

    def remove(self, key: K) -> float:
        place, last = self._places.pop(key), len(self._keys) - 1
        left = float(self._left[place])
        mover = self._keys.pop()
        if place != last:  # the last one moves into the gap
            self._keys[place] = mover
            self._places[mover] = place
            self._left[place], self._snr[place] = self._left[last], self._snr[last]
        self._changed = True
        return left

    def advance(self, seconds: float) -> None:
        if self._keys and seconds > 0.0:
            self._divide()
            left = self._left[: len(self._keys)]
            left -= self._rate * seconds
            np.maximum(left, 0.0, out=left)

    def earliest(self) -> tuple[float, K] | None:
        if not self._keys:
            return None
        self._divide()
        seconds = self._left[: len(self._keys)] / self._rate
        first = int(seconds.argmin())
        return float(seconds[first]), self._keys[first]

    def sinr(self, key: K) -> float:
        self._divide()
        return float(self._sinr[self._places[key]])

    def rates(self) -> dict[K, float]:
        self._divide()
        return dict(zip(self._keys, self._rate.tolist(), strict=True))

    def _divide(self) -> None:
        """Divide the band among the present uploads, once for each set of them."""
        if self._changed:
            snr = self._snr[: len(self._keys)]
            self._sinr = snr / (1.0 + self._cross_talk * (np.add.reduce(snr) - snr))
            self._rate = np.log1p(self._sinr) * (self._bandwidth_hz / max(1, len(self._keys)) / LOG_2)
            self._changed = False
