"""The page's pictures, as options of Apache ECharts (https://echarts.apache.org/en/option.html), which draws them.

They are drawn in the browser, so a step sends numbers, not images; and nothing is animated, so what is seen is now.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from flnft_sim.figures.palette import BLUE, GREEN, GREY, ORANGE, PHASE_COLOURS, RED, series_colour
from flnft_sim.results.phase import Phase
from flnft_sim.viz.scene import Figure, Scene

Option = dict[str, Any]

#: How an activity looks on the map: told by shape as well as by colour.
SHAPES: dict[str, tuple[str, str]] = {
    "idle": ("circle", "#ffffff"),
    "away": ("pin", "#ffffff"),
    Phase.DECISION: ("diamond", PHASE_COLOURS[Phase.DECISION]),
    Phase.RANKING: ("roundRect", PHASE_COLOURS[Phase.RANKING]),
    Phase.TRAINING: ("circle", PHASE_COLOURS[Phase.TRAINING]),
    Phase.UPLOAD: ("triangle", PHASE_COLOURS[Phase.UPLOAD]),
    Phase.CONSENSUS: ("rect", PHASE_COLOURS[Phase.CONSENSUS]),
    Phase.WAITING: ("emptyCircle", PHASE_COLOURS[Phase.AGGREGATION]),
    Phase.VOTING: ("arrow", PHASE_COLOURS[Phase.VOTING]),
    Phase.BIDDING: ("pin", PHASE_COLOURS[Phase.BIDDING]),
}
_MAP_HEIGHT = 340  # pixels of the area itself
_MARGINS = {"left": 62, "right": 14, "top": 34, "bottom": 44}
_SIDE = 1.28  # the map is this much wider than the area: providers stand beside it
_CROWD = {"user": 60, "provider": 12}  # more of a role than that get small marks without names
_STAR = "path://M0,-10L3,-3L10,-3L4,2L6,10L0,5L-6,10L-4,2L-10,-3L-3,-3Z"


def map_size(area_m: tuple[float, float]) -> tuple[int, int]:
    """Width and height of the map in pixels, so that a metre is as long upward as sideways."""
    width = round(_MAP_HEIGHT * _SIDE * area_m[0] / area_m[1])
    return width + _MARGINS["left"] + _MARGINS["right"], _MAP_HEIGHT + _MARGINS["top"] + _MARGINS["bottom"]


def map_of(scene: Scene, selected: str) -> Option:
    """Users, base station and providers where they are, shaped and coloured by what they do; links in use."""
    counts = Counter(figure.role for figure in scene.figures)
    crowded = {role for role, most in _CROWD.items() if counts[role] > most}
    activities = {figure.activity: None for figure in scene.figures if figure.role != "base station"}
    ordered = sorted(activities, key=lambda activity: [*SHAPES, activity].index(activity))
    series = [
        _marks(
            activity,
            SHAPES.get(activity, ("circle", GREY)),
            [figure for figure in scene.figures if figure.activity == activity and figure.role != "base station"],
            selected=selected,
            crowded=crowded,
        )
        for activity in ordered
    ]
    stations = [figure for figure in scene.figures if figure.role == "base station"]
    width_m, height_m = scene.area_m
    return {
        "animation": False,
        "grid": {**_MARGINS, "show": False},
        "legend": {"type": "scroll", "data": ordered, "top": 0, "left": 0, "textStyle": {"fontSize": 12}},
        "tooltip": {"trigger": "item", "confine": True},
        "xAxis": _axis("x (m)", minimum=0, maximum=_SIDE * width_m, ticks_until=width_m),
        "yAxis": _axis("y (m)", minimum=0, maximum=height_m),
        "series": [
            _links(scene),
            *series,
            _marks("base station", (_STAR, RED), stations, selected=selected, crowded=crowded, size=22),
        ],
    }


def accuracy(scene: Scene) -> Option:
    """Test accuracy of each DAO over time, and the loss of the first one beside it."""
    daos = list(dict.fromkeys(row["dao"] for row in scene.rounds))
    lines = [
        _line(f"accuracy {dao}" if len(daos) > 1 else "accuracy", _rounds_of(scene, dao, "accuracy", 100), n)
        for n, dao in enumerate(daos)
    ]
    loss = _line("loss" if len(daos) < 2 else f"loss {daos[0]}", _rounds_of(scene, daos[0], "loss") if daos else [], 3)
    loss |= {"yAxisIndex": 1, "lineStyle": {"type": "dashed", "width": 1.5}}
    option = _chart([*lines, loss], x="time (s)", y="accuracy (%)", legend=len(daos) < 4)
    option["grid"] |= {"right": 54}
    option["yAxis"] = [option["yAxis"] | {"max": 100}, _axis("loss", minimum=0) | {"splitLine": {"show": False}}]
    return option


def ages(scene: Scene) -> Option:
    """Age of every user's last update when it was final, T_i: a bar a user."""
    names = list(scene.user_ages_s)
    bars = {"type": "bar", "name": "age", "data": _numbers(scene.user_ages_s.values()), "itemStyle": {"color": BLUE}}
    option = _chart([bars], x="user", y="age T (s)", legend=False)
    option["xAxis"] |= {"type": "category", "data": [name.removeprefix("user-") for name in names]}
    return option


