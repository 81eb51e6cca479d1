"""Fig. 5 at equal privacy: PMS-AM against the schemes that draw ε, given the ε that PMS-AM plays."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from flnft_sim.paper.paired import Difference, paired_difference, with_interval
from flnft_sim.paper.scale import Scale
from flnft_sim.paper.schemes import LABELS, TRAINS_AS, by_scheme, metric, schemes_study
from flnft_sim.paper.section import Section, Statement, Table, judge
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.scenario import load_scenario
from flnft_sim.statistics import statistics

SCHEMES = ("loss", "random")  # gradient-norm trains as loss-based does
LEFT_OUT = "cifar10"  # two thirds of the hours, and with the CNN PMS-AM leads nobody there at unequal ε either


def studies(scale: Scale) -> list[StudyPlan]:
    """The runs of Fig. 5, and the two schemes again with ε at the upper end of its range, where PMS-AM plays."""
    schemes = schemes_study(scale)
    workloads = [workload for workload in scale.workloads if workload[0] != LEFT_OUT] or scale.workloads
    sweep = schemes.sweep.model_copy(
        update={
            "name": "ablation",
            "description": "Loss-based and Random-FL at the ε that PMS-AM plays",
            "set": schemes.sweep.set | {"game.privacy_range": [upper_end(), upper_end()]},
            "grid": {"learning.scheme": list(SCHEMES)},
            "zip": {
                "learning.dataset": [dataset for dataset, _ in workloads],
                "learning.model": [model for _, model in workloads],
            },
        }
    )
    return [schemes, StudyPlan(sweep, schemes.seconds_per_run)]


def upper_end() -> float:
    """The largest ε that the published setting allows."""
    return load_scenario("paper10").game.privacy_range[1]


def tell(done: Mapping[str, Study], _scale: Scale) -> Section:
    """Paired differences of final accuracy at the published ε, and at one ε for all."""
    runs, equal = by_scheme(done["schemes"].runs), by_scheme(done["ablation"].runs)
    equal = equal[~equal["scheme"].isin(TRAINS_AS)]
    table = compared(runs, equal)
    plays, draws = (runs[runs["scheme"].isin(names)]["privacy_budget"] for names in (["pms-am"], SCHEMES))
    led = [row for row in table.to_dict("records") if row["drawn_low"] > 0]
    kept = [row for row in led if _sign(row) > 0]
    source = f"{done['ablation'].source('last round')}, and {done['schemes'].source('PMS-AM, last round')}"
    return Section(
        title="Fig. 5 at equal privacy",
        introduction=(
            f"In Fig. 5 PMS-AM's users play ε = {plays.mean():.2f}, the others draw it, {draws.mean():.2f} on average: "
            "less noise is part of PMS-AM's lead. Here Loss-based and Random-FL train again, for real and with the "
            f"same seeds, with ε = {upper_end():g} for all; PMS-AM's runs are those of Fig. 5."
        ),
        statements=(
            Statement(
                "PMS-AM has the highest accuracy of the decentralized schemes",
                f"at ε = {upper_end():g} for all, PMS-AM minus the other, points: {_told(table)}. Of {len(led)} leads "
                f"with ε drawn {len(kept)} remain" + (f": over {_names(kept)}" if kept else ""),
                judge(_sign(row) for row in table.to_dict("records")),
                source,
            ),
        ),
        tables=(Table("ablation", "PMS-AM minus the other after the last round, at both ε.", table, _shown(table)),),
        remarks=(
            "What is left at equal ε is the number of epochs: PMS-AM's users choose theirs, Loss-based always trains "
            f"{load_scenario('paper10').game.default_epochs}, Random-FL draws. Where PMS-AM's users all choose that "
            "number in every round, the two train alike, bit for bit.",
        ),
    )


def compared(runs: pd.DataFrame, equal: pd.DataFrame) -> pd.DataFrame:
    """A row per workload and scheme: PMS-AM's accuracy minus the scheme's, at the ε it draws and at PMS-AM's.

    Columns workload, against, accuracy and its ci95_high (at equal ε), local_epochs, pms_am_epochs, drawn_difference
    and the low end of its interval, n, difference, ci95_low, ci95_high, p; differences are paired by seed. `runs` are
    Fig. 5's, `equal` those at one ε.
    """
    rows = []
    for workload in dict.fromkeys(equal["workload"]):
        for scheme in SCHEMES:
            ours = metric(runs, "accuracy", workload, "pms-am")
            again = equal[(equal["workload"] == workload) & (equal["scheme"] == scheme)]
            if again.empty:
                continue
            drawn = paired_difference(ours, metric(runs, "accuracy", workload, scheme))
            d = paired_difference(ours, metric(equal, "accuracy", workload, scheme))
            _, mean, _, _, high = statistics(again["accuracy"].tolist())
            epochs = again["local_epochs"].mean(), metric(runs, "local_epochs", workload, "pms-am").mean()
            rows.append((workload, scheme, mean, high, *epochs, drawn.mean, drawn.low, d.n, d.mean, d.low, d.high, d.p))
    columns = ["workload", "against", "accuracy", "accuracy_ci95_high", "local_epochs", "pms_am_epochs"]
    columns += ["drawn_difference", "drawn_low", "n", "difference", "ci95_low", "ci95_high", "p"]
    return pd.DataFrame(rows, columns=columns)


def _difference(row: Mapping[Any, Any]) -> Difference:
    return Difference(int(row["n"]), row["difference"], row["ci95_low"], row["ci95_high"], row["p"])


def _sign(row: Mapping[Any, Any]) -> int:
    return _difference(row).sign


def _names(rows: list[dict[Any, Any]]) -> str:
    return ", ".join(f"{LABELS[row['against']]} on {row['workload']}" for row in rows)


def _told(table: pd.DataFrame) -> str:
    parts = []
    for workload, own in table.groupby("workload", sort=False):
        told = [
            f"{LABELS[row['against']]} {row['difference'] * 100:+.2f}{'' if _sign(row) else ' (not told apart)'} "
            f"(n = {row['n']}; with ε drawn {row['drawn_difference'] * 100:+.2f})"
            for row in own.to_dict("records")
        ]
        parts.append(f"{workload}: " + ", ".join(told))
    return "; ".join(parts)


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    rows = table.to_dict("records")
    return pd.DataFrame(
        {
            "workload": table["workload"],
            "PMS-AM minus": table["against"].map(LABELS),
            "its accuracy at equal ε (%)": [
                with_interval(row["accuracy"] * 100, row["accuracy_ci95_high"] * 100, ".2f") for row in rows
            ],
            "epochs, PMS-AM's": [f"{row['local_epochs']:.2f}, {row['pms_am_epochs']:.2f}" for row in rows],
            "with ε drawn (points)": [f"{row['drawn_difference'] * 100:+.2f}" for row in rows],
            "at equal ε (points)": [_difference(row).text(scale=100) for row in rows],
        }
    )
