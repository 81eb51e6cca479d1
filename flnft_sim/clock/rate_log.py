"""How fast uploads were sent, kept so that a run can be shown again."""

import math
from collections.abc import Mapping
from typing import NamedTuple

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

    def __init__(self) -> None:
        self._rows: list[Rate] = []
        self._last: dict[int, float] = {}  # by user with an upload under way, the rate told last
        self._time_s, self._rates = 0.0, dict[int, float]()

    def note(self, time_s: float, rates_bps: Mapping[int, float]) -> None:
        """From now on these are the rates of all uploads under way; of several at one instant the last counts."""
        if time_s > self._time_s:
            self._tell()
        self._time_s, self._rates = time_s, dict(rates_bps)

    def rows(self) -> list[Rate]:
        """All that was noted, in the order of time."""
        self._tell()
        return list(self._rows)

    def _tell(self) -> None:
        self._last = {user: rate_bps for user, rate_bps in self._last.items() if user in self._rates}
        for user, rate_bps in self._rates.items():
            told_bps = self._last.get(user)
            if told_bps is None or abs(rate_bps - told_bps) > TOLERANCE * told_bps:
                self._last[user] = rate_bps
                self._rows.append(Rate(user, math.floor(self._time_s * _INSTANTS) / _INSTANTS, rate_bps))
