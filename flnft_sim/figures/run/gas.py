"""What the public chain's contracts took: gas by kind of transaction, by who sent it."""

import numpy as np
from matplotlib.figure import Figure

from flnft_sim.figures.palette import series_colour
from flnft_sim.figures.style import finish, legend_below, new_figure
from flnft_sim.results.gas import PARTIES, party_of
from flnft_sim.results.pictures import FIGURES
from flnft_sim.results.record import RunRecord
from flnft_sim.results.told import counted

_THOUSAND = 1e3


@FIGURES.register("gas")
def gas(result: RunRecord) -> Figure | None:
    """Gas of all messages to contracts as a bar a kind of transaction, its parts by party; none for a model of them."""
    messages = result.transactions[result.transactions["call"] != ""]
    if messages.empty:
        return None
    party = messages["sender"].map(party_of).rename("party")
    parts = messages.groupby(["kind", party])["gas_used"].sum().unstack(fill_value=0)
    parts = parts.loc[parts.sum(axis=1).sort_values().index, [each for each in PARTIES if each in parts.columns]]
    figure, [axes] = new_figure(width=7.5, height=1.6 + 0.3 * len(parts), left=1.2)
    left = np.zeros(len(parts))
    for name in parts.columns:
        kilo = parts[name].to_numpy() / _THOUSAND
        axes.barh(
            parts.index,
            kilo,
            left=left,
            color=series_colour(PARTIES.index(name)),
            label="DAO" if name == "dao" else name,
        )
        left += kilo
    for place, (kind, total) in enumerate(zip(parts.index, left, strict=True)):
        count = int((messages["kind"] == kind).sum())
        axes.annotate(f"{count:,} ×", (total, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_xlim(0, left.max() * 1.1)
    refused = int((messages["error"] != "").sum())
    note = f"{counted(len(messages), 'message')}, {messages['gas_used'].sum():,} gas"
    finish(
        axes,
        title="Gas that contracts took",
        x="thousand gas, all messages of a kind",
        y="",
        note=f"{note}; {refused:,} of them refused" if refused else note,
    )
    legend_below(figure, axes.containers, title="sent by")
    return figure
