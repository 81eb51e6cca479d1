"""How fast uploads were sent, kept so that a run can be shown again."""

import math
from collections.abc import Mapping

from flnft_sim.spool import Rows, Spool

TOLERANCE = 0.25
"""A rate is told again when it has changed by this share."""

_INSTANTS = 10_000  # a second is told in so many
_NOTHING = (math.inf, -math.inf)  # is near no rate


type Rate = tuple[int, float, float]
"""A user, the second from which on it sends so, and bit/s, 0 while its link is down.

A plain tuple: of numbers alone, it costs Python's search for garbage nothing."""


class RateLog:
    """Rates at the instants where they changed, each upload's first one at its start; that it ends is not told."""

    def __init__(self, *, spool: Spool | None = None) -> None:
        self._rows: Rows[Rate] = Rows(tuple, lambda *values: values, spool=spool)
        self._near: dict[int, tuple[float, float]] = {}  # by user with an upload, what is near the rate told
        self._time_s = 0.0
        self._rates: Mapping[int, float] = {}

    def note(self, time_s: float, rates_bps: Mapping[int, float]) -> None:
        """From now on these are the rates of all uploads under way; of several at one instant the last counts.

        The mapping is kept as it is: its maker changes it no more.
        """
        if time_s > self._time_s:
            self._tell()
        self._time_s, self._rates = time_s, rates_bps

    def rows(self) -> Rows[Rate]:
        """All that was noted, in the order of time."""
        self._tell()
        return self._rows

    def _tell(self) -> None:
        time_s, near, told = math.floor(self._time_s * _INSTANTS) / _INSTANTS, self._near, list[Rate]()
        for user, rate_bps in self._rates.items():
            least_bps, most_bps = near.get(user, _NOTHING)
            if not least_bps <= rate_bps <= most_bps:
                near[user] = (1.0 - TOLERANCE) * rate_bps, (1.0 + TOLERANCE) * rate_bps
                told.append((user, time_s, rate_bps))
        self._rows.extend(told)
        if len(near) > len(self._rates):
            for user in near.keys() - self._rates.keys():
                del near[user]
