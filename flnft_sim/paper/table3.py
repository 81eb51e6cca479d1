"""Table 3, minting time of four workloads under four schemes: calibrated on its first row, then what follows from it.

The timeline has one unknown per workload, the CPU cycles to train on one sample once. Each is set so that random-FL's
minting time comes out as printed. Loss-based and Gradient-norm are predictions: five epochs instead of three on
average, and a forward pass to rank users. PMS-AM's row has its decisions beside its training, and how long those last
depends on how fast prices settle: in the scenario `table3` they never do, so the row *assumes* all of T a round; left
to settle it is told apart. Four numbers do as well as the timeline here (`formula`), and the page says so.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from flnft_sim.figures.palette import INK
from flnft_sim.paper.scale import PAPERS_WORKLOADS, Scale, Workload, workload_name
from flnft_sim.paper.schemes import COLOURS, LABELS, PAPERS_ROUNDS, SETTLING, is_workload, lent, trained
from flnft_sim.paper.section import Picture, Section, Statement, Table, Verdict, judge
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.scenario import load_scenario
from flnft_sim.sweeps import SweepPlan, sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CALIBRATED_ON = "random"
PREDICTED = ("loss", "gradient-norm")
ASSUMED, SETTLED = "pms-am", "pms-am-settled"  # PMS-AM's two rows: T used up, and decisions left to settle
ROWS = {  # of the table and the figure
    CALIBRATED_ON: f"{LABELS[CALIBRATED_ON]} (calibrated)",
    **{scheme: LABELS[scheme] for scheme in PREDICTED},
    ASSUMED: f"{LABELS[ASSUMED]}, T used up (assumed)",
    SETTLED: f"{LABELS[ASSUMED]}, decisions settle",
}
MARKERS = dict(zip(ROWS, "os^Dv", strict=True))
DECISION = "minting_decision_s"
PRINTED_S: dict[str, dict[Workload, float]] = {  # the paper's Table 3, seconds
    scheme: dict(zip(PAPERS_WORKLOADS, row, strict=True))
    for scheme, row in {
        "random": (732.82, 1361.68, 1036.65, 8996.30),
        "loss": (1651.02, 2381.62, 1960.53, 15086.63),
        "gradient-norm": (1651.44, 2336.94, 1846.89, 14993.67),
        "pms-am": (2184.85, 2863.34, 2498.34, 16226.34),
    }.items()
}

SAME = 0.06  # the printed rows of loss and gradient-norm lie this close, in both orders
CLOSE = 0.2  # how far off a prediction may be and still be called right


def studies(scale: Scale) -> list[StudyPlan]:
    """The surrogate learner on the paper's testbed: who trains how long does not depend on what is learnt.

    PMS-AM twice: as the scenario has it, and with decisions that end when prices have settled. No other scheme takes
    time to decide.
    """
    constants = committed_constants()
    plan = SweepPlan(
        name="table3",
        description="Minting time of the paper's four workloads under four schemes",
        scenario="table3",
        grid={"learning.scheme": trained(scale.table3_schemes)},
        zip=_workload_fields(scale.table3_workloads, [constants[workload] for workload in scale.table3_workloads]),
        seeds=tuple(range(scale.table3_seeds)),
        metrics=("minting_time_s", DECISION, "local_epochs"),
    )
    settled = plan.model_copy(
        update={
            "name": "table3-settled",
            "description": "PMS-AM's row of Table 3 with decisions that end when prices have settled",
            "set": SETTLING,
            "grid": {"learning.scheme": ["pms-am"]},
        }
    )
    return [StudyPlan(plan, 4.0), StudyPlan(settled, 4.0)]


def tell(done: Mapping[str, Study], scale: Scale) -> Section:
    """Cell by cell, ours beside the paper's, and what four numbers without a simulator say."""
    study, settled = done["table3"], done["table3-settled"]
    table = against_print(lent(study.runs), settled.runs, scale)
    assumed = study.runs[study.runs["learning.scheme"] == "pms-am"]
    statements = (
        _predicted(table, study.source()),
        _assumed(table, assumed[DECISION], settled),
        _ordered(table, f"{study.source()}, and {settled.source()}"),
        _formula_does_as_well(table, settled.runs[DECISION], f"{study.source()}, and {settled.source()}"),
    )
    return Section(
        title="Table 3: minting time",
        introduction=(
            "One host trains user after user. The CPU cycles a sample takes are fitted, for each workload, to the row "
            "Random-FL alone (`analysis/calibrate_table3.py`). Loss-based and Gradient-norm are predictions of the "
            "timeline. PMS-AM's row stands twice: with decisions that use up all of T = 10 s a round, which is an "
            "assumption (`damping` and tolerance of the scenario keep any decision from settling), and with decisions "
            "that end when prices have settled."
        ),
        statements=statements,
        pictures=(
            Picture("table3", "Errors cell by cell: markers the timeline, ticks the formula.", errors_figure(table)),
        ),
        tables=(
            Table("table3", "Minting time (s): paper / ours / error.", table, _shown(table)),
            Table(
                "table3-formula",
                "Error of the timeline / of the formula: 5/3 of the row Random-FL, + 1/9 of it where users are ranked, "
                "+ 1,000 s for PMS-AM.",
                table[["row", "workload", "paper_s", "formula_s", "formula_error"]],
                _formula_shown(table),
            ),
        ),
        remarks=(
            "Loss-based and Gradient-norm rank by the same forward pass here, so their times agree; the paper's differ "
            "by up to 6 %, in both directions.",
        ),
    )