def utilities(scene: Scene) -> Option:
    """Users' utility, which is no cash, and cash surplus: means of each round."""
    times_s = [mean.time_s for mean in scene.user_means]
    utility = _line("utility (no cash)", _points(times_s, [mean.utility for mean in scene.user_means]), 0)
    surplus = _points(times_s, [mean.cash_surplus_money for mean in scene.user_means])
    return _chart([utility, _line("cash surplus (money)", surplus, 1)], x="time (s)", y="mean of users")


def bids(scene: Scene) -> Option:
    """What each provider bid, and its rivals together: as it believed, and really."""
    columns = {
        "own bid": ([belief.bid_money for belief in scene.beliefs], BLUE),
        "rivals, predicted": ([belief.predicted_rivals_money for belief in scene.beliefs], ORANGE),
        "rivals, real": ([belief.rivals_money for belief in scene.beliefs], GREEN),
    }
    series = [
        {"type": "bar", "name": name, "data": _numbers(values), "itemStyle": {"color": colour}}
        for name, (values, colour) in columns.items()
    ]
    option = _chart(series, x="provider", y="money")
    names = [belief.provider.removeprefix("provider-") for belief in scene.beliefs]
    option["xAxis"] |= {"type": "category", "data": names}
    return option


def phases(scene: Scene) -> Option:
    """Minting time so far by phase, one stacked bar."""
    series = [
        {
            "type": "bar",
            "name": phase,
            "stack": "minting",
            "data": [round(seconds, 6)],
            "itemStyle": {"color": PHASE_COLOURS[phase]},
            "barWidth": 34,
        }
        for phase, seconds in sorted(scene.phases_s.items(), key=lambda item: list(Phase).index(Phase(item[0])))
    ]
    option = _chart(series, x="time along the critical path (s)", y="")
    option["yAxis"] = {"type": "category", "data": [""], "axisTick": {"show": False}}
    return option


# ---- parts -----------------------------------------------------------------------------------------------------------


def _links(scene: Scene) -> Option:
    """A line for every link in use, the wider the faster."""
    station = next((figure for figure in scene.figures if figure.role == "base station"), None)
    sending = [figure for figure in scene.figures if figure.rate_bps is not None]
    fastest_bps = max((figure.rate_bps or 0.0 for figure in sending), default=0.0)
    data = [
        {
            "coords": [[figure.x_m, figure.y_m], [station.x_m, station.y_m]],
            "lineStyle": {"width": 1 + 4 * (figure.rate_bps or 0.0) / fastest_bps if fastest_bps else 1},
            "tooltip": {"formatter": f"{escape(figure.name)}: {_megabits(figure)}"},
            "label": {"show": len(sending) <= 12, "formatter": _megabits(figure), "position": "middle", "fontSize": 11},
        }
        for figure in sending
        if station is not None
    ]
    return {
        "type": "lines",
        "coordinateSystem": "cartesian2d",
        "name": "link in use",
        "data": data,
        "lineStyle": {"color": ORANGE, "opacity": 0.7},
        "z": 1,
    }


