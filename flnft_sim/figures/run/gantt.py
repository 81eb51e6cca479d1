"""What every agent of a DAO did in one round."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from flnft_sim.figures.run.series import natural
from flnft_sim.figures.style import finish, new_figure, phase_legend, phase_look
from flnft_sim.results.phase import Phase
from flnft_sim.results.pictures import FIGURES
from flnft_sim.results.record import RunRecord
from flnft_sim.results.told import counted

_SHOWN_AGENTS = 40
_SHORT = 0.5  # where the decision takes more of the round, what follows it is shown on a scale of its own


@FIGURES.register("gantt")
def gantt(result: RunRecord) -> Figure | None:
    """Spans of the first DAO's middle round, one row an agent, from the instant at which the round began.

    A strip above says where in the minting the round lies. Where most of the round is decision, a second strip has the
    whole round and the rows what comes after the decision.
    """
    numbered = result.spans.dropna(subset=["round"])
    numbered = numbered[numbered["dao"] != ""]
    if numbered.empty:
        return None
    mintings = natural(numbered["dao"].unique())
    own = numbered[numbered["dao"] == mintings[0]]
    numbers = np.sort(own["round"].unique())
    number = int(numbers[len(numbers) // 2])
    spans = own[own["round"] == number]
    begin_s, end_s = spans["start_s"].min(), spans["end_s"].max()
    spans = spans.assign(start_s=spans["start_s"] - begin_s, end_s=spans["end_s"] - begin_s)
    decided_s = spans.loc[spans["phase"] == "decision", "end_s"].max()
    agents, left_out = _agents(spans, mintings[0])
    spans = spans[spans["agent"].isin(agents)]
    lasting = spans.loc[spans["end_s"] > spans["start_s"], "phase"]
    shown = [phase for phase in Phase if (lasting == phase).any()]

    split = _SHORT * (end_s - begin_s) < decided_s < end_s - begin_s
    busy = spans.loc[(spans["end_s"] > spans["start_s"]) & (spans["end_s"] > decided_s), "agent"] if split else agents
    later = [agent for agent in agents if agent in set(busy)]
    rows = 0.6 + 0.28 * len(later)
    heights = (0.3, *((0.25 + 0.06 * len(agents), rows) if split else (rows,)))
    left = 0.35 + 0.09 * max(map(len, agents))
    height = 1.5 + sum(heights) + 1.3 * (len(heights) - 1)
    figure, (strip, *panels) = new_figure(height=height, heights=heights, left=max(left, 0.95))
    minted = result.spans[(result.spans["dao"] == mintings[0]) & (result.spans["phase"] == "minting")]
    _whole_minting(strip, own, minted, number)
    title = f"{mintings[0]}, round {number} of {int(numbers[-1])}"
    which = f"; one of {counted(len(mintings), 'minting')}" if len(mintings) > 1 else ""
    note = f"began at {begin_s:,.1f} s{which}{left_out}"
    _rows(panels[0], spans, agents, shown)
    panels[0].set_xlim(0, end_s - begin_s)
    after = "time since the round began (s)"
    if split:
        panels[0].set_yticks([])
        finish(panels[0], title=f"{title}: the whole of it", x=after, y="", note=note)
        _rows(panels[1], spans[spans["agent"].isin(later)], later, shown)
        panels[1].set_xlim(decided_s, end_s - begin_s)
        finish(panels[1], title=f"From {decided_s:,.1f} s, when the decision was made", x=after, y="")
    else:
        finish(panels[0], title=title, x=after, y="", note=note)
    phase_legend(figure, [phase for phase in Phase if phase in shown or (phase == "minting" and len(minted))])
    return figure


def _whole_minting(axes: Axes, rounds: pd.DataFrame, minted: pd.DataFrame, number: int) -> None:
    """All rounds as one grey band, the one shown below marked in it, and the mint transaction's way to finality."""
    bounds = rounds.groupby("round").agg(start_s=("start_s", "min"), end_s=("end_s", "max"))
    begin_s, end_s = bounds["start_s"].min(), bounds["end_s"].max()
    axes.barh(0, end_s - begin_s, left=begin_s, height=0.8, color="#d9d9d9")
    shown = bounds.loc[number]
    axes.barh(0, shown["end_s"] - shown["start_s"], left=shown["start_s"], height=0.8, color="black")
    for start_s, final_s in zip(minted["start_s"], minted["end_s"], strict=True):
        axes.barh(0, final_s - start_s, left=start_s, height=0.8, **phase_look("minting"))
    axes.set_xlim(begin_s, max(end_s, minted["end_s"].max() if len(minted) else end_s))
    axes.set_yticks([])
    note = f"{counted(len(bounds), 'round')}; black: the one below"
    finish(axes, title="The minting it belongs to", x="simulated time (s)", y="", note=note)


def _agents(spans: pd.DataFrame, dao: str) -> tuple[list[str], str]:
    """Who has a row, in order, and how many have none: of a crowd those spread from the first done to the last."""
    names = natural(spans["agent"].unique())
    names.sort(key=lambda name: not dao.startswith(name))  # the DAO itself comes first
    if len(names) <= _SHOWN_AGENTS:
        return names, ""
    working = spans[spans["phase"] != Phase.WAITING]
    order = working.groupby("agent")["end_s"].max().drop(names[0]).sort_values(kind="stable").index
    places = np.linspace(0, len(order) - 1, _SHOWN_AGENTS - 1).round().astype(int)
    shown = [names[0], *order[places]]
    return shown, f"; {len(shown)} of {len(names):,} agents, from the first done to the last"


def _rows(axes: Axes, spans: pd.DataFrame, agents: list[str], shown: Sequence[str]) -> None:
    """A row an agent, one collection of bars a phase."""
    places = {agent: place for place, agent in enumerate(agents)}
    for phase in shown:
        part = spans[(spans["phase"] == phase) & (spans["end_s"] > spans["start_s"])]
        row = part["agent"].map(places).to_numpy(dtype=float)
        start, end = part["start_s"].to_numpy(), part["end_s"].to_numpy()
        corners = ((start, row - 0.4), (end, row - 0.4), (end, row + 0.4), (start, row + 0.4))
        boxes = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)
        axes.add_collection(PolyCollection(list(boxes), **phase_look(phase), label=phase))
    axes.set_yticks(range(len(agents)), agents)
    axes.set_ylim(len(agents) - 0.4, -0.6)
