"""Fig. 5: test accuracy by round under five training schemes, with what "higher" is worth."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import pandas as pd

from flnft_sim.paper.paired import Difference, paired_difference, with_interval
from flnft_sim.paper.scale import Scale
from flnft_sim.paper.schemes import (
    COLOURS,
    DECENTRALIZED,
    LABELS,
    SENSITIVITY,
    TRAINS_AS,
    by_scheme,
    metric,
    schemes_study,
)
from flnft_sim.paper.section import Picture, Section, Statement, Table, judge
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.statistics import intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FALLEN = 0.02  # a curve that ends this far below its best round has overfitted

BAND_FROM = 3  # seeds: with two, Student's interval is 12.7 standard errors wide and hides the curves

DASHES = {"gradient-norm": (0, (4, 3))}  # drawn over loss-based, which it may equal


def studies(scale: Scale) -> list[StudyPlan]:
    return [schemes_study(scale)]


def tell(done: Mapping[str, Study], scale: Scale) -> Section:
    """Curves, final accuracies, and paired differences between schemes."""
    study = done["schemes"]
    runs, rounds = by_scheme(study.runs), by_scheme(study.rounds)
    curves, final = accuracy_curves(rounds), final_accuracy(runs, rounds)
    workloads = list(dict.fromkeys(runs["workload"]))
    differences = final_differences(runs, workloads)
    remarks = [
        f"Laplace noise has Δf = {SENSITIVITY} for all workloads and schemes; the paper gives no value. Without "
        "clipping it guarantees nothing (see the privacy table).",
        "Intervals are Student's 95 % over seeds; differences are paired by seed. They are not corrected for the "
        "number of comparisons.",
    ]
    for scheme in TRAINS_AS:
        remarks.append(
            f"{LABELS[scheme]} and {LABELS[TRAINS_AS[scheme]]} choose all users when the round's share is 1, as here "
            "and as the paper's own Table 3 suggests (5/3 of Random-FL's time): their runs agree bit for bit, and one "
            "stands for both."
        )
    remarks += past_the_best(final)
    return Section(
        title="Fig. 5: accuracy by round",
        introduction=(
            f"Ten users with equal shares of the training data, {scale.rounds} rounds, every user trained for real; "
            f"test accuracy after each round."
        ),
        statements=tuple(_statements(study, runs, workloads)),
        pictures=(Picture("fig5", _caption(curves), accuracy_figure(curves)),),
        tables=(
            Table(
                "fig5-final", "Test accuracy after the last round, and in the best round.", final, _final_shown(final)
            ),
            Table(
                "fig5-differences",
                "Differences between schemes after the last round (percentage points, 95 % interval).",
                differences,
                _differences_shown(differences),
            ),
            Table("fig5-curves", "Accuracy by round: mean and 95 % band.", curves, curves.iloc[0:0]),
        ),
        remarks=tuple(remarks),
    )


def accuracy_curves(rounds: pd.DataFrame) -> pd.DataFrame:
    """Columns workload, scheme, round, n, accuracy, ci95_low, ci95_high."""
    return _accuracy(rounds, ["workload", "scheme", "round"])


def final_accuracy(runs: pd.DataFrame, rounds: pd.DataFrame) -> pd.DataFrame:
    """Columns workload, scheme, n, accuracy, ci95_low, ci95_high, local_epochs, best_accuracy, best_round.

    The last two are of the mean curve: where training goes on too long, its best round is not its last.
    """
    by = ["workload", "scheme"]
    curves = rounds.groupby([*by, "round"], sort=False)["accuracy"].mean().rename("best_accuracy").reset_index()
    bests = curves.loc[curves.groupby(by)["best_accuracy"].idxmax()].rename(columns={"round": "best_round"})
    epochs = runs.groupby(by, sort=False)["local_epochs"].mean().reset_index()
    best = [*by, "best_accuracy", "best_round"]
    return _accuracy(runs, by).merge(epochs, on=by).merge(bests[best], on=by)


def _accuracy(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Columns by …, n, accuracy, ci95_low, ci95_high."""
    return intervals(table, by, ["accuracy"]).drop(columns="metric").rename(columns={"mean": "accuracy"})