def _marks(
    name: str, shape: tuple[str, str], figures: Iterable[Figure], *, selected: str, crowded: set[str], size: int = 16
) -> Option:
    symbol, colour = shape
    data = [
        {
            "name": figure.name,
            "value": [round(figure.x_m, 1), round(figure.y_m, 1)],
            "tooltip": {"formatter": tell(figure)},
            "symbolSize": (9 if figure.role in crowded else size) * (1.5 if figure.name == selected else 1),
            "label": {"show": figure.role not in crowded},
        }
        for figure in figures
    ]
    return {
        "type": "scatter",
        "name": name,
        "symbol": symbol,
        "itemStyle": {"color": colour, "borderColor": "#333333", "borderWidth": 1},
        "label": {"formatter": "{b}", "position": "bottom", "fontSize": 11, "color": "#333333"},
        "data": data,
        "z": 3,
    }


def tell(figure: Figure) -> str:
    """What there is to know of one agent, as HTML."""
    facts = {"does": figure.activity, **figure.facts}
    if figure.rate_bps is not None:
        facts["rate"] = _megabits(figure)
    lines = "".join(f"<br>{escape(label)}: {escape(value)}" for label, value in facts.items())
    return f"<b>{escape(figure.name)}</b> ({escape(figure.role)}){lines}"


def _megabits(figure: Figure) -> str:
    return f"{(figure.rate_bps or 0.0) / 1e6:.1f} Mbit/s"


def _rounds_of(scene: Scene, dao: str, column: str, factor: float = 1.0) -> list[list[float | None]]:
    rows = [row for row in scene.rounds if row["dao"] == dao]
    return _points([row["end_s"] for row in rows], [factor * row[column] for row in rows])


def _points(xs: Sequence[float], ys: Sequence[float]) -> list[list[float | None]]:
    return [[x, y] for x, y in zip(_numbers(xs), _numbers(ys), strict=True)]


def _numbers(values: Iterable[float]) -> list[float | None]:
    """Numbers as JSON has them: short, and null for what is not finite."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values]


def _line(name: str, data: list[list[float | None]], index: int) -> Option:
    return {
        "type": "line",
        "name": name,
        "data": data,
        "showSymbol": len(data) < 2,
        "itemStyle": {"color": series_colour(index)},
        "lineStyle": {"width": 2},
    }


def _chart(series: list[Option], *, x: str, y: str, legend: bool = True) -> Option:
    return {
        "animation": False,
        "grid": {"left": 56, "right": 18, "top": 34, "bottom": 40},
        "tooltip": {"trigger": "axis", "confine": True},
        "legend": {"show": legend, "type": "scroll", "top": 0, "itemHeight": 10, "textStyle": {"fontSize": 12}},
        "xAxis": _axis(x),
        "yAxis": _axis(y),
        "series": series,
    }


def _axis(
    name: str, *, minimum: float | None = None, maximum: float | None = None, ticks_until: float | None = None
) -> Option:
    axis: Option = {
        "type": "value",
        "name": name,
        "nameLocation": "middle",
        "nameGap": 26 if "x (" in name or "time" in name or name in ("user", "provider") else 40,
        "nameTextStyle": {"fontSize": 12},
        "axisLabel": {"fontSize": 11, "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": "#eeeeee"}},
    }
    if minimum is not None:
        axis["min"] = minimum
    if maximum is not None:
        axis["max"] = maximum
    if ticks_until is not None:
        axis["interval"] = ticks_until / 5
    return axis
