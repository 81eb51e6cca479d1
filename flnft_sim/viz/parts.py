"""A scene as the parts that a page is sent: plain JSON, small, and each sent again only when it has changed."""

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np

from flnft_sim.figures.palette import PHASE_COLOURS
from flnft_sim.results.phase import Phase
from flnft_sim.viz.charts import charts_of
from flnft_sim.viz.narrator import narrate
from flnft_sim.viz.scene import EVERY_DAO, Scene, density
from flnft_sim.viz.show import Show
from flnft_sim.viz.strip import PHASES

Parts = dict[str, Any]

ACTIVITIES = ("idle", "away", "receiving", *PHASES)
PALETTE = {"activities": ACTIVITIES, "colours": [PHASE_COLOURS[phase] for phase in Phase]}


def parts_of(scene: Scene, dao: str) -> Parts:
    """Everything that a scene alone tells, for a DAO or for all of them."""
    charts = {f"chart:{name}": chart for name, chart in charts_of(scene, dao).items()}
    return {
        "palette": PALETTE,
        "facts": facts_of(scene, dao),
        "story": narrate(scene, dao),
        "clock_s": round(scene.time_s, 4),
        "places": _places(scene),
        "acts": [ACTIVITIES.index(figure.activity) for figure in scene.figures],
        "rates": {str(n): round(f.rate_bps / 1e6, 2) for n, f in enumerate(scene.figures) if f.rate_bps is not None},
        "badges": {str(number): figure.badge for number, figure in enumerate(scene.figures) if figure.badge},
        "states": [[state, count] for state, count in scene.states(dao).most_common()],
        "density": [] if scene.crowd is None else density(scene.crowd.places_m, scene.area_m),
        "flows": _flows(scene),
        "books": [asdict(book) for book in scene.books],
        "market": any(book.state not in ("funded", "settled") for book in scene.books) or bool(scene.flows),
        "events": [[event.time_s, event.words] for event in reversed(scene.happenings)],
        "blocks": [[b.chain, b.height, f"{b.time_s:,.2f}", b.hash[:12], b.contents] for b in scene.blocks],
        **charts,
    }


def facts_of(scene: Scene, dao: str) -> list[list[str]]:
    """The line of figures at the top: id, label, value. Of several DAOs they are means, and say so."""
    providers = sum(figure.role == "provider" for figure in scene.figures)
    last = {row["dao"]: row for row in scene.rounds if dao in (EVERY_DAO, row["dao"])}
    facts = [
        ["clock", "time", f"{scene.time_s:,.2f} s"],
        ["state", "state", scene.state],
        ["who", "", f"{scene.users:,} users, {providers} providers"],
    ]
    if not last:
        return facts
    ages_s = [age for name, age in scene.mean_ages_s.items() if dao in (EVERY_DAO, name)]
    rounds = sorted({row["round"] for row in last.values()})
    whose = f"mean of {len(scene.daos)} DAOs" if dao == EVERY_DAO and len(scene.daos) > 1 else dao
    if len(scene.daos) > 1:
        facts.append(["whose", "figures of", whose])
    return [
        *facts,
        ["round", "round", f"{rounds[0]}" if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"],
        ["accuracy", "accuracy", f"{np.mean([row['accuracy'] for row in last.values()]):.1%}"],
        ["loss", "loss", f"{np.mean([row['loss'] for row in last.values()]):.3f}"],
        ["age", "mean age", f"{np.mean(ages_s):,.2f} s"],
    ]


def agent_of(scene: Scene, show: Show, selected: str) -> Parts:
    """The panel of one agent."""
    figure = scene.figure(selected) or scene.figures[0]
    facts = {"does": figure.activity} | ({"auction": figure.badge} if figure.badge else {}) | show.facts(figure.name)
    if figure.rate_bps is not None:
        facts["rate"] = f"{figure.rate_bps / 1e6:,.1f} Mbit/s"
    return {"name": figure.name, "role": figure.role, "facts": [*facts.items()]}


def _places(scene: Scene) -> Parts:
    far_m = max((figure.x_m for figure in scene.figures), default=0.0)
    return {
        "area": scene.area_m,
        "width": round(max(far_m + 0.14 * scene.area_m[0], scene.area_m[0]), 1),
        "figures": [[f.name, f.role, round(f.x_m, 1), round(f.y_m, 1)] for f in scene.figures],
    }


def _flows(scene: Scene) -> list[list[Any]]:
    """Money by who pays and who is paid, as places in the list of figures."""
    number = {figure.name: n for n, figure in enumerate(scene.figures)}
    sums: Counter[tuple[int, int]] = Counter()
    for flow in scene.flows:
        if flow.payer in number and flow.payee in number:
            sums[number[flow.payer], number[flow.payee]] += flow.money  # type: ignore[assignment]  # money, not counts
    return [[payer, payee, round(money, 2)] for (payer, payee), money in sums.items()]