def final_differences(runs: pd.DataFrame, workloads: list[str]) -> pd.DataFrame:
    """A row per workload and pair of schemes: the first's accuracy minus the second's."""
    rows = []
    for workload in workloads:
        for one, other in combinations(LABELS, 2):
            d = paired_difference(*(metric(runs, "accuracy", workload, scheme) for scheme in (one, other)))
            rows.append((workload, one, other, d.n, d.mean, d.low, d.high, d.p))
    columns = ["workload", "scheme", "against", "n", "difference", "ci95_low", "ci95_high", "p"]
    return pd.DataFrame(rows, columns=columns)


def accuracy_figure(curves: pd.DataFrame) -> "Figure":
    """A panel per workload, a line per scheme, with its band from `BAND_FROM` seeds on."""
    from flnft_sim.figures.style import finish, legend_below, new_figure, percents

    workloads = list(dict.fromkeys(curves["workload"]))
    columns = min(2, len(workloads))
    rows = -(-len(workloads) // columns)
    figure, panels = new_figure(width=10, height=0.4 + 3.6 * rows, heights=(1,) * rows, columns=columns)
    for letter, axes, workload in zip("abcdefgh", panels, workloads, strict=False):
        own = curves[curves["workload"] == workload]
        for scheme in LABELS:
            _draw_curve(axes, own[own["scheme"] == scheme], scheme)
        shown = own[own["round"] > 2]["accuracy"]
        axes.set_ylim(shown.min() - 0.02, min(shown.max() + 0.02, 1.0))  # the first rounds rise from chance
        percents(axes)
        finish(axes, title=f"({letter}) {workload}", x="FL round", y="test accuracy")
    for axes in panels[len(workloads) :]:
        axes.remove()
    legend_below(figure, panels[0].get_lines())
    return figure


def _draw_curve(axes: "Axes", line: pd.DataFrame, scheme: str) -> None:
    colour, style = COLOURS[scheme], DASHES.get(scheme, "-")
    axes.plot(line["round"], line["accuracy"], color=colour, linestyle=style, label=LABELS[scheme])
    sure = line[line["n"] >= BAND_FROM]
    axes.fill_between(sure["round"], sure["ci95_low"], sure["ci95_high"], color=colour, alpha=0.2, lw=0)


def _caption(curves: pd.DataFrame) -> str:
    few = list(dict.fromkeys(curves[curves["n"] < BAND_FROM]["workload"]))
    without = f" (no band with fewer than {BAND_FROM} seeds: {', '.join(few)})" if few else ""
    return f"Mean over seeds and its 95 % band{without}."


def _statements(study: Study, runs: pd.DataFrame, workloads: list[str]) -> list[Statement]:
    source = study.source("last round")

    def claim(paper: str, one: str, others: Sequence[str], *, wanted: int = 1, beside: str = "") -> Statement:
        """That `one` lies above (wanted = 1) or below (−1) the others on every workload."""
        found = {
            (workload, other): paired_difference(*(metric(runs, "accuracy", workload, name) for name in (one, other)))
            for workload in workloads
            for other in others
        }
        found = {pair: d for pair, d in found.items() if d.n}  # while runs are missing, what there is
        return Statement(paper, _told(one, found) + beside, judge(wanted * d.sign for d in found.values()), source)

    statements = [
        claim("Centralized learning has the highest accuracy", "centralized", DECENTRALIZED),
        claim(
            "PMS-AM has the highest accuracy of the decentralized schemes",
            "pms-am",
            DECENTRALIZED[1:],
            beside=_unequal_privacy(runs),
        ),
        claim("Random-FL has the lowest accuracy", "random", DECENTRALIZED[:-1], wanted=-1),
    ]
    means = runs.groupby(["workload", "scheme"])["accuracy"].mean().to_dict()
    pairs = [((f"{model}-CIFAR10", name), (f"{model}-MNIST", name)) for model in ("MLP", "CNN") for name in LABELS]
    lower = [1 if means[one] < means[other] else -1 for one, other in pairs if one in means and other in means]
    if lower:
        ours = f"{lower.count(1)} of {len(lower)} pairs of mean accuracies are ordered so"
        statements.append(Statement("Accuracy is lower on CIFAR-10 for both models", ours, judge(lower), source))
    return statements


def _told(one: str, found: dict[tuple[str, str], Difference]) -> str:
    parts = []
    for workload in dict.fromkeys(workload for workload, _ in found):
        told = [
            f"{LABELS[other]} {d.mean * 100:+.2f}{'' if d.sign else ' (not told apart)'}"
            for (where, other), d in found.items()
            if where == workload
        ]
        parts.append(f"{workload}: " + ", ".join(told))
    return f"{LABELS[one]} minus the other, points. " + "; ".join(parts)


def _unequal_privacy(runs: pd.DataFrame) -> str:
    budgets = runs.groupby("scheme")["privacy_budget"].mean()
    if not {"pms-am", "random"} <= set(budgets.index):
        return ""
    return (
        f". At unequal noise: mean ε is {budgets['pms-am']:.2f} for PMS-AM and {budgets['random']:.2f} for the others; "
        "the section on equal privacy compares them at one ε"
    )


def past_the_best(final: pd.DataFrame) -> list[str]:
    """Why a scheme may end below another: it was trained past its best round."""
    fallen = final[final["best_accuracy"] - final["accuracy"] > FALLEN]
    if fallen.empty:
        return []
    columns = [fallen[name] for name in ("scheme", "workload", "best_accuracy", "best_round", "accuracy")]
    told = [
        f"{LABELS[scheme]} on {workload} ({best:.1%} in round {number}, {last:.1%} in the end)"
        for scheme, workload, best, number, last in zip(*columns, strict=True)
    ]
    return [
        f"Trained past its best round, more than {FALLEN:.0%} below it in the end: {', '.join(told)}. Hundreds of "
        "epochs at Table 2's learning rate overfit; averaging ten models and noise put that off, which is why a "
        "decentralized scheme can end above Centralized.",
        f"In the best round of each mean curve, chosen by the test set itself, the order is {_order_of_bests(final)}.",
    ]


def _order_of_bests(final: pd.DataFrame) -> str:
    orders = []
    for workload, own in final.groupby("workload", sort=False):
        equals = own["scheme"].map(LABELS).groupby(own["best_accuracy"]).agg(" = ".join)  # from the lowest up
        orders.append(f"{workload}: " + " > ".join(equals[::-1]))
    return "; ".join(orders)


def _final_shown(table: pd.DataFrame) -> pd.DataFrame:
    ends = zip(table["accuracy"] * 100, table["ci95_high"] * 100, table["n"], strict=True)
    cells = [f"{with_interval(mean, high, '.2f')} (n = {n})" for mean, high, n in ends]
    bests = zip(cells, table["best_accuracy"] * 100, table["best_round"], strict=True)
    cells = [f"{cell}; best {accuracy:.2f} in round {number}" for cell, accuracy, number in bests]
    wide = table.assign(cell=cells).pivot(index="scheme", columns="workload", values="cell")
    wide = wide.reindex(index=list(LABELS), columns=list(dict.fromkeys(table["workload"]))).fillna("–")
    return wide.rename(index=LABELS).reset_index().rename(columns={"scheme": "scheme, % ± half of 95 % interval"})


def _differences_shown(differences: pd.DataFrame) -> pd.DataFrame:
    rows = differences[differences["scheme"].isin(["centralized", "pms-am"])]
    numbers = rows[["n", "difference", "ci95_low", "ci95_high", "p"]].itertuples(index=False, name=None)
    cells = [Difference(*row).text(scale=100) for row in numbers]
    pair = [f"{LABELS[a]} − {LABELS[b]}" for a, b in zip(rows["scheme"], rows["against"], strict=True)]
    wide = rows.assign(cell=cells, pair=pair).pivot(index="pair", columns="workload", values="cell")
    order = list(dict.fromkeys(pair)), list(dict.fromkeys(rows["workload"]))
    return wide.reindex(index=order[0], columns=order[1]).reset_index().rename(columns={"pair": "points"})
