"""Beyond the paper: data that are not alike."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from flnft_sim.paper.scale import Scale
from flnft_sim.paper.schemes import COLOURS, GAME, LABELS, SENSITIVITY, shortened
from flnft_sim.paper.section import Picture, Section, Statement, Table, Verdict
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.paper.tables import shown
from flnft_sim.statistics import intervals
from flnft_sim.sweeps import SweepPlan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALPHAS = (0.1, 0.3, 1.0, 10.0)
SCHEMES = ("pms-am", "random")


def studies(scale: Scale) -> list[StudyPlan]:
    """Digits dealt by Dirichlet's distribution, trained for real: the surrogate knows no label skew."""
    fields = {
        "learning.partition.kind": "dirichlet",
        "learning.sensitivity": SENSITIVITY,
        **GAME,
        **shortened(scale),
    }
    plan = SweepPlan(
        name="dirichlet",
        description="Label skew: users' shards by Dirichlet's distribution",
        scenario="paper10",
        set=fields,
        grid={"learning.partition.alpha": list(ALPHAS), "learning.scheme": list(SCHEMES)},
        seeds=tuple(range(scale.small_seeds)),
        metrics=("accuracy", "user_utility", "local_epochs", "minting_time_s"),
    )
    return [StudyPlan(plan, 2.0 if scale.rounds < 100 else 8.0)]


def tell(done: Mapping[str, Study], scale: Scale) -> Section:
    """Accuracy against the Dirichlet parameter."""
    study = done["dirichlet"]
    table = intervals(study.runs, ["learning.scheme", "learning.partition.alpha"], ["accuracy", "user_utility"])
    mine = table[(table["learning.scheme"] == "pms-am") & (table["metric"] == "accuracy")]
    ends = mine.set_index("learning.partition.alpha")["mean"]
    return Section(
        title="Beyond the paper: data that are not alike",
        introduction=(
            "Handwritten digits, dealt to ten users so that each label is shared out by Dirichlet(α): at α = 10 all "
            f"users hold about the same, at α = 0.1 most hold one or two digits. {scale.rounds} rounds, trained for "
            "real."
        ),
        statements=(
            Statement(
                "Data are dealt equally",
                f"PMS-AM's accuracy falls from {ends[max(ALPHAS)]:.1%} at α = {max(ALPHAS):g} to "
                f"{ends[min(ALPHAS)]:.1%} at α = {min(ALPHAS):g}",
                Verdict.OURS,
                study.source(),
            ),
        ),
        pictures=(Picture("dirichlet", "Mean over seeds and its 95 % interval.", _skew_figure(table)),),
        tables=(Table("dirichlet", "Accuracy and users' utility by α.", table, _shown(table)),),
    )


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    return shown(table.replace({"learning.scheme": LABELS}), "learning.partition.alpha")


def _skew_figure(table: pd.DataFrame) -> "Figure":
    from flnft_sim.figures.style import finish, new_figure, percents

    figure, [axes] = new_figure()
    for place, scheme in enumerate(SCHEMES):
        own = table[(table["learning.scheme"] == scheme) & (table["metric"] == "accuracy")]
        half = (own["ci95_high"] - own["mean"]).fillna(0)
        alpha = own["learning.partition.alpha"] * 1.06**place  # side by side, so that bars can be told apart
        axes.errorbar(alpha, own["mean"], half, capsize=3, marker="o", color=COLOURS[scheme], label=LABELS[scheme])
    axes.set_xscale("log")
    axes.set_xticks(ALPHAS, [f"{alpha:g}" for alpha in ALPHAS])
    axes.minorticks_off()
    percents(axes)
    x = "Dirichlet α (smaller: less alike)"
    finish(axes, title="Accuracy by label skew", x=x, y="test accuracy", legend=True)
    return figure
