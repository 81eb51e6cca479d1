"""Beyond the paper: the paper's mechanism and `sound`, side by side on the same users, providers and data."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from flnft_sim.paper.paired import paired_difference, with_interval
from flnft_sim.paper.scale import Scale, workload_name
from flnft_sim.paper.section import Picture, Section, Statement, Table, Verdict
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.statistics import intervals
from flnft_sim.sweeps import SweepPlan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER, SOUND = "paper", "sound"
USERS = 10
CHANCE = 0.1  # accuracy of guessing one of ten labels
SOUND10_COST, SOUND10_ROUNDS = 0.0288, 100  # of scenario `sound10`: fewer rounds cost as much in all

#: What is compared: a column of the runs, what it is called, and how it is written.
FIGURES = {
    "accuracy_percent": ("test accuracy (%)", ".1f"),
    "minting_time_s": ("minting time (s)", ",.1f"),
    "local_epochs": ("epochs a round of a user", ".1f"),
    "users_gain_total_money": ("cash of all users: received − cost", ",.0f"),
    "dao_receipts_total_money": ("the DAO receives", ",.0f"),
    "users_cost_total_money": ("its members' work costs", ",.0f"),
    "delivered": ("δ, the part of the promise delivered", ".2f"),
    "forgone_by_winners_money": ("forgone by a winner (mean)", ",.1f"),
    "forgone_by_losers_money": ("forgone by a loser (mean)", ",.1f"),
    "providers_gain_total_money": ("cash of all providers: worth − paid", ",.0f"),
    "licences_total": ("licences sold", ".1f"),
    "paid_total_money": ("paid in all", ",.0f"),
    "money_per_point": ("paid per point of accuracy above chance", ",.2f"),
}
#: The same of what buyers in advance risk.
RISKS = {
    "delivered": ("δ delivered", ".2f"),
    "refunded_total_money": ("paid back (money)", ",.0f"),
    "providers_gain_total_money": ("providers' cash: worth − paid", ",.0f"),
    "users_gain_total_money": ("users' cash: received − cost", ",.0f"),
    "accuracy": ("test accuracy", ".3f"),
}
METRICS = (
    "accuracy",
    "minting_time_s",
    "local_epochs",
    "users_gain_total_money",
    "users_cost_total_money",
    "dao_receipts_total_money",
    "providers_gain_total_money",
    "delivered",
    "forgone_by_winners_money",
    "forgone_by_losers_money",
    "licences_total",
    "paid_total_money",
)


def studies(scale: Scale) -> list[StudyPlan]:
    """Both mechanisms on real data; and `sound` where members drop out after buyers have paid."""
    rounds = scale.mechanism_rounds
    fields = {
        "learning.rounds": rounds,
        "game.cost_price": SOUND10_COST * SOUND10_ROUNDS / rounds,
        "game.history_auctions": scale.history_auctions,
    }
    on_images = SweepPlan(
        name="mechanisms",
        description="The paper's mechanism and `sound` with the same users, providers and data",
        scenario="sound10",
        # Devices as fast as the model asks for, by its operations, and a band for its size.
        set=fields
        | {
            "devices.cycles_per_sample": None,
            "radio.bandwidth_mhz": 20.0,
            "learning.partition.kind": "sizes",
            "learning.partition.sizes": [scale.mechanism_images] * USERS,
        },
        grid={"market.mechanism": [PAPER, SOUND]},
        zip={
            "learning.dataset": [dataset for dataset, _ in scale.mechanism_workloads],
            "learning.model": [model for _, model in scale.mechanism_workloads],
        },
        seeds=tuple(range(scale.seeds)),
        metrics=METRICS,
    )
    dropping_out = SweepPlan(
        name="presale-risk",
        description="A promise that is paid for in advance, by members who may drop out of every round",
        scenario="sound10",
        set=fields,
        grid={"failures.dropout_rate": list(scale.dropout_rates)},
        seeds=tuple(range(scale.small_seeds)),
        metrics=(
            "delivered",
            "refunded_total_money",
            "providers_gain_total_money",
            "users_gain_total_money",
            "accuracy",
        ),
    )
    return [StudyPlan(on_images, 4.0 if rounds < SOUND10_ROUNDS // 10 else 90.0), StudyPlan(dropping_out, 3.0)]


def tell(done: Mapping[str, Study], scale: Scale) -> Section:
    """Every party's money under both, and what `sound` costs."""
    study, risk = done["mechanisms"], done["presale-risk"]
    runs = _with_ratios(study.runs)
    table = intervals(runs, ["workload", "market.mechanism"], list(FIGURES))
    risks = intervals(risk.runs, ["failures.dropout_rate"], list(risk.plan.metrics))
    return Section(
        title="Beyond the paper: a mechanism that holds as a whole",
        introduction=(
            f"The users, providers and costs of `sound10`, {scale.mechanism_rounds} rounds trained for real on "
            f"{scale.mechanism_images:,} images a user under each mechanism. "
            "`paper` trains first and sells licences after: Stage I prices are sealed as bids, asks are per licence. "
            "`sound` sells a promise first, shares its total cost among those who value it "
            "(`cost-sharing`), lets members compete for the pot, and releases it by what was delivered. All money is "
            "cash. A licence is worth V_j under `paper`, which knows no other value, and under `sound` what its buyer "
            "values the delivered model at, up to 2V_j: providers' rows tell of each mechanism by its own measure."
        ),
        statements=tuple(
            Statement(
                "Individual rationality (abstract, §1)",
                _sentence(runs[runs["workload"] == workload], workload),
                Verdict.OURS,
                study.source(workload),
            )
            for workload in dict.fromkeys(runs["workload"])
        ),
        pictures=(Picture("mechanisms", "Mean over seeds and its 95 % interval.", _cash_figure(table)),),
        tables=(
            Table("mechanisms", "Both mechanisms: mean, 95 % interval.", table, _shown(table)),
            Table(
                "presale-risk",
                "What buyers in advance risk: members of `sound10` (digits) drop out of a round with this "
                "probability, unforeseen. δ is the part of the promise that was delivered.",
                risks,
                _shown_risks(risks),
            ),
        ),
        remarks=(
            "A promise is of quality and of freshness, and freshness is told by the mint's public block: where that "
            "block is long in coming the promise is missed through nobody's fault, almost nothing is released, and "
            "users have worked for it. Cash is above 0 on average and where the promise is kept, not in every run.",
            _what_it_costs(risks),
        ),
    )