def _predicted(table: pd.DataFrame, source: str) -> Statement:
    errors = table[table["row"].isin(PREDICTED)]["error"].abs()
    return Statement(
        "Minting takes 733 to 16,226 s, by workload and scheme (Table 3)",
        f"Random-FL is calibrated and PMS-AM assumed; the other {len(errors)} cells are predictions: median error "
        f"{errors.median():.1%}, worst {errors.max():.1%}; {int((errors <= CLOSE).sum())} within {CLOSE:.0%}",
        judge(1 if error <= CLOSE else -1 for error in errors),
        source,
    )


def _assumed(table: pd.DataFrame, decision_s: pd.Series, settled: Study) -> Statement:
    """PMS-AM's row; the verdict is on the one that assumes nothing."""
    assumed, own = (table[table["row"] == row] for row in (ASSUMED, SETTLED))
    took, settles = (_span(seconds, ",.1f") for seconds in (decision_s, settled.runs[DECISION]))
    return Statement(
        "PMS-AM takes 2,185 to 16,226 s (Table 3)",
        f"assumed: T used up, decisions take {took} s in each of {len(decision_s)} runs; errors {_signed(assumed)}. "
        f"Left to settle, they take {settles} s; errors {_signed(own)}",
        judge(1 if error <= CLOSE else -1 for error in own["error"].abs()),
        f"`runs/table3`, and {settled.source()}",
    )


def _ordered(table: pd.DataFrame, source: str) -> Statement:
    """Who mints longer than whom: predictions alone, then with each of PMS-AM's rows; the last bears the verdict."""
    predictions = table[~table["row"].isin((ASSUMED, SETTLED))]
    told = []
    for row, which in ((None, "without PMS-AM"), (ASSUMED, "with its assumed row"), (SETTLED, "with its settled row")):
        ordered, exceptions = orderings(pd.concat([predictions, table[table["row"] == row]]))
        told.append(
            f"{which} {ordered} of {ordered + len(exceptions)}"
            + (f" (not: {', '.join(exceptions)})" if exceptions else "")
        )
    return Statement(
        "Schemes are ordered by minting time: PMS-AM longest, Random-FL shortest",
        f"of the pairs that print tells apart by more than {SAME:.0%} come out: {'; '.join(told)}",
        judge([1] * ordered + [-1] * len(exceptions)),
        source,
    )


