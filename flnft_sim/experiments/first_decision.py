"""The first decision of a scenario's run, examined: its equilibrium, and who could still gain by deviating."""

from typing import NamedTuple

from flnft_sim.agents.dao.problem import decision_problem
from flnft_sim.errors import InputError
from flnft_sim.game import DecisionProblem, GameReport, game_report
from flnft_sim.scenario import Scenario
from flnft_sim.simulation import FlnftModel


class FirstDecision(NamedTuple):
    """What one DAO and its providers have to decide, and the report on it."""

    problem: DecisionProblem
    report: GameReport


def first_decision(scenario: Scenario, dao: int = 0) -> FirstDecision:
    """Play the ledger's history, and examine the decision that the DAO of that number then has before it.

    Raises `InputError` for a number that no DAO has.
    """
    if not 0 <= dao < scenario.population.daos:
        raise InputError(f"DAO {dao}: {scenario.name} has DAOs 0 to {scenario.population.daos - 1}; choose one of them")
    model = FlnftModel(scenario)
    model.cast.next_demand()
    problem = decision_problem(model.daos[dao])
    return FirstDecision(problem, game_report(problem, tolerance=scenario.game.decision_tolerance))
