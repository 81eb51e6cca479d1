"""The runs of Fig. 5 and Fig. 6: five training schemes on every workload, every user trained for real."""

from collections.abc import Iterable

import pandas as pd

from flnft_sim.figures.palette import BLUE, GREEN, GREY, ORANGE, RED
from flnft_sim.paper.scale import Scale, Workload, workload_name
from flnft_sim.paper.study import StudyPlan
from flnft_sim.scenario import load_scenario
from flnft_sim.sweeps import SweepPlan

LABELS = {
    "centralized": "Centralized",
    "pms-am": "PMS-AM",
    "loss": "Loss-based",
    "gradient-norm": "Gradient-norm",
    "random": "Random-FL",
}
COLOURS = {"centralized": GREY, "pms-am": BLUE, "loss": ORANGE, "gradient-norm": GREEN, "random": RED}
DECENTRALIZED = tuple(scheme for scheme in LABELS if scheme != "centralized")

#: With the round's share at 1 both schemes that rank choose everybody, and their runs agree bit for bit (a test holds
#: it). So one of them is trained, and its runs are shown for the other.
TRAINS_AS = {"gradient-norm": "loss"}

SENSITIVITY = 0.05  # Δf of Eq. 4, which the paper leaves open: the smallest at which ε shows, one for all workloads

#: Table 2 has one budget for all, all the time, so valuations do not change from auction to auction.
GAME = {"game.demand.factors": [1.0], "game.demand.noise": 0.0}

#: Decisions that end when prices have settled. In `paper10` and `table3` none does, and each lasts all of T.
SETTLING = {"game.damping": None}

PAPERS_ROUNDS = 100

SECONDS_PER_RUN = 400.0  # mean over the paper's workloads, on one core


def schemes_study(scale: Scale) -> StudyPlan:
    """Every scheme on every workload of the scale, `scale.seeds` runs each."""
    fields = {"learning.sensitivity": SENSITIVITY, **GAME, **shortened(scale)}
    plan = SweepPlan(
        name="schemes",
        description="Five training schemes on the workloads of Fig. 5 and Fig. 6",
        scenario="paper10",
        set=fields,
        grid={"learning.scheme": trained(LABELS)},
        zip={
            "learning.dataset": [dataset for dataset, _ in scale.workloads],
            "learning.model": [model for _, model in scale.workloads],
        },
        seeds=tuple(range(scale.seeds)),
        per_round=("accuracy", "loss"),
    )
    return StudyPlan(plan, SECONDS_PER_RUN if scale.rounds == PAPERS_ROUNDS else 2.0)


def shortened(scale: Scale) -> dict[str, float]:
    """Fields that make `paper10` as short as the scale; fewer rounds cost as much in all: answers stay alike."""
    if scale.rounds == PAPERS_ROUNDS:
        return {}
    return {
        "learning.rounds": scale.rounds,
        "game.history_auctions": scale.history_auctions,
        "game.cost_price": load_scenario("paper10").game.cost_price * PAPERS_ROUNDS / scale.rounds,
    }


def trained(schemes: Iterable[str]) -> list[str]:
    """The schemes that need runs of their own."""
    return [scheme for scheme in schemes if scheme not in TRAINS_AS]


def lent(table: pd.DataFrame) -> pd.DataFrame:
    """A study's table with rows for the schemes that train as another does."""
    copies = [
        table[table["learning.scheme"] == original].assign(**{"learning.scheme": scheme})
        for scheme, original in TRAINS_AS.items()
    ]
    return pd.concat([table, *copies], ignore_index=True)


def by_scheme(table: pd.DataFrame) -> pd.DataFrame:
    """A study's table, lent rows included, with columns `workload` and `scheme`."""
    table = lent(table)
    workload = [workload_name(*pair) for pair in zip(table["learning.dataset"], table["learning.model"], strict=True)]
    return table.assign(workload=workload, scheme=table["learning.scheme"])


def metric(runs: pd.DataFrame, name: str, workload: str, scheme: str) -> pd.Series:
    """A metric by seed, of one workload under one scheme."""
    chosen = runs[(runs["workload"] == workload) & (runs["scheme"] == scheme)]
    return chosen.set_index("seed")[name].astype(float)


def is_workload(runs: pd.DataFrame, workload: Workload) -> pd.Series:
    """Mask of the rows of a workload."""
    return (runs["learning.dataset"] == workload[0]) & (runs["learning.model"] == workload[1])
