"""The decision phase on the clock: providers announce prices, users answer, until prices settle or T is over."""

from collections.abc import Generator
from typing import Any

import simpy

from flnft_sim.agents.dao.organisation import Organisation
from flnft_sim.agents.dao.problem import decision_problem
from flnft_sim.agents.decision import Decision
from flnft_sim.game import decide, decision_steps

Process = Generator[simpy.Event, Any, Any]

HISTORY_STEPS = 20
"""Exchanges at most where a decision is found off the clock."""


def hold_decision(dao: Organisation, round_number: int) -> Process:
    """Exchange prices and answers until they settle or the decision period is over; returns the `Decision`.

    A scheme that does not play the game takes no time for it: its users work as the scheme says, and prices are those
    of the first exchange, so that rewards can be told for every scheme alike.
    """
    env, game, buyers = dao.world.env, dao.world.settings.game, tuple(buyer.number for buyer in dao.buyers)
    problem = yield from dao.world.policy.announce(dao.number, decision_problem(dao))
    steps = decision_steps(problem)
    if not dao.scheme.plays_game:
        return Decision(buyers, problem, next(steps), seconds=0.0)
    started_s = env.now
    dao.members.show("decision")
    with dao.doing("decision", round=round_number, dao=dao.label):
        for step in steps:
            yield env.timeout(game.decision_step_s)
            settled = bool(step.gap <= game.decision_tolerance)
            over = env.now + game.decision_step_s > started_s + game.decision_period_s
            if settled or over:
                break
    dao.members.show("idle")
    dao.members.tell_decision(dao.label, round_number, started_s)
    return Decision(buyers, problem, step, seconds=env.now - started_s, settled=settled)


def settled_decision(dao: Organisation) -> Decision:
    """The same exchange off the clock, to its end."""
    problem = decision_problem(dao)
    step = decide(problem, tolerance=dao.world.settings.game.decision_tolerance, most_steps=HISTORY_STEPS)
    return Decision(tuple(buyer.number for buyer in dao.buyers), problem, step, seconds=0.0)
