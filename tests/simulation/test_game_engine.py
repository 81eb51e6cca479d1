"""Which engine finds a run's decisions: told by the scenario alone, and without a trace in what a run finds."""

import subprocess
import sys

import pandas as pd
import pytest

from flnft_sim import load_scenario, run
from flnft_sim.errors import UnknownNameError
from flnft_sim.game.engines import WORTH_STARTING, choose_game_engine
from flnft_sim.game.loops import MOST_USERS
from flnft_sim.simulation.building.game_engine import build_game_engine

FEW = {"market.auctions": 2, "learning.rounds": 2, "game.history_auctions": 5}


@pytest.mark.parametrize(
    ("scenario", "fields", "name", "why"),
    [
        ("tiny", {}, "arrays", "no more than 15 decisions"),
        ("market", {}, "compiled", "2,080 decisions of up to 10 users"),
        ("paper10", {"market.auctions": 100}, "arrays", "numerically or step by step"),
        ("sound-market", {}, "arrays", "no decisions"),
        ("market", {"learning.scheme": "random"}, "compiled", "480 decisions"),
        ("market", {"population.users": 24_000, "radio.cross_talk": 0.0}, "arrays", "3,000 users at a time"),
        ("market", {"game.engine": "arrays"}, "arrays", "asked for"),
        ("tiny", {"game.engine": "compiled"}, "compiled", "asked for"),
    ],
)
def test_loops_are_started_where_they_find_many_small_decisions(scenario, fields, name, why):
    engine = build_game_engine(load_scenario(scenario, overrides=fields))
    assert engine.name == name and why in engine.reason


def test_the_limits_of_the_choice():
    few, many = (choose_game_engine(decisions=count, users=5).name for count in (WORTH_STARTING - 1, WORTH_STARTING))
    small, large = (choose_game_engine(decisions=10**6, users=n).name for n in (MOST_USERS, MOST_USERS + 1))
    assert (few, many, small, large) == ("arrays", "compiled", "compiled", "arrays")
    with pytest.raises(UnknownNameError, match="engine"):
        choose_game_engine("abacus", decisions=1, users=1)


def test_a_run_is_the_same_by_either_engine():
    results = [run(load_scenario("market", overrides=FEW | {"game.engine": name})) for name in ("arrays", "compiled")]
    for table in ("rounds", "users", "bids", "auctions"):
        ours, theirs = (getattr(result, table) for result in results)
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-6, atol=1e-9)
    named = [result.summary["game_engine"].split()[0] for result in results]
    assert named == ["arrays", "compiled"]


def test_a_small_run_starts_no_compiler():
    """Numba takes half a second to start, and `tiny` not much longer."""
    script = (
        "import sys; from flnft_sim import load_scenario, run\n"
        "run(load_scenario('tiny', overrides={'learning.learner': 'surrogate'}))\n"
        "print(*sorted({'numba', 'llvmlite'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
