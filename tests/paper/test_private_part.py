"""The part on privacy that holds: its numbers are the runs', and its trainings are those of the program."""

from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flnft_sim import load_scenario, run
from flnft_sim.paper import FULL, QUICK
from flnft_sim.paper.private import EPSILON, TrainingAlone, studies, tell
from flnft_sim.paper.study import Study


def made_up(scale):
    """Studies whose accuracy is told by ε, seed and training."""
    done = {}
    for plan in studies(scale):
        points = pd.DataFrame([point | {"seed": s} for point in plan.sweep.points() for s in plan.sweep.seeds])
        budget = points[EPSILON].astype(float).fillna(100.0) if EPSILON in points else points["game.beta"]
        runs = points.assign(
            accuracy=0.5 + 0.004 * budget + 0.001 * points["seed"],
            privacy_budget=40.0 / budget,
            cost_round_money=1.0,
            user_utility=300.0,
            reward_announced_money=90.0,
        )
        done[plan.name] = Study(plan.sweep, Path(), runs, pd.DataFrame(), 0, 0.0, ())
    return done


def test_a_row_is_the_mean_over_seeds_at_one_epsilon():
    done = made_up(FULL)
    section = tell(done, FULL)
    accuracies = next(table for table in section.tables if table.name == "private-accuracy")
    own = accuracies.data[(accuracies.data["workload"] == "MLP-digits") & (accuracies.data["training"] == "private")]
    assert own[EPSILON].tolist() == [1.0, 2.0, 3.0, 5.0, 8.0, inf]
    seeds = len(done["private-digits-mlp"].plan.seeds)
    assert own["accuracy"].iloc[0] == pytest.approx(0.504 + 0.001 * np.mean(range(seeds)))
    assert (own["n"] == seeds).all()
    assert accuracies.shown is not None and "ε = ∞ (%)" in accuracies.shown
    assert "143 records a user are too few for ε below 2: at ε = 1" in section.statements[1].ours


def test_costs_are_of_a_whole_minting_and_prices_of_a_unit():
    market = next(table for table in tell(made_up(FULL), FULL).tables if table.name == "private-market").data
    costs = market[market["metric"] == "cost_money"].set_index(["dataset", "beta"])
    settings = load_scenario("private10")
    assert costs.loc[("digits", 16.5), "mean"] == pytest.approx(settings.learning.rounds)
    assert costs.loc[("mnist", 16.5), "mean"] == pytest.approx(20)
    kappa = settings.game.cost_price * settings.learning.rounds
    price = kappa * settings.game.beta * np.log1p(settings.learning.privacy.clip_l2)
    assert costs.loc[("digits", settings.game.beta), "unit_price_money"] == pytest.approx(price)


@pytest.mark.slow
def test_a_training_without_a_market_is_the_programs():
    fields = {"learning.rounds": 3, "game.epochs_max": 1, "game.default_epochs": 1}
    alone = TrainingAlone()
    resolved = alone.resolve("private10", fields | {EPSILON: 3.0, "seed": 2})
    told = alone.run(resolved)
    market = {"learning.scheme": "random", "game.privacy_range": [3.0, 3.0], "game.history_auctions": 2}
    whole = run(load_scenario("private10", overrides=fields | market, seed=2))
    assert whole.rounds["accuracy"].tolist() == told.rounds["accuracy"].tolist()
    assert alone.run(resolved | {EPSILON: None}).summary["loss"] != told.summary["loss"]


def test_quick_has_the_same_parts():
    section = tell(made_up(QUICK), QUICK)
    assert len(section.statements) == 3 and not section.remarks
