"""Age of information, measured: how old the freshest update inside a DAO's model is, as a step function of time."""

import math
from bisect import bisect_right
from functools import cached_property

import pandas as pd

from flnft_sim.errors import InputError
from flnft_sim.results.tables import typed


class AgeOfInformation:
    """The age of one DAO's model: it grows by one second a second and drops where an aggregation brings newer data.

    At time t the age is t − g(t), g(t) the instant at which the freshest update aggregated so far began to be made (the
    start of its user's local training). The model a DAO starts with counts as made at `start_s`. Every minting (an
    `episode`) begins with a new model, so it has a record of its own, which ends when that model is minted.
    """

    def __init__(self, dao: str, *, start_s: float = 0.0, episode: int = 0) -> None:
        self.dao, self.start_s, self.episode = dao, start_s, episode
        self.end_s: float | None = None  # from when on nobody asks for this model's age
        self._times_s = [start_s]  # from _times_s[n] on, the freshest update dates from _generated_s[n]
        self._generated_s = [start_s]

    def update(self, time_s: float, generated_s: float) -> None:
        """An aggregation at `time_s` took in an update begun at `generated_s`; an older one is no news.

        Raises `InputError` for an update from the future and for aggregations out of order.
        """
        if generated_s > time_s:
            raise InputError(f"{self.dao}: an update begun at {generated_s} s cannot be aggregated at {time_s} s")
        if time_s < self._times_s[-1]:
            raise InputError(f"{self.dao}: an aggregation at {time_s} s comes after one at {self._times_s[-1]} s")
        if generated_s > self._generated_s[-1]:
            self._times_s.append(time_s)
            self._generated_s.append(generated_s)

    def age(self, time_s: float) -> float:
        """Seconds of age at `time_s` (just after an aggregation at that instant)."""
        return time_s - self._generated_s[max(bisect_right(self._times_s, time_s) - 1, 0)]

    def mean(self, until_s: float, *, since_s: float | None = None) -> float:
        """The time average over [since_s, until_s], exact: ∫ (t − g) dt over [a, b] is (b − a)·((a + b)/2 − g)."""
        since_s = self.start_s if since_s is None else since_s
        if until_s <= since_s:
            return self.age(since_s)
        area = math.fsum((b - a) * ((a + b) / 2 - g) for a, b, g in self._pieces(since_s, until_s))
        return area / (until_s - since_s)

    @cached_property
    def whole_mean(self) -> float:
        """The mean of an age that has ended."""
        assert self.end_s is not None
        return self.mean(self.end_s)

    def peak(self, until_s: float) -> float:
        """The largest age up to `until_s`: just before a drop, or at the end."""
        return max((b - g for _, b, g in self._pieces(self.start_s, until_s)), default=0.0)

    def to_frame(self, until_s: float | None = None) -> pd.DataFrame:
        """The saw-tooth's corners up to `until_s` (default: the last drop), to be joined by lines (the table `aoi`)."""
        corners = self.corners(until_s)
        return typed("aoi", pd.DataFrame(corners, columns=["dao", "episode", "time_s", "age_s"]))

    def corners(self, until_s: float | None = None) -> list[tuple[str, int, float, float]]:
        """The same as rows: DAO, episode, time and age in seconds."""
        until_s = self._times_s[-1] if until_s is None else until_s
        corners = [(t, t - g) for a, b, g in self._pieces(self.start_s, until_s) for t in (a, b)]
        if until_s == self._times_s[-1]:
            corners.append((until_s, self.age(until_s)))
        return [(self.dao, self.episode, *corner) for corner in corners]

    def _pieces(self, since_s: float, until_s: float) -> list[tuple[float, float, float]]:
        """(from, to, generated) of each stretch without a drop inside [since_s, until_s], in order."""
        ends = [*self._times_s[1:], math.inf]
        pieces = (
            (max(start, since_s), min(end, until_s), generated)
            for start, end, generated in zip(self._times_s, ends, self._generated_s, strict=True)
        )
        return [piece for piece in pieces if piece[0] < piece[1]]
