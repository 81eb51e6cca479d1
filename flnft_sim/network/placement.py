"""Where users stand: positions in metres in a rectangular area, the base station in its middle."""

from dataclasses import dataclass

import numpy as np

from flnft_sim.checks import positive, whole
from flnft_sim.settings.radio import AREA_M


@dataclass(frozen=True)
class Area:
    """A rectangle from (0, 0); the paper's is 1000 m × 1200 m."""

    width_m: float = AREA_M[0]
    height_m: float = AREA_M[1]

    def __post_init__(self) -> None:
        positive("area.width_m", self.width_m, "m")
        positive("area.height_m", self.height_m, "m")

    @property
    def size_m(self) -> np.ndarray:
        """(width, height)."""
        return np.array([self.width_m, self.height_m])

    @property
    def base_station_m(self) -> np.ndarray:
        """The middle."""
        return self.size_m / 2.0


# Ten places of users in the paper's area. Its Fig. 4 shows ten points and gives no coordinates, so these are our own:
# spread over the area at 69 to 589 m from the station, no two closer than 280 m.
TRACE_POINTS = np.array(
    [
        [120.0, 150.0],
        [480.0, 90.0],
        [850.0, 180.0],
        [260.0, 400.0],
        [700.0, 430.0],
        [440.0, 635.0],
        [910.0, 690.0],
        [90.0, 780.0],
        [330.0, 1010.0],
        [760.0, 1080.0],
    ]
)
TRACE_POINTS.flags.writeable = False


def random_positions(count: int, rng: np.random.Generator, area: Area | None = None) -> np.ndarray:
    """`count` positions, uniform in the area: (count, 2) metres."""
    whole("the number of positions", count)
    return rng.random((count, 2)) * (area or Area()).size_m


def distances_m(positions_m: np.ndarray, station_m: np.ndarray) -> np.ndarray:
    """Distance on the ground of every position to the station: (n,) metres."""
    offset = positions_m - station_m
    return np.hypot(offset[:, 0], offset[:, 1])
