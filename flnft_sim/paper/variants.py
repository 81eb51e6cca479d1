"""Beyond the paper: data that are not alike, other clearing rules, other beliefs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from flnft_sim.paper.paired import with_interval
from flnft_sim.paper.scale import Scale
from flnft_sim.paper.schemes import COLOURS, GAME, LABELS, SENSITIVITY, shortened
from flnft_sim.paper.section import Picture, Section, Statement, Table, Verdict
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.sweeps import SweepPlan
from flnft_sim.sweeps.summary import statistics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALPHAS = (0.1, 0.3, 1.0, 10.0)
SCHEMES = ("pms-am", "random")
RULES = ("pms-am", "pms-am-literal", "mcafee", "vcg", "uniform", "first-price", "random")


def skew_studies(scale: Scale) -> list[StudyPlan]:
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
        scenario="roblox10",
        set=fields,
        grid={"learning.partition.alpha": list(ALPHAS), "learning.scheme": list(SCHEMES)},
        seeds=tuple(range(scale.small_seeds)),
        metrics=("accuracy", "user_utility", "local_epochs", "minting_time_s"),
    )
    return [StudyPlan(plan, 2.0 if scale.rounds < 100 else 8.0)]


def tell_skew(done: Mapping[str, Study], scale: Scale) -> Section:
    """Accuracy against the Dirichlet parameter."""
    study = done["dirichlet"]
    table = _averages(study.runs, ["learning.scheme", "learning.partition.alpha"], ["accuracy", "user_utility"])
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
        tables=(
            Table("dirichlet", "Accuracy and user utility by α.", table, _wide(table, "learning.partition.alpha")),
        ),
    )


def rule_studies(scale: Scale) -> list[StudyPlan]:
    """The market of many DAOs under each clearing rule."""
    daos = scale.market_daos
    plan = SweepPlan(
        name="rules",
        description="The clearing rules in markets of several sizes",
        scenario="market",
        set={"market.auctions": scale.market_auctions, "population.categories": 2, **_history(scale)},
        grid={"market.rule": list(RULES)},
        zip={
            "population.daos": list(daos),
            "population.users": [10 * count for count in daos],
            "population.providers": [5 * count for count in daos],
        },
        seeds=tuple(range(scale.market_seeds)),
        metrics=("licences_total", "price_money", "paid_total_money", "provider_utility", "reward_received_money"),
    )
    return [StudyPlan(plan, 1.5 * scale.market_auctions)]


def tell_rules(done: Mapping[str, Study], _scale: Scale) -> Section:
    """Licences sold and money taken, by rule and market size."""
    study = done["rules"]
    metrics = ["licences_total", "paid_total_money", "provider_utility"]
    table = _averages(study.runs, ["market.rule", "population.daos"], metrics)
    largest = table[table["population.daos"] == table["population.daos"].max()]
    revenue = largest[largest["metric"] == "paid_total_money"].set_index("market.rule")["mean"]
    licences = largest[largest["metric"] == "licences_total"].set_index("market.rule")["mean"]
    return Section(
        title="Beyond the paper: the clearing rule",
        introduction=(
            "The scenario `market` with two categories, and the same users and providers under each rule. Bids answer "
            "the game of Stage I, not the rule: what differs is who wins and pays. Whether truth pays under a rule is "
            "`flnft audit`'s question."
        ),
        statements=(
            Statement(
                "The proposed auction is used throughout",
                f"in the largest market {licences['pms-am']:.0f} licences are sold for {revenue['pms-am']:,.0f} money "
                f"in all under `pms-am`; most is paid under `{revenue.idxmax()}` ({revenue.max():,.0f}), least under "
                f"`{revenue.idxmin()}` ({revenue.min():,.0f})",
                Verdict.OURS,
                study.source(),
            ),
        ),
        tables=(
            Table("rules", "Licences sold, money paid, utility of a provider.", table, _wide(table, "population.daos")),
        ),
    )


def belief_studies(scale: Scale) -> list[StudyPlan]:
    """One category's market, every provider with the same kind of belief."""
    plan = SweepPlan(
        name="beliefs",
        description="The kinds of beliefs in the whole simulation",
        scenario="market-cyclic",
        set={
            "market.auctions": 10 * scale.market_auctions,
            "population.categories": 1,
            "population.daos": 2,
            "population.users": 20,
            "population.providers": 5,
            **_history(scale),
        },
        grid={"game.belief.kind": list(scale.belief_kinds)},
        seeds=tuple(range(scale.market_seeds)),
        metrics=("provider_utility", "provider_exploitability_money", "price_money", "licences_total", "user_utility"),
    )
    return [StudyPlan(plan, 4.0 * scale.market_auctions)]


