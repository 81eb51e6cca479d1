"""Where users were and how fast they sent, at any time of a finished run."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pandas as pd

from flnft_sim.results import RunResult


class Motion:
    """The tables `moves` and `rates` as functions of time; a run of an earlier version has neither."""

    def __init__(self, result: RunResult) -> None:
        self._corners: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        for user, *corner in _rows(result.moves, ("user", "time_s", "x_m", "y_m")):
            self._corners[user].append((corner[0], corner[1], corner[2]))
        self._rates: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for user, time_s, rate_bps in _rows(result.rates, ("user", "time_s", "rate_bps")):
            self._rates[user].append((time_s, rate_bps))

    def place_m(self, user: str, time_s: float) -> tuple[float, float] | None:
        """Where a user was: on the straight line between two corners of its path; None for one that never moved."""
        corners = self._corners.get(user)
        if not corners:
            return None
        later = bisect_right(corners, time_s, key=lambda corner: corner[0])
        (start_s, x_m, y_m), (end_s, to_x_m, to_y_m) = corners[max(later - 1, 0)], corners[min(later, len(corners) - 1)]
        way = (time_s - start_s) / (end_s - start_s) if end_s > start_s else 0.0
        return x_m + way * (to_x_m - x_m), y_m + way * (to_y_m - y_m)

    def rate_bps(self, user: str, time_s: float) -> float | None:
        """How fast a user sent; None where that was not kept."""
        rates = self._rates.get(user)
        later = bisect_right(rates, time_s, key=lambda rate: rate[0]) if rates else 0
        return rates[later - 1][1] if rates and later else None


def _rows(table: pd.DataFrame, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].tolist() for name in names), strict=True)
