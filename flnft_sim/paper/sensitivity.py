"""Beyond the paper: which parameter moves accuracy, utility and minting time."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from flnft_sim.paper.scale import FULL, Scale
from flnft_sim.paper.schemes import GAME, SENSITIVITY, SETTLING, shortened
from flnft_sim.paper.section import Picture, Section, Statement, Table, Verdict
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.paper.tables import in_percent, without_rounding
from flnft_sim.sweeps import FlnftSimulator, SweepPlan
from flnft_sim.sweeps.batch import SENSITIVITY as SENSITIVITY_TABLE
from flnft_sim.sweeps.tables import read_csv

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UPPER_BUDGET = "game.privacy_range.high"  # stands for the pair (1, high): a sample draws numbers, not pairs

RANGES: dict[str, Any] = {
    "game.sigma": [0.3, 0.7],
    "game.quality_elasticity": [0.2, 0.8],
    "game.budget_money": {"low": 250, "high": 4000, "scale": "log"},
    UPPER_BUDGET: [2.0, 10.0],
    "public_chain.block_interval_s": {"low": 1, "high": 60, "scale": "log"},
    "population.users": {"low": 5, "high": 40, "integer": True},
}
LABELS = {
    "game.sigma": "σ, fairness",
    "game.quality_elasticity": "e^Q, quality elasticity",
    "game.budget_money": "B, providers' budget (money)",
    UPPER_BUDGET: "largest ε",
    "public_chain.block_interval_s": "block interval (s)",
    "population.users": "number of users",
}
DECISION = "minting_decision_s"
METRICS = {
    "accuracy": "accuracy (points)",
    "user_utility": "user utility (no cash)",
    "minting_time_s": "minting time (s)",
    DECISION: "of it decisions (s)",
}


@dataclass(frozen=True)
class PrivacyRangeSimulator(FlnftSimulator):
    """The package's simulation, with `game.privacy_range.high` for the upper end of the range that begins at 1."""

    def resolve(self, scenario: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
        fields = dict(overrides)
        if UPPER_BUDGET in fields:
            fields["game.privacy_range"] = (1.0, fields.pop(UPPER_BUDGET))
        return super().resolve(scenario, fields)


def studies(scale: Scale) -> list[StudyPlan]:
    """Morris' design on the surrogate learner, and some of its points trained for real."""
    sample = {"method": "morris", "n": scale.trajectories, "ranges": RANGES, "seed": 1}
    fields = {
        "radio.placement": "random",  # the trace has ten points
        "learning.sensitivity": SENSITIVITY,
        **SETTLING,  # minting time would otherwise rank what keeps decisions from settling
        **GAME,
        **shortened(scale),
    }
    common: dict[str, Any] = {"scenario": "paper10", "metrics": tuple(METRICS), "seeds": (0,)}
    design = SweepPlan.model_validate(
        {"name": "sensitivity", "set": fields | {"learning.learner": "surrogate"}, "sample": sample, **common}
    )
    points = design.points()
    chosen = [points[number] for number in range(0, len(points), max(len(points) // (4 if scale is FULL else 2), 1))]
    spots = {field: [point[field] for point in chosen] for field in RANGES}
    plan = SweepPlan.model_validate({"name": "sensitivity-spots", "set": fields, "zip": spots, **common})
    seconds = scale.rounds / 20
    simulator = PrivacyRangeSimulator()
    return [StudyPlan(design, seconds, simulator), StudyPlan(plan, 3 * seconds, simulator)]


def tell(done: Mapping[str, Study], _scale: Scale) -> Section:
    """Mean absolute effects over the ranges, ranked; and how far off the surrogate is where it was checked."""
    study, spots = done["sensitivity"], done["sensitivity-spots"]
    effects = _effects(study.folder / SENSITIVITY_TABLE)
    checked = _checked(study.runs, spots.runs)
    in_points = in_percent(effects, ["mu", "mu_star", "mu_star_conf", "sigma"])
    strongest = []
    for metric, label in METRICS.items():
        own = in_points[in_points["metric"] == metric].sort_values("mu_star", ascending=False)
        first = own.iloc[0]
        strongest.append(f"{label}: {_as_text(first['mu_star'])} over the range of {LABELS[first['parameter']]}")
    worst = (checked["accuracy_surrogate"] - checked["accuracy_real"]).abs()
    return Section(
        title="Beyond the paper: what matters",
        introduction=(
            "Morris' elementary effects (SALib) on the surrogate learner: how much a metric changes when one parameter "
            "runs through its range, averaged over the ranges of the others (μ*), and how much that depends on the "
            "others (σ of the effects). A parameter that matters little here matters little anywhere in these ranges. "
            f"Decisions end when prices have settled: {_span(study.runs[DECISION])} s of the "
            f"{_span(study.runs['minting_time_s'])} s of a minting, so how many exchanges that takes is "
            "a large part of what moves minting time."
        ),
        statements=(
            Statement(
                "–",
                "largest mean effect on " + "; ".join(strongest),
                Verdict.OURS,
                study.source(f"{len(study.runs)} points"),
            ),
            Statement(
                "–",
                f"at {len(checked)} of the points, trained for real, accuracy is {worst.mean() * 100:.1f} points from "
                f"the surrogate's in the mean and {worst.max() * 100:.1f} at most",
                Verdict.OURS,
                spots.source(f"{len(checked)} points"),
            ),
        ),
        pictures=(Picture("sensitivity", "Mean absolute effect and its 95 % interval.", effects_figure(in_points)),),
        tables=(
            Table("sensitivity", "Elementary effects over the whole range of a parameter.", effects, _shown(in_points)),
            Table("sensitivity-spots", "Surrogate and real training at some points.", checked, _spots_shown(checked)),
        ),
    )


def effects_figure(effects: pd.DataFrame) -> "Figure":
    """A panel per metric, a bar per parameter."""
    from flnft_sim.figures.palette import BLUE
    from flnft_sim.figures.style import finish, new_figure

    figure, panels = new_figure(width=14, height=3.8, columns=len(METRICS), left=2.75, between=0.35)
    for axes, (metric, label) in zip(panels, METRICS.items(), strict=True):
        own = effects[effects["metric"] == metric].set_index("parameter").reindex(list(RANGES)[::-1])
        names = [LABELS[parameter] for parameter in own.index]
        axes.barh(names, own["mu_star"], xerr=own["mu_star_conf"], color=BLUE, capsize=2)
        axes.set_xlim(left=0)
        finish(axes, title=label, x="mean absolute effect μ*", y="")
        axes.tick_params(labelleft=axes is panels[0])
    return figure


def _span(values: pd.Series) -> str:
    return f"{values.min():,.0f} to {values.max():,.0f}"


def _effects(path: Path) -> pd.DataFrame:
    """Columns metric, parameter, mu, mu_star, mu_star_conf, sigma, of the metrics shown; constant metrics have none."""
    table = read_csv(path)
    table = table[table["metric"].isin(METRICS)].fillna(0.0).reset_index(drop=True)
    return without_rounding(table)


def _checked(design: pd.DataFrame, spots: pd.DataFrame) -> pd.DataFrame:
    """The points trained for real, beside the surrogate's answer at the same point."""
    both = spots.merge(design, on=list(RANGES), suffixes=("_real", "_surrogate"))
    both = both.drop_duplicates(subset=list(RANGES))
    return both[[*RANGES, *(f"{metric}_{side}" for metric in METRICS for side in ("surrogate", "real"))]]


def _shown(effects: pd.DataFrame) -> pd.DataFrame:
    columns = (effects["mu_star"], effects["mu_star_conf"], effects["sigma"])
    cells = ["{} ± {} (σ {})".format(*map(_as_text, row)) for row in zip(*columns, strict=True)]
    wide = effects.assign(cell=cells).pivot(index="parameter", columns="metric", values="cell")
    wide = wide.reindex(index=list(RANGES), columns=list(METRICS))
    return wide.rename(index=LABELS, columns=METRICS).reset_index(names="parameter (μ* ± 95 %, σ)")


def _as_text(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _spots_shown(checked: pd.DataFrame) -> pd.DataFrame:
    shown = {LABELS[field]: [_as_text(value) for value in checked[field]] for field in RANGES}
    pairs = zip(checked["accuracy_surrogate"], checked["accuracy_real"], strict=True)
    return pd.DataFrame(
        shown | {"accuracy, surrogate / real (%)": [f"{s * 100:.1f} / {r * 100:.1f}" for s, r in pairs]}
    )