def _formula_does_as_well(table: pd.DataFrame, decision_s: pd.Series, source: str) -> Statement:
    both = table[table["row"].isin((*PREDICTED, ASSUMED))]
    ours, plain = both["error"].abs(), both["formula_error"].abs()
    apart = (both["ours_s"] / both["formula_s"] - 1).abs().max()
    return Statement(
        "–",
        "four numbers do as well: 5/3 of the printed row Random-FL, + 1/9 of it for ranking, + 1,000 s for PMS-AM. "
        f"Median error {plain.median():.1%}, worst {plain.max():.1%}, against the timeline's {ours.median():.1%} and "
        f"{ours.max():.1%}; the two lie within {apart:.1%} of each other in all {len(both)} cells. On this table the "
        "simulator adds nothing to the formula; its own is only how long a decision takes to settle "
        f"({_span(decision_s)} s a minting)",
        Verdict.OURS,
        source,
    )


def calibrate(*, seeds: int, out: Path) -> dict[Workload, float]:
    """CPU cycles per training sample of each workload, from the row random-FL alone.

    Minting time is affine in the cycles (a queue of fixed work behind one host), so two runs a seed determine it.
    """
    low, high = 1e5, 2e6
    plan = SweepPlan(
        name="calibration",
        scenario="table3",
        set={"learning.scheme": CALIBRATED_ON},
        grid={"devices.cycles_per_sample": [low, high]},
        zip=_workload_fields(PAPERS_WORKLOADS),
        seeds=tuple(range(seeds)),
        metrics=("minting_time_s",),
    )
    runs = sweep(plan, out=out)
    constants = {}
    for workload in PAPERS_WORKLOADS:
        own = runs[is_workload(runs, workload)].groupby("devices.cycles_per_sample")["minting_time_s"].mean()
        slope = (own[high] - own[low]) / (high - low)
        constants[workload] = float(low + (PRINTED_S[CALIBRATED_ON][workload] - own[low]) / slope)
    return constants


