"""How users move: positions as a function of time, evaluated only when somebody asks."""

from typing import Protocol

import numpy as np

from flnft_sim.errors import InputError
from flnft_sim.network.draws import DrawTable
from flnft_sim.network.placement import Area
from flnft_sim.settings.radio import WalkSettings


class Mobility(Protocol):
    """A way to move. `moves` tells whether positions ever change."""

    moves: bool

    def positions_m(self, time_s: float) -> np.ndarray:
        """(n, 2) metres at that time; time does not run backwards between calls."""
        ...


class Fixed:
    """Users that stay where they are."""

    moves = False

    def __init__(self, positions_m: np.ndarray) -> None:
        positions = np.asarray(positions_m, dtype=float)
        if positions.ndim != 2 or positions.shape[1] != 2 or not np.all(np.isfinite(positions)):
            raise InputError(f"positions_m of shape {positions.shape}: must be finite, (users, 2) metres")
        self._positions_m = positions

    def positions_m(self, time_s: float) -> np.ndarray:  # noqa: ARG002 - the same at all times
        return self._positions_m


class RandomWaypoint:
    """Each user walks to a uniform random point, pauses, and walks on to the next.

    Leg k of user i comes from row k of a table of draws, so a walk is the same however often it is looked at.
    """

    moves = True

    def __init__(
        self,
        start_m: np.ndarray,
        rng: np.random.Generator,
        *,
        area: Area | None = None,
        settings: WalkSettings | None = None,
    ) -> None:
        self._settings = settings or WalkSettings()
        self._from_m = Fixed(start_m).positions_m(0.0).copy()
        count, size_m = len(self._from_m), (area or Area()).size_m
        self._legs = DrawTable(lambda: rng.random((count, 3)))  # waypoint (2) and speed, in units of the interval
        self._size_m = size_m
        self._leg = np.full(count, -1)
        self._to_m = self._from_m.copy()
        self._leave_s, self._arrive_s = np.zeros(count), np.zeros(count)
        self._begin_leg(np.arange(count), pause_s=0.0)

    def positions_m(self, time_s: float) -> np.ndarray:
        """(n, 2) metres; O(n) and a little more for those who passed waypoints since the last call."""
        while len(over := np.flatnonzero(self._arrive_s + self._settings.pause_s <= time_s)):
            self._from_m[over] = self._to_m[over]
            self._begin_leg(over, pause_s=self._settings.pause_s)
        duration_s = np.maximum(self._arrive_s - self._leave_s, 1e-9)  # a waypoint may be where the user stands
        walked = np.clip((time_s - self._leave_s) / duration_s, 0.0, 1.0)
        return self._from_m + walked[:, None] * (self._to_m - self._from_m)

    def _begin_leg(self, users: np.ndarray, pause_s: float) -> None:
        self._leg[users] += 1
        draws = np.empty((len(users), 3))
        for k in np.unique(self._leg[users]):
            on_leg_k = self._leg[users] == k
            draws[on_leg_k] = self._legs.row(int(k))[users[on_leg_k]]
        self._to_m[users] = draws[:, :2] * self._size_m
        low, high = self._settings.speed_m_s
        speed = low + draws[:, 2] * (high - low)
        step_m = self._to_m[users] - self._from_m[users]
        self._leave_s[users] = self._arrive_s[users] + pause_s
        self._arrive_s[users] = self._leave_s[users] + np.hypot(step_m[:, 0], step_m[:, 1]) / speed