def tell_beliefs(done: Mapping[str, Study], _scale: Scale) -> Section:
    """What providers earn and how exploitable their play is, by kind of belief."""
    study = done["beliefs"]
    metrics = ["provider_utility", "provider_exploitability_money", "licences_total"]
    table = _averages(study.runs, ["game.belief.kind"], metrics)
    means = table.pivot(index="game.belief.kind", columns="metric", values="mean")
    exploitable = means["provider_exploitability_money"]
    return Section(
        title="Beyond the paper: the kind of belief",
        introduction=(
            "One category of the scenario `market-cyclic`, five providers who all hold the same kind of belief, on the "
            "clock, auction after auction. `oracle` is told the others' bids. What beliefs are worth to a single "
            "provider among others is in the section on beliefs."
        ),
        statements=(
            Statement(
                "Providers predict their rivals with a hidden Markov model",
                f"the most a provider could gain by another bid is {exploitable['hmm']:.1f} money with `hmm`, "
                f"{exploitable['last']:.1f} with the last bid and {exploitable['oracle']:.1f} when told",
                Verdict.OURS,
                study.source(),
            ),
        ),
        tables=(Table("beliefs", "Means, 95 % interval.", table, _wide(table, None)),),
    )


def _history(scale: Scale) -> dict[str, Any]:
    return {"game.history_auctions": scale.history_auctions}


def _averages(runs: pd.DataFrame, groups: list[str], metrics: list[str]) -> pd.DataFrame:
    """Columns groups …, metric, n, mean, ci95_low, ci95_high."""
    rows = []
    for key, group in runs.groupby(groups, sort=False):
        for metric in metrics:
            n, mean, _, low, high = statistics(group[metric].dropna().astype(float).tolist())
            rows.append((*key, metric, n, mean, low, high))
    return pd.DataFrame(rows, columns=[*groups, "metric", "n", "mean", "ci95_low", "ci95_high"])


def _wide(table: pd.DataFrame, across: str | None) -> pd.DataFrame:
    """The table for a page: a row per first column (and metric), `mean ± half` in the cells."""
    ends = zip(table["mean"], table["ci95_high"], strict=True)
    cells = [with_interval(mean, high, ",.0f" if abs(mean) >= 100 else ".3g") for mean, high in ends]
    first = table.columns[0]
    table = table.assign(cell=cells)
    if across is None:
        wide = table.pivot(index=first, columns="metric", values="cell")
        return wide.reindex(list(dict.fromkeys(table[first])))[list(dict.fromkeys(table["metric"]))].reset_index()
    wide = table.pivot(index=[first, "metric"], columns=across, values="cell")
    wide = wide.reindex(list(dict.fromkeys(zip(table[first], table["metric"], strict=True))))
    return wide.rename(columns=lambda value: f"{across.rpartition('.')[2]} = {value}").reset_index()


def _skew_figure(table: pd.DataFrame) -> "Figure":
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for scheme in SCHEMES:
        own = table[(table["learning.scheme"] == scheme) & (table["metric"] == "accuracy")]
        half = (own["ci95_high"] - own["mean"]).fillna(0)
        alpha = own["learning.partition.alpha"]
        axes.errorbar(alpha, own["mean"], half, capsize=3, marker="o", color=COLOURS[scheme], label=LABELS[scheme])
    axes.set_xscale("log")
    axes.set_xticks(ALPHAS, [f"{alpha:g}" for alpha in ALPHAS])
    axes.minorticks_off()
    axes.set_xlabel("Dirichlet α (smaller: less alike)", fontsize=12)
    axes.set_ylabel("test accuracy", fontsize=12)
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=12)
    return figure
