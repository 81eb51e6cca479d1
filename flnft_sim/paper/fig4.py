"""Fig. 4: where the ten users stand, and what their links carry."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from flnft_sim.figures import FIGURES
from flnft_sim.paper.scale import Scale
from flnft_sim.paper.section import Picture, Section, Statement, Table, Verdict
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.scenario import load_scenario
from flnft_sim.simulation import run

OVERRIDES = {"learning.learner": "surrogate", "learning.rounds": 1, "game.history_auctions": 0}


def studies(_scale: Scale) -> list[StudyPlan]:
    """None: one round on the surrogate learner tells where everybody is."""
    return []


def tell(_done: Mapping[str, Study], _scale: Scale) -> Section:
    """The map, and a table of the links."""
    scenario = load_scenario("paper10", overrides=OVERRIDES)
    result = run(scenario)
    links = _links(result.positions)
    picture = FIGURES.get("map")(result)
    assert picture is not None, "a run with users has positions"
    width_m, height_m = (float(links[axis].max() - links[axis].min()) for axis in ("x_m", "y_m"))
    settings = " ".join(f"--set {field}={value}" for field, value in OVERRIDES.items())
    source = f"`flnft run paper10 --seed {scenario.seed} {settings}`"
    return Section(
        title="Fig. 4: the users' map",
        introduction=(
            "The paper draws ten trace points of Roblox users in 1000 m × 1200 m and prints no coordinates; these ten "
            "are ours, with the base station in the middle."
        ),
        statements=(
            Statement(
                "Ten users stand in an area of 1000 m × 1200 m",
                f"{len(links)} users, spread over {width_m:.0f} m × {height_m:.0f} m, {links['distance_m'].min():.0f} "
                f"to {links['distance_m'].max():.0f} m from the base station; alone on the band their links carry "
                f"{links['rate_mbps'].min():.1f} to {links['rate_mbps'].max():.1f} Mbit/s",
                Verdict.OURS,
                source,
            ),
        ),
        pictures=(Picture("fig4", "Users, base station and links.", picture),),
        tables=(Table("fig4", "Users and their links, alone on the band.", links, _shown(links)),),
    )


def _links(positions: pd.DataFrame) -> pd.DataFrame:
    """Columns user, x_m, y_m, distance_m, sinr_db, rate_mbps."""
    users = positions[positions["role"] == "user"]
    station = positions[positions["role"] == "base station"].iloc[0]
    return pd.DataFrame(
        {
            "user": users["name"],
            "x_m": users["x_m"],
            "y_m": users["y_m"],
            "distance_m": np.hypot(users["x_m"] - station["x_m"], users["y_m"] - station["y_m"]),
            "sinr_db": users["sinr_db"],
            "rate_mbps": users["rate_bps"] / 1e6,
        }
    ).reset_index(drop=True)


def _shown(links: pd.DataFrame) -> pd.DataFrame:
    names = ["user", "x (m)", "y (m)", "distance (m)", "SINR (dB)", "rate (Mbit/s)"]
    texts = [links["user"], *(links[column].map("{:.0f}".format) for column in ("x_m", "y_m", "distance_m"))]
    texts += [links[column].map("{:.1f}".format) for column in ("sinr_db", "rate_mbps")]
    return pd.DataFrame(dict(zip(names, texts, strict=True)))