def against_print(runs: pd.DataFrame, settled: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """A row per cell: row, scheme, workload, paper_s, ours_s (mean over seeds), ours_sd_s, n, error (ours/paper − 1).

    And formula_s, formula_error: what four numbers make of the printed row Random-FL (NaN where decisions settle).
    """
    rows: list[tuple[object, ...]] = []
    for row in (*scale.table3_schemes, *((SETTLED,) if ASSUMED in scale.table3_schemes else ())):
        scheme, own = (ASSUMED, settled) if row == SETTLED else (row, runs)
        for workload in scale.table3_workloads:
            times_s = own[is_workload(own, workload) & (own["learning.scheme"] == scheme)]["minting_time_s"]
            printed_s, ours_s = PRINTED_S[scheme][workload], float(np.mean(times_s))
            deviation_s = float(np.std(times_s, ddof=1)) if len(times_s) > 1 else 0.0
            name = workload_name(*workload)
            plain_s = formula(row, PRINTED_S[CALIBRATED_ON][workload])
            errors = ours_s / printed_s - 1, plain_s, plain_s / printed_s - 1
            rows.append((row, scheme, name, printed_s, ours_s, deviation_s, len(times_s), *errors))
    columns = [
        "row",
        "scheme",
        "workload",
        "paper_s",
        "ours_s",
        "ours_sd_s",
        "n",
        "error",
        "formula_s",
        "formula_error",
    ]
    return pd.DataFrame(rows, columns=columns)


def formula(row: str, random_s: float) -> float:
    """Minting time in s from the row Random-FL (three epochs a round on average) and nothing else.

    Five epochs take 5/3 of it; a forward pass is a third of an epoch, 1/9 of it; and T in each round is 1,000 s.
    """
    if row == CALIBRATED_ON:
        return random_s
    if row == SETTLED:
        return float("nan")  # how fast prices settle is not in the table
    ranking_s = random_s / 9 if row in PREDICTED else 0.0
    decisions_s = PAPERS_ROUNDS * load_scenario("table3").game.decision_period_s if row == ASSUMED else 0.0
    return 5 / 3 * random_s + ranking_s + decisions_s


def errors_figure(table: pd.DataFrame) -> "Figure":
    """A group per workload, in it a marker per row of the table and a tick for the formula; ±20 % in grey."""
    from flnft_sim.figures.style import finish, legend_below, new_figure, percents

    figure, [axes] = new_figure(width=8)
    workloads = list(dict.fromkeys(table["workload"]))
    rows = list(dict.fromkeys(table["row"]))
    axes.axhspan(-CLOSE, CLOSE, color="0.93", zorder=0)
    axes.axhline(0, color=INK, linewidth=0.8)
    for place, row in enumerate(rows):
        own = table[table["row"] == row].set_index("workload").reindex(workloads)
        at = [group + (place - (len(rows) - 1) / 2) * 0.15 for group in range(len(workloads))]
        colour = COLOURS[own["scheme"].iloc[0]]
        face = "none" if row in (CALIBRATED_ON, ASSUMED) else colour  # hollow: no prediction
        look: dict[str, Any] = {"marker": MARKERS[row], "facecolors": face, "edgecolors": colour, "label": ROWS[row]}
        axes.scatter(at, own["error"], s=55, zorder=3, **look)
        ticks = axes.scatter(at, own["formula_error"], s=160, marker="_", color="0.1", label="formula", zorder=2)
    axes.set_xticks(range(len(workloads)), workloads)
    axes.set_xlim(-0.5, len(workloads) - 0.5)
    percents(axes)
    finish(axes, title="Minting time: errors cell by cell", x="", y="ours / paper − 1")
    markers = [artist for artist in axes.collections if artist.get_label() in ROWS.values()]
    legend_below(figure, [*markers, ticks])
    return figure


def committed_constants() -> dict[Workload, float]:
    """The cycles per sample that `analysis/calibrate_table3.py` wrote."""
    text = files("flnft_sim.paper").joinpath("table3.json").read_text(encoding="utf-8")
    by_name = json.loads(text)["cycles_per_sample"]
    return {(dataset, model): float(by_name[f"{model}-{dataset}"]) for dataset, model in PAPERS_WORKLOADS}


def orderings(table: pd.DataFrame) -> tuple[int, list[str]]:
    """Of the pairs of schemes that print tells apart by more than `SAME`: how many are ordered alike; the others."""
    cells = list(zip(table["scheme"], table["workload"], strict=True))
    paper, ours = (dict(zip(cells, table[side].astype(float), strict=True)) for side in ("paper_s", "ours_s"))
    told_apart = [
        (one, other, name)
        for name in dict.fromkeys(table["workload"].astype(str))
        for one, other in combinations(dict.fromkeys(table["scheme"].astype(str)), 2)
        if abs(paper[one, name] / paper[other, name] - 1) > SAME
    ]
    exceptions = [
        f"{LABELS[one]} and {LABELS[other]} on {name}"
        for one, other, name in told_apart
        if (paper[one, name] > paper[other, name]) != (ours[one, name] > ours[other, name])
    ]
    return len(told_apart) - len(exceptions), exceptions


def _workload_fields(workloads: tuple[Workload, ...], cycles: list[float] | None = None) -> dict[str, list[object]]:
    """Lists to zip, one value a workload."""
    fields: dict[str, list[object]] = {
        "learning.dataset": [dataset for dataset, _ in workloads],
        "learning.model": [model for _, model in workloads],
    }
    return fields if cycles is None else fields | {"devices.cycles_per_sample": list(cycles)}


def _signed(cells: pd.DataFrame) -> str:
    return ", ".join(f"{name} {error:+.1%}" for name, error in zip(cells["workload"], cells["error"], strict=True))


def _span(seconds: pd.Series, form: str = ",.0f") -> str:
    low, high = (format(value, form) for value in (seconds.min(), seconds.max()))
    return low if low == high else f"{low} to {high}"


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    cells = [f"{c.paper_s:,.0f} / {c.ours_s:,.0f} / {c.error:+.1%}" for c in table.itertuples()]
    return _wide(table, cells)


def _formula_shown(table: pd.DataFrame) -> pd.DataFrame:
    shown = table[table["formula_s"].notna()]
    return _wide(shown, [f"{c.error:+.1%} / {c.formula_error:+.1%}" for c in shown.itertuples()])


def _wide(table: pd.DataFrame, cells: list[str]) -> pd.DataFrame:
    wide = table.assign(cell=cells).pivot(index="row", columns="workload", values="cell")
    wide = wide.reindex(index=list(dict.fromkeys(table["row"])), columns=list(dict.fromkeys(table["workload"])))
    return wide.rename(index=ROWS).reset_index(names="scheme")
