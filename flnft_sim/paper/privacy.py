"""What each scheme's noise really guarantees (Eq. 4), and what a guarantee would cost."""

from collections.abc import Mapping

import pandas as pd

from flnft_sim.paper.paired import with_interval
from flnft_sim.paper.scale import Scale
from flnft_sim.paper.schemes import DECENTRALIZED, GAME, LABELS, SENSITIVITY, lent, shortened, trained
from flnft_sim.paper.section import Section, Statement, Table, Verdict, judge
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.scenario import load_scenario
from flnft_sim.simulation import run
from flnft_sim.statistics import intervals
from flnft_sim.sweeps import SweepPlan

CLIPPED_TO = 10.0  # L1 norm C of the table's clipped rows; 2C/ε is the noise


def studies(scale: Scale) -> list[StudyPlan]:
    """Accuracy on digits, trained for real, without clipping and with it."""
    plan = SweepPlan(
        name="clipping",
        description="What a real guarantee costs in accuracy: updates clipped to L1 norm C, noise of scale 2C/ε",
        scenario="paper10",
        set={"learning.sensitivity": SENSITIVITY, **shortened(scale), **GAME},
        grid={"learning.clip_l1": [None, 1.0, 10.0, 100.0]},
        seeds=tuple(range(scale.small_seeds)),
        metrics=("accuracy", "privacy_budget", "local_epochs"),
    )
    return [StudyPlan(plan, 2.0 if scale.rounds < 100 else 8.0)]


def tell(done: Mapping[str, Study], scale: Scale) -> Section:
    """The privacy table, and accuracy by clipping bound."""
    guarantees, costs = _guarantees(scale), _costs(done["clipping"])
    unclipped = guarantees[guarantees["clip_l1"].isna()]
    holds = unclipped["epsilon_round"].notna()
    clipped = guarantees[guarantees["clip_l1"].notna()]
    none, best = costs[costs["clip_l1"].isna()].iloc[0], costs[costs["clip_l1"].notna()]["accuracy"].max()
    return Section(
        title="Privacy: what the noise guarantees",
        introduction=(
            "A user's update gets Laplace noise of scale Δf/ε. That is ε-differential privacy only if no two shards' "
            "updates differ by more than Δf in L1 norm, so without clipping no ε holds. With `clip_l1` = C, Δf = 2C, "
            "and each noised update is ε-DP for replacing the user's whole shard; rounds add up (basic composition; "
            "tight: the composed privacy-loss distribution at δ)."
        ),
        statements=(
            Statement(
                "ε in [1, 5] is each user's privacy budget, spent by noise on the gradient (Eq. 4, Table 2)",
                f"as printed, without clipping, a guarantee holds for {int(holds.sum())} of {len(holds)} schemes; "
                f"clipped to {CLIPPED_TO:g}, ε is {clipped['epsilon_round'].min():.1f} to "
                f"{clipped['epsilon_round'].max():.1f} a round and {clipped['epsilon_total_tight'].min():.0f} to "
                f"{clipped['epsilon_total_tight'].max():.0f} over {scale.rounds} rounds (tight, δ = 1e-5)",
                judge([1 if ok else -1 for ok in holds]),
                "the run of each row: `flnft run paper10` with the row's scheme and clip_l1, seed 0",
            ),
            Statement(
                "–",
                f"accuracy on digits {none['accuracy']:.1%} without clipping, {best:.1%} at the best of the bounds "
                "tried",
                Verdict.OURS,
                done["clipping"].source(),
            ),
        ),
        tables=(
            Table("privacy", "Guarantees by scheme, mean over users.", guarantees, _shown(guarantees)),
            Table("privacy-cost", "Accuracy of PMS-AM on digits by clipping bound.", costs, _costs_shown(costs)),
        ),
        remarks=(
            "Noise on that scale makes the norm of the noised update large, a unit of privacy dear (Eq. 7), and users "
            "who play choose the smallest ε from the second round on: clipped, PMS-AM spends less than the schemes "
            "that draw ε.",
            "Outside any guarantee: each user's mean loss H̄, its number of epochs k, its ε where it is chosen from "
            "data, and its participation all leave the device as they are.",
        ),
    )


def _guarantees(scale: Scale) -> pd.DataFrame:
    """A row per scheme and clipping: means over users of noise scales and guarantees (NaN where none holds)."""
    rows: list[tuple[object, ...]] = []
    for clip in (None, CLIPPED_TO):
        for scheme in trained(DECENTRALIZED):
            fields = {"learning.scheme": scheme, "learning.clip_l1": clip, "learning.sensitivity": SENSITIVITY}
            fields |= {**shortened(scale), "game.history_auctions": 0}
            table = run(load_scenario("paper10", overrides=fields | GAME)).privacy
            numbers = table[["noise_scale_min", "noise_scale_max", "epsilon_round"]].mean().tolist()
            totals = table[["epsilon_total_basic", "epsilon_total_tight"]].mean().tolist()
            rows.append((scheme, clip, scale.rounds, *numbers, *totals, table["guarantee"].iloc[0]))
    columns = ["learning.scheme", "clip_l1", "rounds", "noise_scale_min", "noise_scale_max", "epsilon_round"]
    table = pd.DataFrame(rows, columns=[*columns, "epsilon_total_basic", "epsilon_total_tight", "guarantee"])
    table = lent(table).rename(columns={"learning.scheme": "scheme"})
    order = table["scheme"].map(DECENTRALIZED.index) + len(DECENTRALIZED) * table["clip_l1"].notna()
    return table.iloc[order.argsort()].reset_index(drop=True)


def _costs(study: Study) -> pd.DataFrame:
    """Columns clip_l1 (NaN: none), n, accuracy, ci95_low, ci95_high."""
    table = intervals(study.runs, ["learning.clip_l1"], ["accuracy"]).drop(columns="metric")
    table = table.rename(columns={"learning.clip_l1": "clip_l1", "mean": "accuracy"})
    return table.sort_values("clip_l1", ignore_index=True)


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    def number(value: float, form: str) -> str:
        return format(value, form) if value == value else "none"

    return pd.DataFrame(
        {
            "scheme": table["scheme"].map(LABELS),
            "clip C": [number(value, "g") for value in table["clip_l1"]],
            "noise scale": [
                f"{r.noise_scale_min:.3g} to {r.noise_scale_max:.3g}" for r in table.itertuples(index=False)
            ],
            "largest ε of a round": [number(value, ".2f") for value in table["epsilon_round"]],
            "ε in all (basic)": [number(value, ".0f") for value in table["epsilon_total_basic"]],
            "ε in all (tight, δ = 1e-5)": [number(value, ".0f") for value in table["epsilon_total_tight"]],
        }
    )


def _costs_shown(costs: pd.DataFrame) -> pd.DataFrame:
    ends = zip(costs["accuracy"] * 100, costs["ci95_high"] * 100, strict=True)
    cells = [with_interval(mean, high) for mean, high in ends]
    bounds = ["none" if value != value else f"{value:g}" for value in costs["clip_l1"]]
    return pd.DataFrame({"clip C": bounds, "accuracy (%)": cells, "n": costs["n"]})
