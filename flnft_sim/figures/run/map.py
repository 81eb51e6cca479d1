"""Who stands where, and how good each link is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from flnft_sim.arrays import Floats
from flnft_sim.figures.palette import GREY, INK, RED
from flnft_sim.figures.run.series import short_names
from flnft_sim.figures.style import NOTE, TEXT, TICK, finish, new_figure
from flnft_sim.results.pictures import FIGURES
from flnft_sim.results.record import RunRecord
from flnft_sim.results.told import Told, counted

_NAMED_USERS = 40  # more than that are drawn, but not named
_LINKED_USERS = 400  # more than that are drawn without links
_POINTS = 3000  # more than that are counted in squares
_SQUARES = 40  # along the longer side
_TAIL = 0.1  # share of the users below and above the colours' range, so that the many in between differ

#: Where a name may stand around its mark, right first: directions, once close and once farther off (points).
_TURNS = np.pi * np.array(
    [0, 1, 0.5, -0.5, 0.25, -0.25, 0.75, -0.75, 0.12, -0.12, 0.88, -0.88, 0.37, -0.37, 0.63, -0.63]
)
_SIDES = np.tile(np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=1), (2, 1))
_GAPS = np.repeat([8.0, 14.0], len(_TURNS))[:, None]
_CORNERS = np.array([(x, y) for x in (-0.9, -0.3, 0.3, 0.9) for y in (-0.8, 0, 0.8)])


@FIGURES.register("map")
def map_of_links(result: RunRecord) -> Figure | None:
    """Users by position, coloured by SINR, linked to the base station; the wider the link, the higher its rate.

    The border is the area's where the manifest tells it. Colours span the middle four fifths of the users, so that one
    user beside the mast does not make all others look alike. A crowd is shown by the mean SINR of squares of the area.
    """
    users = result.positions[result.positions["role"] == "user"]
    if users.empty:
        return None
    stations = result.positions.loc[result.positions["role"] == "base station", ["x_m", "y_m"]].to_numpy()
    places, sinr_db = users[["x_m", "y_m"]].to_numpy(), users["sinr_db"].to_numpy()
    (left, bottom), (right, top) = _border(result, np.vstack([places, stations]))
    tall = min(max((top - bottom) / (right - left), 0.4), 1.6)
    figure, [axes] = new_figure(width=7.5, height=1.5 + 4.9 * tall, right=1.7)
    colours = _colours(sinr_db)
    shown: ScalarMappable
    if len(users) > _POINTS:
        shown = _squares(axes, places, sinr_db, (left, right, bottom, top), colours)
    else:
        if len(users) <= _LINKED_USERS:
            _links(axes, places, stations, users["rate_bps"].to_numpy())
        size = 150 if len(users) <= _NAMED_USERS else 40 if len(users) <= _LINKED_USERS else 12
        shown = axes.scatter(
            places[:, 0],
            places[:, 1],
            c=sinr_db,
            cmap="cividis",
            norm=colours,
            s=size,
            edgecolor=INK,
            linewidth=0.8,
            zorder=3,
            clip_on=False,
        )
    mast: dict[str, Any] = {"marker": "^", "s": 220, "color": RED, "edgecolor": "white", "linewidth": 1.5}
    axes.scatter(stations[:, 0], stations[:, 1], zorder=4, clip_on=False, **mast)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal")
    word = ""
    if len(users) <= _NAMED_USERS:
        names, word = short_names(list(users["name"]))
        _name(axes, names, places, stations, (left, right, bottom, top))
    ends = "".join(("min" * bool((sinr_db < colours.vmin).any()), "max" * bool((sinr_db > colours.vmax).any())))
    beside = axes.get_position()
    bar = figure.colorbar(
        shown,
        cax=figure.add_axes((beside.x1 + 0.03, beside.y0 + 0.1 * beside.height, 0.03, 0.8 * beside.height)),
        extend={"": "neither", "minmax": "both"}.get(ends, ends),
    )
    bar.set_label("mean SINR (dB)", fontsize=TEXT)
    bar.ax.tick_params(labelsize=TICK)
    rates = users["rate_bps"] / 1e6
    note = f"{counted(len(users), 'user')}{f', n is {word}-n' if word else ''}; triangle: base station"
    finish(axes, title=_title(rates), x="x (m)", y="y (m)", note=note)
    axes.spines[:].set_visible(True)  # the border
    return figure


def _title(rates_mbps: pd.Series) -> str:
    if not rates_mbps.notna().any():
        return "Users and base station"
    low, high = (f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}" for rate in (rates_mbps.min(), rates_mbps.max()))
    return f"Links of {low} to {high} Mbit/s"


def _border(result: RunRecord, places: Floats) -> tuple[Floats, Floats]:
    """Lower left and upper right corner (m) of the area, or where the run does not tell it, of all who stand in it."""
    low, high = places.min(axis=0), places.max(axis=0)
    area = Told(result).setting("radio.area_m")
    if area is not None:
        low, high = np.minimum(low, 0.0), np.maximum(high, area)
    return low, np.maximum(high, low + 1.0)


def _colours(sinr_db: Floats) -> Normalize:
    known = sinr_db[np.isfinite(sinr_db)]
    if not known.size:
        return Normalize(0, 1)
    low, high = np.quantile(known, (_TAIL, 1 - _TAIL)) if len(known) > 4 else (known.min(), known.max())
    return Normalize(low, max(high, low + 1.0))


def _squares(
    axes: Axes, places: Floats, sinr_db: Floats, extent: tuple[float, float, float, float], colours: Normalize
) -> AxesImage:
    """The mean SINR of the users in each square; squares without users stay white."""
    left, right, bottom, top = extent
    side = max(right - left, top - bottom) / _SQUARES
    columns, rows = max(1, round((right - left) / side)), max(1, round((top - bottom) / side))
    column = np.minimum(((places[:, 0] - left) / (right - left) * columns).astype(int), columns - 1)
    row = np.minimum(((places[:, 1] - bottom) / (top - bottom) * rows).astype(int), rows - 1)
    square = row * columns + column
    users = np.bincount(square, minlength=rows * columns)
    sums = np.bincount(square, np.nan_to_num(sinr_db), minlength=rows * columns)
    mean_db = np.divide(sums, users, out=np.full(rows * columns, np.nan), where=users > 0).reshape(rows, columns)
    return axes.imshow(mean_db, origin="lower", extent=extent, cmap="cividis", norm=colours, interpolation="nearest")


def _links(axes: Axes, places: Floats, stations: Floats, rates_bps: Floats) -> None:
    fastest = np.nanmax(rates_bps, initial=0.0)
    widths = 0.5 + 3.5 * np.nan_to_num(rates_bps) / fastest if fastest else np.ones(len(places))
    for station in stations:
        ends = np.stack([np.broadcast_to(station, places.shape), places], axis=1)
        few = len(places) <= _NAMED_USERS
        axes.add_collection(
            LineCollection(list(ends), linewidths=widths * (1 if few else 0.3), colors=GREY, alpha=0.7, zorder=1)
        )


def _name(
    axes: Axes, names: Sequence[str], places: Floats, stations: Floats, extent: tuple[float, float, float, float]
) -> None:
    """Each user's name beside its mark, on the side which is freest of marks, links, names and border."""
    left, right, bottom, top = extent
    point_m = (right - left) / (axes.bbox.width / axes.figure.dpi) / 72
    along = np.linspace(0.0, 1.0, 60)[:, None, None]
    rays = [(station + along * (places - station)).reshape(-1, 2) for station in stations]
    taken = np.vstack([places, *rays])
    for name, place in zip(names, places, strict=True):
        half = point_m * NOTE * np.array([0.36 * len(name) + 0.3, 0.7])
        centres = place + _SIDES * (half + _GAPS * point_m)
        crossed = np.array([(np.abs(taken - centre) < half).all(axis=1).sum() for centre in centres])
        outside = ((centres - half < (left, bottom)) | (centres + half > (right, top))).any(axis=1)
        x, y = centres[np.argmin(crossed + 1000 * outside)]
        axes.text(x, y, name, fontsize=NOTE, ha="center", va="center", zorder=5)
        taken = np.vstack([taken, (x, y) + _CORNERS * half])
