"""How fast uploads were sent, kept so that a run can be shown again."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from flnft_sim.spool import Rows, Spool

TOLERANCE = 0.25
"""A rate is told again when it has changed by this share."""

_INSTANTS = 10_000  # a second is told in so many


class Rate(NamedTuple):
    """From `time_s` on `user` sends at `rate_bps`, 0 while its link is down."""

    user: int
    time_s: float
    rate_bps: float


class RateLog:
    """Rates at the instants where they changed, each upload's first one at its start; that it ends is not told."""

    def __init__(self, *, spool: Spool | None = None) -> None:
        self._rows: Rows[Rate] = Rows(tuple, Rate, spool=spool)
        self._last: dict[int, float] = {}  # by user with an upload under way, the rate told last
        self._time_s = 0.0
        self._users: Sequence[int] = ()
        self._rates_bps: Sequence[float] = ()
        self._in_order: Sequence[int] = ()

    def note(self, time_s: float, users: Sequence[int], rates_bps: Sequence[float], *, in_order: Sequence[int]) -> None:
        """From now on these are the rates of all uploads under way; of several at one instant the last counts.

        What changes at one instant is told `in_order` of users. The lists are kept as they are: their maker changes
        them no more.
        """
        if time_s > self._time_s:
            self._tell()
        self._time_s, self._users, self._rates_bps, self._in_order = time_s, users, rates_bps, in_order

    def rows(self) -> Rows[Rate]:
        """All that was noted, in the order of time."""
        self._tell()
        return self._rows

    def _tell(self) -> None:
        last, told, changed = self._last.get, dict[int, float](), list[int]()
        for user, rate_bps in zip(self._users, self._rates_bps, strict=True):
            told_bps = last(user, math.nan)
            if not abs(rate_bps - told_bps) <= TOLERANCE * told_bps:  # nor where none was told
                told_bps = rate_bps
                changed.append(user)
            told[user] = told_bps
        if len(changed) > 1:
            changed.sort(key=self._in_order.index)
        time_s = math.floor(self._time_s * _INSTANTS) / _INSTANTS
        self._rows.extend(Rate(user, time_s, told[user]) for user in changed)
        self._last = told
