"""Fig. 6: what a minting costs the users of the DAO and what it is worth to them, under four schemes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from flnft_sim.figures.palette import INK
from flnft_sim.game import compute_unit_cost
from flnft_sim.paper.paired import paired_difference, with_interval
from flnft_sim.paper.scale import Scale
from flnft_sim.paper.schemes import COLOURS, DECENTRALIZED, LABELS, TRAINS_AS, by_scheme, metric, schemes_study
from flnft_sim.paper.section import Picture, Section, Statement, Table, Verdict, judge
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.paper.table3 import committed_constants
from flnft_sim.scenario import load_scenario
from flnft_sim.statistics import intervals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTICED = 0.01  # announced rewards differ by less from round to round

MEASURES = {  # column → what it is
    "cost": "cost of a minting (money)",
    "user_utility": "utility (no cash)",
    "cash_surplus_money": "cash surplus (money)",
}


def studies(scale: Scale) -> list[StudyPlan]:
    return [schemes_study(scale)]


def tell(done: Mapping[str, Study], scale: Scale) -> Section:
    """Cost, utility and cash surplus per user of the four decentralized schemes on every workload."""
    study = done["schemes"]
    runs = by_scheme(study.runs)
    runs = runs[runs["scheme"].isin(DECENTRALIZED)].assign(cost=lambda table: table["cost_round_money"] * scale.rounds)
    table = averages(runs)
    return Section(
        title="Fig. 6: cost and utility of the MU-DAO",
        introduction=(
            "Mean over the ten users, for a whole minting. Utility is Φ of Eq. 14, which counts a reward δ as δ·(h(k) "
            "+ h(ε)); what is left in money is the cash surplus δ − cost, with the reward as announced."
        ),
        statements=(*_statements(study, runs), received(study.runs, study.source())),
        pictures=(Picture("fig6", "Mean over seeds; bars end at the 95 % interval.", averages_figure(table)),),
        tables=(Table("fig6", "Mean per user and minting, 95 % interval.", table, _shown(table)),),
        remarks=_why(runs),
    )


def averages(runs: pd.DataFrame) -> pd.DataFrame:
    """Columns workload, scheme, measure, n, mean, ci95_low, ci95_high."""
    return intervals(runs, ["workload", "scheme"], list(MEASURES)).rename(columns={"metric": "measure"})


def averages_figure(table: pd.DataFrame) -> "Figure":
    """A panel per measure; groups of bars by workload, a bar per scheme."""
    from flnft_sim.figures.style import NOTE, finish, legend_below, new_figure

    workloads = list(dict.fromkeys(table["workload"]))
    figure, panels = new_figure(width=12, height=4.4, columns=len(MEASURES), left=0.6)
    for axes, (measure, label) in zip(panels, MEASURES.items(), strict=True):
        for place, scheme in enumerate(DECENTRALIZED):
            chosen = table[(table["scheme"] == scheme) & (table["measure"] == measure)].set_index("workload")
            chosen = chosen.reindex(workloads)
            at = [group + (place - 1.5) * 0.2 for group in range(len(workloads))]
            error = (chosen["ci95_high"] - chosen["mean"]).fillna(0)
            axes.bar(at, chosen["mean"], 0.18, yerr=error, capsize=2, color=COLOURS[scheme], label=LABELS[scheme])
        axes.axhline(0, color=INK, linewidth=0.8)
        finish(axes, title=label, x="", y="")
        names = [name.replace("-", "\n") for name in workloads]
        axes.set_xticks(range(len(workloads)), names, fontsize=NOTE)
    legend_below(figure, panels[0].containers[1::2])
    return figure


def _statements(study: Study, runs: pd.DataFrame) -> list[Statement]:
    source = study.source()
    workloads = list(dict.fromkeys(runs["workload"]))
    trained = len(runs) - runs["scheme"].isin(TRAINS_AS).sum()
    lowest = runs["user_utility"].min()
    cash = runs["cash_surplus_money"]
    statements = [
        Statement(
            "The DAO's utility is never negative (individual rationality)",
            f"the lowest of {trained} runs is {lowest:.1f}; their cash surplus lies between {cash.min():.1f} and "
            f"{cash.max():.1f} money",
            judge([1 if lowest >= 0 else -1]),
            source,
        ),
        _by_definition(_compared("PMS-AM has the highest utility", runs, "user_utility", "pms-am", +1, source), runs),
        _compared("Random-FL has the lowest cost", runs, "cost", "random", -1, source),
    ]
    for paper, dearer, cheaper in (
        ("The CNN costs more than the MLP", "CNN-", "MLP-"),
        ("CIFAR-10 costs more than MNIST", "-CIFAR10", "-MNIST"),
    ):
        pairs = [(name, name.replace(dearer, cheaper)) for name in workloads if dearer in name]
        pairs = [(one, other) for one, other in pairs if other in workloads]
        if pairs:
            statements.append(_across(paper, runs, pairs, source))
    return statements


def _by_definition(statement: Statement, runs: pd.DataFrame) -> Statement:
    """The statement on the highest utility, with what makes it no finding."""
    announced = runs.groupby(["workload", "seed"])["reward_announced_money"].agg(["min", "max"])
    apart = (announced["max"] / announced["min"] - 1).max()
    why = (
        f". All schemes are announced the same reward δ (within {apart:.1%} for a seed), and PMS-AM's users choose k "
        "and ε so that Φ is highest at it: this follows from what the scheme is, and is no finding about training"
    )
    verdict = Verdict.BY_DEFINITION if statement.verdict is Verdict.AS_PRINTED else statement.verdict
    return replace(statement, ours=statement.ours + why, verdict=verdict)


def received(runs: pd.DataFrame, source: str) -> Statement:
    """How what settlement paid a user compares with what was announced; all schemes, each run once."""
    ratio = runs["reward_received_money"] / runs["reward_announced_money"] - 1
    more, less = ratio[ratio > NOTICED], ratio[ratio < -NOTICED]
    told = [f"a user receives more than was announced in {len(more)} of {len(ratio)} runs"]
    if len(more):
        told.append(
            f"by {more.min():.0%} to {more.max():.0%}, because bids rise with every clearing that sells nothing"
        )
    if len(less):
        most = runs.loc[less.index, "licences_total"].max()
        told.append(f"and less in {len(less)}, where at most {most:g} of the providers wins")
    return Statement("A user's reward is δ (Eq. 13)", ", ".join(told), Verdict.OURS, source)


def _compared(paper: str, runs: pd.DataFrame, measure: str, scheme: str, wanted: int, source: str) -> Statement:
    signs, told = [], []
    for workload in dict.fromkeys(runs["workload"].astype(str)):
        for other in DECENTRALIZED:
            if other != scheme:
                d = paired_difference(*(metric(runs, measure, workload, name) for name in (scheme, other)))
                if d.n == 0:  # while runs are missing, what there is
                    continue
                signs.append(wanted * d.sign)
                told.append((workload, f"{LABELS[other]} {d.mean:+.1f}{'' if d.sign else ' (not told apart)'}"))
    grouped = [f"{where}: " + ", ".join(text for w, text in told if w == where) for where in dict(told)]
    return Statement(paper, f"{LABELS[scheme]} minus the other: " + "; ".join(grouped), judge(signs), source)


def _across(paper: str, runs: pd.DataFrame, pairs: list[tuple[str, str]], source: str) -> Statement:
    signs, told = [], []
    for one, other in pairs:
        for scheme in DECENTRALIZED:
            d = paired_difference(metric(runs, "cost", one, scheme), metric(runs, "cost", other, scheme))
            if d.n == 0:
                continue
            signs.append(d.sign)
            told.append(f"{one} − {other}, {LABELS[scheme]}: {d.mean:+.2f}{'' if d.sign else ' (not told apart)'}")
    return Statement(paper, "; ".join(told), judge(signs), source)


def _why(runs: pd.DataFrame) -> tuple[str, ...]:
    """What the cost is made of, so that small differences between workloads explain themselves."""
    least, most = runs.groupby("workload")["cost_round_money"].mean().agg(["min", "max"])
    memory = compute_unit_cost(cycles_per_batch=0.0, cpu_hz=0.0)
    scenario = load_scenario("paper10")
    fastest_hz, batch = 1e9 * max(scenario.devices.cpu_ghz), scenario.learning.batch_size
    dearest = compute_unit_cost(cycles_per_batch=batch * max(committed_constants().values()), cpu_hz=fastest_hz)
    return (
        f"With Table 2's constants an epoch costs at most {dearest:.2f} units by Eq. 6 (the dearest workload by Table "
        f"3's calibration, {batch} samples a batch, {fastest_hz / 1e9:g} GHz), and {memory:.2f} of them are its "
        f"memory term, which knows no workload. So means over schemes lie between {least:.2f} and {most:.2f} money a "
        "round, and what differs between workloads is mostly the privacy cost β·ln(1 + ‖g̃‖)·ε, by the norm of the "
        "noised update.",
    )


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    cells = [with_interval(mean, high) for mean, high in zip(table["mean"], table["ci95_high"], strict=True)]
    pairs = zip(table["measure"], table["scheme"], strict=True)
    names = [f"{MEASURES[measure]}, {LABELS[scheme]}" for measure, scheme in pairs]
    wide = table.assign(cell=cells, row=names).pivot(index="row", columns="workload", values="cell")
    order = [f"{label}, {LABELS[scheme]}" for label in MEASURES.values() for scheme in DECENTRALIZED]
    wide = wide.reindex(index=order, columns=list(dict.fromkeys(table["workload"]))).fillna("–")
    return wide.reset_index(names="per user")
