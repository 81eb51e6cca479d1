"""What a run keeps of movement and of rates, so that it can be played back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import simpy

from flnft_sim.arrays import Floats, Ints
from flnft_sim.clock.rate_log import Rate
from flnft_sim.results.tables import MoveRow, Stored, empty, of_rows
from flnft_sim.simulation.building.radio_cell import build_radio_cell
from flnft_sim.simulation.cast import Cast
from flnft_sim.spool import Rows
from flnft_sim.streams import Streams

_MOST_TICKS = 50_000  # longer runs are looked at less often
_MOST_USERS = 1_000  # a crowd's ways are not kept
_CLEAR = 1e-9  # of what is rounded: nearer to a half, division may have rounded before
_STRAIGHT_M = 1e-6  # a way that bends less from one look to the next goes straight on


def moves(cast: Cast) -> pd.DataFrame:
    """The corners of users' ways, at the ticks at which the radio cell looks at them; of users that stay, nothing."""
    world, names = cast.world, _names(cast)
    if not world.cell.links.mobility.moves or len(names) > _MOST_USERS:
        return empty("moves")
    # Time runs forward only, so a second walk of the same seed is looked at; as it was taken, so it is taken again.
    walk = build_radio_cell(simpy.Environment(), cast.settings, Streams(cast.settings.seed)).links.mobility
    end_s, tick_s = float(world.env.now), world.cell.movement_tick_s
    times_s = np.arange(0.0, end_s + tick_s, max(tick_s, end_s / _MOST_TICKS))
    ways_m = np.array([walk.positions_m(float(time_s)).copy() for time_s in times_s])
    bends_m = np.abs(np.diff(ways_m, n=2, axis=0)).max(axis=2)
    corners = np.ones(ways_m.shape[:2], dtype=bool)
    corners[1:-1] = bends_m > _STRAIGHT_M
    return of_rows(
        "moves",
        (
            MoveRow(user=names[user], time_s=times_s[tick], x_m=ways_m[tick, user, 0], y_m=ways_m[tick, user, 1])
            for user in range(len(names))
            for tick in np.flatnonzero(corners[:, user])
        ),
    )


def rates(cast: Cast) -> Stored:
    """Rates of uploads, from where they changed."""
    names, log = _names(cast), cast.world.cell.rate_log

    def told(rows: Sequence[Sequence[Any]]) -> dict[str, Sequence[Any]]:
        users, times_s, rates_bps = rows
        return {
            "user": [names[user] for user in users],
            "time_s": times_s,
            "rate_bps": three_digits(np.array(rates_bps, np.float64)).tolist(),
        }

    chunks = (Rows[Rate](tuple) if log is None else log.rows()).so_far()
    return Stored("rates", lambda: map(told, chunks()))


def three_digits(rates_bps: Floats) -> Ints:
    """The whole bits a second of what `.3g` prints of each rate (n,), which is at least 0."""
    unit_bps = 10.0 ** (np.floor(np.log10(np.maximum(rates_bps, 1.0))) - 2)
    told, whole = rates_bps / unit_bps, np.rint(rates_bps / unit_bps) * unit_bps
    unclear = (unit_bps < 1) | (np.abs(told % 1 - 0.5) < _CLEAR)
    whole[unclear] = [float(f"{rate_bps:.3g}") for rate_bps in rates_bps[unclear].tolist()]
    return whole.astype(np.int64)


def _names(cast: Cast) -> dict[int, str]:
    """Users by their numbers in the radio cell."""
    return {
        number: name
        for dao in cast.daos
        for number, name in zip(dao.members.numbers.tolist(), dao.members.names, strict=True)
    }
