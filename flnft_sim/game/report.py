"""A decision under the magnifying glass: what was played, what the equilibrium is, and who could still gain."""

from dataclasses import dataclass, replace

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game.decision import decide
from flnft_sim.game.exploitability import reanswered_gains, terms_for_all, user_exploitability
from flnft_sim.game.pricing import reserve_prices
from flnft_sim.game.problem import DecisionProblem, DecisionStep
from flnft_sim.game.responses import budgeted_best_response, rival_sums
from flnft_sim.game.rewards import quality_satisfaction
from flnft_sim.game.utilities import provider_utility


@dataclass(frozen=True)
class Examined:
    """A decision's last step, and what each agent makes of it and could gain by deviating alone.

    Gains are in money for providers (M,) and in utility units for users (N,); the cash surplus is money. Users who
    stay out have a surplus of 0. `provider_gains` holds Q and F fixed, `anticipated_gains` lets users answer the other
    prices first (None in markets too large to look); users' are against the reply that counts their own age.
    """

    step: DecisionStep
    provider_utilities: Floats
    provider_gains: Floats
    anticipated_gains: Floats | None
    user_gains: Floats
    cash_surplus: Floats


@dataclass(frozen=True)
class GameReport:
    """One decision as played on beliefs, and the equilibrium of perfect information of the same market."""

    played: Examined
    equilibrium: Examined


def game_report(problem: DecisionProblem, *, tolerance: float = 1e-6) -> GameReport:
    """Settle the problem as it stands and with perfect information, and look for gains in both."""
    informed = replace(problem, believed_quality_money=None, believed_freshness_money=None)
    return GameReport(
        played=examine(problem, decide(problem, tolerance=tolerance)),
        equilibrium=examine(informed, decide(informed, tolerance=tolerance)),
    )


def examine(problem: DecisionProblem, step: DecisionStep) -> Examined:
    """Utilities and exploitability of everybody at a step, given what the others really do there."""
    played, best = _provider_utilities(problem, step)
    surplus = step.total_rewards - problem.cost(step.epochs.astype(np.float64), step.privacy)
    return Examined(
        step=step,
        provider_utilities=played,
        provider_gains=np.maximum(0.0, best - played),
        anticipated_gains=reanswered_gains(step),
        user_gains=user_exploitability(
            terms_for_all(problem, step), np.where(step.takes_part, step.epochs, 0), step.privacy
        ),
        cash_surplus=np.where(step.takes_part, surplus, 0.0),
    )


def _provider_utilities(problem: DecisionProblem, step: DecisionStep) -> tuple[Floats, Floats]:
    """Utility (M,) of each provider over both dimensions, played and the best it could be against the others' prices.

    A dimension without satisfaction is not traded and counts for nobody. Where all others bid zero the best is to win
    at the reserve; without a reserve that is a supremum no bid attains, V.
    """
    demand = problem.demand
    satisfaction = (
        np.asarray(quality_satisfaction(step.quality, demand.elasticity_ratio)),
        np.full(step.freshness_prices.shape, step.freshness),
    )
    worth = (demand.valuations_quality * (satisfaction[0] > 0), demand.valuations_freshness * (satisfaction[1] > 0))
    rivals = (rival_sums(step.quality_prices), rival_sums(step.freshness_prices))
    best = budgeted_best_response(
        rivals[0],
        rivals[1],
        worth[0],
        worth[1],
        satisfaction[0],
        satisfaction[1],
        demand.budgets,
        form=demand.form,
    )
    floor = reserve_prices(demand, *satisfaction)
    utilities = [np.zeros_like(worth[0]), np.zeros_like(worth[0])]
    for dimension, (price, least) in enumerate(
        ((step.quality_prices, floor.quality), (step.freshness_prices, floor.freshness))
    ):
        delta, value, s = rivals[dimension], worth[dimension], satisfaction[dimension]
        alone = np.maximum(0.0, value - least * (s if demand.form == "money" else 1.0 + s))
        utilities[0] += provider_utility(price, delta, value, s, form=demand.form)
        reply = provider_utility(best[dimension], delta, value, s, form=demand.form)
        utilities[1] += np.where(delta > 0, reply, alone)
    return utilities[0], utilities[1]
