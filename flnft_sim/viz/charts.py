"""The page's charts as plain data: what to draw and in which of the theme's colours; the browser draws it."""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.results.phase import Phase
from flnft_sim.viz.scene import EVERY_DAO, Scene

Chart = dict[str, Any]
"""`title`, `note`, axes `x` and `y`, `empty` (what will come, while nothing is there), and lines, bars or a stack."""


def charts_of(scene: Scene, dao: str = EVERY_DAO) -> dict[str, Chart]:
    """All charts for a DAO, or for all of them, by name."""
    return {
        "accuracy": accuracy(scene, dao),
        "loss": loss(scene, dao),
        "phases": phases(scene, dao),
        "ages": ages(scene, dao),
        "utility": utility(scene, dao),
        "surplus": surplus(scene, dao),
        "bids": bids(scene),
    }


def accuracy(scene: Scene, dao: str) -> Chart:
    """Test accuracy in per cent, one line an episode."""
    lines = _of_rounds(scene, dao, "accuracy", 100.0)
    return _lines("Accuracy", lines, _whose(scene, dao), y="%", empty="Accuracy on test data, after each round.")


def loss(scene: Scene, dao: str) -> Chart:
    """Test loss, one line an episode."""
    return _lines("Loss", _of_rounds(scene, dao, "loss"), _whose(scene, dao), y="nat", empty="Loss, after each round.")


def utility(scene: Scene, dao: str) -> Chart:
    """Users' utility, which is no money."""
    series = [(mean.dao, mean.episode, mean.round, mean.time_s, mean.utility) for mean in scene.user_means]
    empty = "Mean utility of the users who took part, after each round; it is no money."
    return _lines("Utility of users", _curves(series, dao), _whose(scene, dao), y="no money", empty=empty)


def surplus(scene: Scene, dao: str) -> Chart:
    """Users' cash surplus in money."""
    series = [(mean.dao, mean.episode, mean.round, mean.time_s, mean.cash_surplus_money) for mean in scene.user_means]
    empty = "Announced reward less costs, mean of the users who took part, after each round."
    return _lines("Cash surplus of users", _curves(series, dao), _whose(scene, dao), y="money", empty=empty)


def ages(scene: Scene, dao: str) -> Chart:
    """Age of every user's last update when it was final, T_i: a bar a user, or how many users have which age."""
    own = {
        u: age for u, age in scene.user_ages_s.items() if dao in (EVERY_DAO, scene.members.get(u)) or not scene.members
    }
    chart: Chart = {
        "title": "Age of information by user",
        "note": f"all {len(scene.daos)} DAOs" if dao == EVERY_DAO and len(scene.daos) > 1 else dao,
        "empty": "How old each user's update was when it was final, in its last round.",
    }
    known = {user: age for user, age in own.items() if math.isfinite(age)}
    if len(known) <= 40:
        bars = [[user.removeprefix("user-"), [_short(age)]] for user, age in known.items()]
        return chart | {"kind": "bars", "x": "user", "y": "s", "names": ["age"], "colours": [0], "bars": bars}
    counts, edges = np.histogram(list(known.values()), bins=20)
    bars = [[f"{edge:,.3g}", [int(count)]] for edge, count in zip(edges, counts, strict=False)]
    return chart | {"kind": "bars", "x": "age from (s)", "y": "users", "names": ["users"], "colours": [0], "bars": bars}


def bids(scene: Scene) -> Chart:
    """What each provider bid, and its rivals together: as it believed, and really."""
    bars = [
        [
            belief.provider.removeprefix("provider-"),
            [_short(belief.bid_money), _short(belief.predicted_rivals_money), _short(belief.rivals_money)],
        ]
        for belief in scene.beliefs
    ]
    return {
        "kind": "bars",
        "title": "Bids and beliefs",
        "note": f"{len(scene.books)} auctions" if len(scene.books) > 1 else "",
        "x": "provider",
        "y": "money",
        "names": ["own bid", "rivals, believed", "rivals, real"],
        "colours": [0, 1, 2],
        "bars": bars,
        "empty": "What each provider bid, and what it believed its rivals to bid, once bids are open.",
    }


def phases(scene: Scene, dao: str) -> Chart:
    """Minting time by phase, of the present minting: a stack of seconds along the critical path."""
    daos = [name for name in scene.daos if dao in (EVERY_DAO, name) and scene.phases_s.get(name)]
    totals: dict[str, float] = defaultdict(float)
    for name in daos:
        for phase, seconds in scene.phases_s[name].items():
            totals[phase] += seconds / len(daos)
    stack = [[phase.value, round(totals[phase], 6)] for phase in Phase if totals.get(phase)]
    return {
        "kind": "stack",
        "title": "Minting time by phase",
        "note": _whose(scene, dao, band=False),
        "x": "s along the critical path",
        "stack": stack,
        "empty": "Where the minting time goes, after each round.",
    }


# ---- parts -----------------------------------------------------------------------------------------------------------


def _whose(scene: Scene, dao: str, *, band: bool = True) -> str:
    """Of which DAO a picture tells; "" where there is one only."""
    if len(scene.daos) < 2:
        return ""
    if dao == EVERY_DAO:
        return f"mean of {len(scene.daos)} DAOs{', band: least to most' if band else ''}"
    return dao


def _lines(title: str, lines: list[Chart], note: str, *, y: str, empty: str) -> Chart:
    return {"kind": "lines", "title": title, "note": note, "x": "s", "y": y, "lines": lines, "empty": empty}


def _of_rounds(scene: Scene, dao: str, column: str, factor: float = 1.0) -> list[Chart]:
    series = [(r["dao"], r.get("episode", 0), r["round"], r["end_s"], factor * r[column]) for r in scene.rounds]
    return _curves(series, dao)


def _curves(series: Iterable[tuple[str, int, int, float, float]], dao: str) -> list[Chart]:
    """One line an episode, through its rounds: of the DAO, or the mean of all with the band from least to most.

    series: DAO, episode, round, seconds and value of each. A mean stands at the mean time at which its round ended.
    """
    episodes: dict[int, dict[int, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for name, episode, number, time_s, value in series:
        if dao in (EVERY_DAO, name) and math.isfinite(value):
            episodes[episode][number].append((time_s, value))
    return [_curve([np.array(points) for points in rounds.values()]) for rounds in episodes.values()]


def _curve(rounds: list[Floats]) -> Chart:
    """rounds: one array a round, (DAOs, 2) seconds and values."""
    points = [[*map(_short, points.mean(axis=0).tolist())] for points in rounds]
    if all(len(points) == 1 for points in rounds):
        return {"points": points, "band": []}
    limits = ((points[:, 0].mean(), points[:, 1].min(), points[:, 1].max()) for points in rounds)
    return {"points": points, "band": [[*map(_short, map(float, limit))] for limit in limits]}


def _short(value: float) -> float | None:
    """A number as JSON has it: short, and null for what is not finite."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
