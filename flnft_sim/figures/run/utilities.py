"""What the users of a run expect of it, round by round: utility, which is no cash, and cash."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flnft_sim.figures.palette import BLUE, GREEN, ORANGE, PURPLE
from flnft_sim.figures.style import finish, legend_below, new_figure, whole_numbers
from flnft_sim.results.pictures import FIGURES
from flnft_sim.results.record import RunRecord
from flnft_sim.results.told import counted

_APART = 0.12  # rounds between the bars of a run of few rounds
_FEW = 4


@FIGURES.register("utilities")
def utilities(result: RunRecord) -> Figure | None:
    """Users' utility (Eq. 14), reward, cost and cash surplus of a whole minting, as each round's decision has them.

    Lines are means over the users that take part, of all DAOs and mintings; bands (bars, where rounds are few) reach
    from the lowest to the highest.
    """
    users = result.users[result.users["takes_part"].fillna(False).astype(bool)]
    if users.empty:
        return None
    figure, [above, below] = new_figure(height=7, heights=(1, 1), left=1.1)
    daos = users["dao"].nunique()
    note = f"{counted(users[['dao', 'user']].drop_duplicates().shape[0], 'user')} of {counted(daos, 'DAO')}"
    note += f", {counted(users['round'].nunique(), 'round')}; mean, lowest to highest"
    _range(above, users, "user_utility", "utility Φ", BLUE)
    finish(above, title="Users' utility", x="", y="utility (no cash)", note=note)
    users = users.assign(minting_cost_money=users["reward_announced_money"] - users["cash_surplus_money"])
    lines = (
        ("minting_cost_money", "cost", ORANGE, "s--"),
        ("reward_announced_money", "announced reward", GREEN, "o-"),
        ("cash_surplus_money", "surplus (reward − cost)", PURPLE, "^:"),
    )
    for place, (column, label, colour, style) in enumerate(lines):
        _range(below, users, column, label, colour, style, shift=_APART * (place - 1))
    below.axhline(0, color="black", linewidth=0.8)
    finish(below, title="Users' money for a whole minting", x="FL round", y="money")
    legend_below(figure, below.get_lines()[:3])
    return figure


def _range(
    axes: Axes, users: pd.DataFrame, column: str, label: str, colour: str, style: str = "o-", *, shift: float = 0.0
) -> None:
    by_round = users.groupby("round")[column].agg(["mean", "min", "max"])
    numbers = by_round.index.to_numpy(dtype=float)
    few = len(numbers) <= _FEW
    if few:
        numbers = numbers + shift
        axes.vlines(numbers, by_round["min"], by_round["max"], color=colour, alpha=0.35, linewidth=7)
    else:
        axes.fill_between(numbers, by_round["min"], by_round["max"], color=colour, alpha=0.2, linewidth=0)
    axes.plot(numbers, by_round["mean"], style if few else style[1:], color=colour, linewidth=2.4, label=label)
    axes.margins(x=0.02)
    _ticks(axes, by_round.index.to_numpy(dtype=int), few)


def _ticks(axes: Axes, numbers: np.ndarray, few: bool) -> None:
    if few:
        axes.set_xticks(numbers)
        axes.set_xlim(numbers[0] - 0.5, numbers[-1] + 0.5)
    else:
        whole_numbers(axes)
