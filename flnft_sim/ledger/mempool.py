"""Transactions that wait for a block: the highest bidder for gas first, the older one among equals."""

import heapq
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from flnft_sim.errors import InputError
from flnft_sim.ledger.transactions import BASE_GAS, Transaction
from flnft_sim.settings.consensus import TRAFFIC_GAS

_STRETCH = 256  # transactions of other people drawn at a time


class Waiting(NamedTuple):
    """A place in the queue; the smaller tuple goes first. Without a transaction it is other people's traffic."""

    negative_fee: int
    arrived_s: float
    number: int
    gas: int
    transaction: Transaction | None


class Mempool:
    """The pool in front of blocks of `gas_limit`; every transaction added or taken costs O(log n)."""

    def __init__(self, gas_limit: int = 8_000_000) -> None:
        if gas_limit < BASE_GAS:
            raise InputError(
                f"block gas limit {gas_limit} is below the {BASE_GAS} gas of the smallest transaction; raise it"
            )
        self.gas_limit = gas_limit
        self._heap: list[Waiting] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, transaction: Transaction, *, arrived_s: float) -> None:
        """Let a transaction wait. One that no block can hold raises `InputError`."""
        if transaction.gas > self.gas_limit:
            raise InputError(
                f"transaction {transaction.kind!r} takes {transaction.gas} gas, a block holds {self.gas_limit}; "
                "raise the block gas limit or split the transaction"
            )
        number = next(self._numbers)
        self.put_back([Waiting(-transaction.fee, arrived_s, number, transaction.gas, transaction)])

    def add_traffic(self, traffic: "OtherTraffic", *, now_s: float) -> None:
        """Let other people's transactions that arrived up to `now_s` wait: they take gas and are then forgotten."""
        if traffic.gas > self.gas_limit:
            raise InputError(
                f"other people's transactions take {traffic.gas} gas, a block holds {self.gas_limit}; "
                "raise the block gas limit"
            )
        numbers = self._numbers
        self.put_back(
            Waiting(-fee, arrived_s, next(numbers), traffic.gas, None) for arrived_s, fee in traffic.until(now_s)
        )

    def first(self) -> Waiting | None:
        """What goes next, None where nothing waits."""
        return self._heap[0] if self._heap else None

    def pop(self) -> Waiting:
        """Remove and return what goes next."""
        return heapq.heappop(self._heap)

    def take(self) -> list[Waiting]:
        """Remove and return the next block's content: in order, up to the first that does not fit."""
        content: list[Waiting] = []
        room = self.gas_limit
        while self._heap and self._heap[0].gas <= room:
            content.append(heapq.heappop(self._heap))
            room -= content[-1].gas
        return content

    def clear(self) -> None:
        """Forget all that waits."""
        self._heap.clear()

    def put_back(self, content: Iterable[Waiting]) -> None:
        """Let what was taken wait again, in its old place."""
        for waiting in content:
            heapq.heappush(self._heap, waiting)


class OtherTraffic:
    """Other people's transactions: a Poisson stream of equal gas, each with one of `fees` at random.

    They are drawn in stretches of fixed length, so the stream does not depend on when it is looked at.
    """

    def __init__(
        self, tx_per_s: float, rng: np.random.Generator, *, gas: int = TRAFFIC_GAS, fees: tuple[int, ...] = (1,)
    ) -> None:
        if not 0 < tx_per_s < np.inf:
            raise InputError(f"other traffic of {tx_per_s} transactions/s: give a positive rate, or no traffic")
        if gas < BASE_GAS:
            raise InputError(f"other traffic of {gas} gas each: the smallest transaction takes {BASE_GAS}")
        if not fees or min(fees) < 0:
            raise InputError(f"other traffic with fees {fees}: give one or more fees of 0 or more")
        self.tx_per_s, self.gas, self.fees = tx_per_s, gas, fees
        self._rng = rng
        self._drawn: deque[tuple[float, int]] = deque()
        self._last_s = 0.0

    def until(self, now_s: float) -> Iterator[tuple[float, int]]:
        """Arrival time and fee of what arrived since the last call, up to `now_s`."""
        while self._last_s <= now_s:
            gaps_s = self._rng.exponential(1.0 / self.tx_per_s, _STRETCH)
            arrived_s = self._last_s + np.cumsum(gaps_s)
            self._drawn.extend(zip(arrived_s.tolist(), self._rng.choice(self.fees, _STRETCH).tolist(), strict=True))
            self._last_s = self._drawn[-1][0]
        while self._drawn[0][0] <= now_s:
            yield self._drawn.popleft()

    def skip(self, to_s: float) -> None:
        """Leave out what arrives up to `to_s`: arrivals after it do not depend on those before."""
        while self._drawn and self._drawn[0][0] <= to_s:
            self._drawn.popleft()
        self._last_s = max(self._last_s, to_s)
