"""The problem that a DAO poses: what the public door would let in, and no window on what the DAO learns later."""

from dataclasses import fields, replace

import numpy as np
import pytest

from flnft_sim import FlnftModel
from flnft_sim.agents.dao.decision import MOST_EXCHANGES, _ends_of_exchanges
from flnft_sim.agents.dao.problem import decision_problem
from flnft_sim.errors import InputError
from flnft_sim.game import DecisionProblem, EmptyMarketError
from flnft_sim.game.problem import Providers, Users

QUICK = {"learning__learner": "surrogate", "game__history_auctions": 3}


@pytest.fixture
def dao():
    return FlnftModel("tiny", **QUICK).daos[0]


@pytest.mark.parametrize("fields_set", [{}, {"game__belief": {"kind": "oracle"}}, {"timeline__round_deadline_s": 60.0}])
def test_it_passes_the_door_as_it_is(fields_set):
    """The door checks everything; a run leaves the checks out, so they must have nothing to say."""
    posed = decision_problem(FlnftModel("tiny", **QUICK, **fields_set).daos[0])
    through_the_door = replace(posed)
    for name in (each.name for side in (Users, Providers) for each in fields(side)):
        ours, theirs = getattr(posed, name), getattr(through_the_door, name)
        assert ours.dtype == theirs.dtype == np.float64 and ours.shape == theirs.shape, name
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


def test_the_door_has_something_to_say(dao):
    known = {each.name: getattr(decision_problem(dao), each.name) for each in fields(DecisionProblem)}
    unchecked = DecisionProblem.of_known(**known | {"compute_costs": np.array([1.0, np.nan, 1.0, 1.0])})
    with pytest.raises(InputError, match=r"compute_costs\[1\] is nan"):
        replace(unchecked)


def test_what_was_known_stays_as_it_was(dao):
    posed = decision_problem(dao)
    before = {name: getattr(posed, name).copy() for name in (each.name for each in fields(Users))}
    for measured in vars(dao.experience).values():
        measured += 1
    for name, values in before.items():
        np.testing.assert_array_equal(getattr(posed, name), values, err_msg=name)


def test_a_decision_needs_somebody_on_both_sides(dao):
    dao.buyers = []
    with pytest.raises(EmptyMarketError, match="valuations_quality is empty"):
        decision_problem(dao)


def test_insisting_changes_prices_alone(dao):
    posed = decision_problem(dao)
    prices = tuple(np.full(posed.budgets.size, price) for price in (1.0, np.nan))
    insisting = posed.insisting(*prices)
    assert posed.insisted is None and insisting.insisted == prices
    assert all(
        getattr(insisting, each.name) is getattr(posed, each.name)
        for each in fields(posed)
        if each.name not in ("insisted", "contracted_privacy")
    )


@pytest.mark.parametrize("started_s", [0.0, 1234.5678])
@pytest.mark.parametrize(("step_s", "period_s"), [(0.5, 10.0), (0.1, 1.0), (3.0, 1.0), (0.7, 1e6)])
def test_exchanges_follow_one_another_on_the_clock_while_the_next_one_fits(started_s, step_s, period_s):
    ends_s = _ends_of_exchanges(started_s, step_s, period_s)
    now_s = started_s
    for end_s in ends_s:
        now_s += step_s  # as a clock does that waits for one after another
        assert end_s == now_s
    assert len(ends_s) == MOST_EXCHANGES or now_s + step_s > started_s + period_s
    assert len(ends_s) == 1 or now_s <= started_s + period_s