def _with_ratios(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with their workload and the figures that are made of two."""
    workload = [workload_name(*pair) for pair in zip(runs["learning.dataset"], runs["learning.model"], strict=True)]
    points = 100 * (runs["accuracy"] - CHANCE)
    return runs.assign(
        workload=workload,
        accuracy_percent=100 * runs["accuracy"],
        money_per_point=runs["paid_total_money"] / points.where(points > 0),
    )


def _of(runs: pd.DataFrame, mechanism: str, column: str) -> pd.Series:
    return runs[runs["market.mechanism"] == mechanism].set_index("seed")[column].astype(float)


def _sentence(runs: pd.DataFrame, workload: str) -> str:
    cash = {each: _of(runs, each, "users_gain_total_money") for each in (PAPER, SOUND)}
    apart = paired_difference(_of(runs, SOUND, "accuracy_percent"), _of(runs, PAPER, "accuracy_percent"))
    losers = _of(runs, PAPER, "forgone_by_losers_money").mean()
    losing = f", and a loser forgoes {losers:,.0f} on average" if losers > 0 else ""
    sound = runs[runs["market.mechanism"] == SOUND]
    missed = sound[sound["delivered"] < 1]
    short = f", where {missed['delivered'].min():.0%} of the promise was delivered" if len(missed) else ""
    return (
        f"{workload}: users are left {cash[PAPER].mean():+,.0f} money under `paper` (worst seed "
        f"{cash[PAPER].min():+,.0f}){losing}; {cash[SOUND].mean():+,.0f} under `sound` (worst seed "
        f"{cash[SOUND].min():+,.0f}{short}). Accuracy under `sound` less that under `paper`: "
        f"{apart.text(unit=' points')}"
    )


def _what_it_costs(risks: pd.DataFrame) -> str:
    """The price of soundness, in this page's own figures."""
    wide = risks.pivot(index="failures.dropout_rate", columns="metric", values="mean")
    worst, gain = wide.index.max(), wide["providers_gain_total_money"]
    return (
        "What `sound` costs: with one DAO nothing but a reserve sets the target, and a reserve learned from what "
        "others asked shuts out the DAO or the buyers in about half of the markets (the rules' table above); members "
        "work as much as the pot makes worthwhile and no more; and buyers pay before there is a model. Where members "
        f"drop out of a round with probability {worst:g}, unforeseen, {wide.loc[worst, 'delivered']:.0%} of the "
        f"promise is delivered on average, {wide.loc[worst, 'refunded_total_money']:,.0f} money flow back, and what "
        f"buyers gain goes from {gain.loc[0.0]:,.0f} to {gain.loc[worst]:,.0f}."
    )


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """A row a figure, a column a workload and mechanism."""
    cells = {
        (row["metric"], f"{row['workload']}, {row['market.mechanism']}"): _cell(row, FIGURES[row["metric"]][1])
        for row in table.to_dict("records")
    }
    columns = list(dict.fromkeys(column for _, column in cells))
    rows = [{"figure": name} | {c: cells[metric, c] for c in columns} for metric, (name, _) in FIGURES.items()]
    return pd.DataFrame(rows)


def _shown_risks(table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for rate, own in table.groupby("failures.dropout_rate", sort=True):
        of = {row["metric"]: row for row in own.to_dict("records")}
        cells = {name: _cell(of[metric], form) for metric, (name, form) in RISKS.items()}
        rows.append({"drop-out": f"{rate:g}"} | cells)
    return pd.DataFrame(rows)


def _cell(row: Mapping[Any, Any], form: str) -> str:
    """`mean ± half`, or a dash where no run tells it."""
    return "–" if pd.isna(row["mean"]) else with_interval(row["mean"], row["ci95_high"], form)


def _cash_figure(table: pd.DataFrame) -> "Figure":
    """Who has how much more money under which mechanism, a panel a workload."""
    from flnft_sim.figures.palette import BLUE, ORANGE
    from flnft_sim.figures.style import finish, new_figure

    parties = {"users_gain_total_money": "users", "providers_gain_total_money": "providers"}
    workloads = list(dict.fromkeys(table["workload"]))
    figure, panels = new_figure(columns=len(workloads))
    for panel, workload in zip(panels, workloads, strict=True):
        for place, (mechanism, colour) in enumerate(((PAPER, ORANGE), (SOUND, BLUE))):
            of = table[(table["workload"] == workload) & (table["market.mechanism"] == mechanism)].set_index("metric")
            mean = of.loc[list(parties), "mean"]
            half = (of.loc[list(parties), "ci95_high"] - mean).fillna(0)
            at = [party + 0.36 * (place - 0.5) for party in range(len(parties))]
            panel.bar(at, mean, width=0.34, color=colour, label=mechanism, yerr=half, capsize=3)
        panel.axhline(0, color="black", linewidth=0.8)
        panel.set_xticks(range(len(parties)), list(parties.values()))
        finish(panel, title=workload, x="", y="cash in the end (money)", legend=True)
    return figure
