"""The decision phase on the clock: providers announce prices, users answer, until prices settle or T is over."""

from collections.abc import Generator
from typing import Any

import simpy

from flnft_sim.agents.dao.organisation import Organisation
from flnft_sim.agents.dao.problem import decision_problem
from flnft_sim.agents.decision import Decision
from flnft_sim.clock.calls import until

Process = Generator[simpy.Event, Any, Any]

HISTORY_STEPS = 20
"""Exchanges at most where a decision is found off the clock."""

MOST_EXCHANGES = 100_000
"""On the clock: what has not settled by then never will."""


def hold_decision(dao: Organisation, round_number: int) -> Process:
    """Exchange prices and answers until they settle or the decision period is over; returns the `Decision`.

    A scheme that does not play the game takes no time for it: its users work as the scheme says, and prices are those
    of the first exchange, so that rewards can be told for every scheme alike.
    """
    env, game, buyers = dao.world.env, dao.world.settings.game, tuple(buyer.number for buyer in dao.buyers)
    decide, tolerance = dao.world.engine.decide, game.decision_tolerance
    problem = yield from dao.world.policy.announce(dao.number, decision_problem(dao))
    if not dao.scheme.plays_game:
        return Decision(buyers, problem, decide(problem, tolerance=tolerance, most_steps=1), seconds=0.0)
    started_s = env.now
    ends_s = _ends_of_exchanges(started_s, game.decision_step_s, game.decision_period_s)
    step = decide(problem, tolerance=tolerance, most_steps=len(ends_s))
    dao.members.show("decision")
    with dao.doing("decision", round=round_number, dao=dao.label):
        yield until(env, ends_s[step.iteration - 1])
    dao.members.show("idle")
    dao.members.tell_decision(dao.label, round_number, started_s)
    settled = bool(step.gap <= tolerance)
    return Decision(buyers, problem, step, seconds=env.now - started_s, settled=settled)


def _ends_of_exchanges(started_s: float, step_s: float, period_s: float) -> list[float]:
    """When each exchange that fits in the decision period is over, one after another; the first takes place anyway."""
    ends_s = [started_s + step_s]
    while ends_s[-1] + step_s <= started_s + period_s and len(ends_s) < MOST_EXCHANGES:
        ends_s.append(ends_s[-1] + step_s)
    return ends_s


def settled_decision(dao: Organisation) -> Decision:
    """The same exchange off the clock, to its end."""
    problem = decision_problem(dao)
    tolerance = dao.world.settings.game.decision_tolerance
    step = dao.world.engine.decide(problem, tolerance=tolerance, most_steps=HISTORY_STEPS)
    return Decision(tuple(buyer.number for buyer in dao.buyers), problem, step, seconds=0.0)
