"""The door to the loops: the same last step as `flnft_sim.game.decide`, for the problems that they serve."""

import logging
from functools import cache

import numpy as np

from flnft_sim.arrays import Bools, Floats
from flnft_sim.game.decision import decide as decide_by_arrays
from flnft_sim.game.exchange import user_terms
from flnft_sim.game.loops import MOST_USERS, kept
from flnft_sim.game.loops.decision import settle
from flnft_sim.game.problem import DecisionProblem, DecisionStep

MOST_EPOCHS = 10_000  # that are tried one after another

_log = logging.getLogger(__name__)


def serves(problem: DecisionProblem) -> bool:
    """Whether the loops know the problem's mathematics, and are the faster way to its result."""
    return bool(
        problem.incentives is None
        and problem.damping is None
        and problem.leadership == "simultaneous"
        and problem.freshness_horizon_s > 0
        and problem.users.epochs_max.size <= MOST_USERS
        and problem.users.epochs_max.max() <= MOST_EPOCHS
    )


def decide(problem: DecisionProblem, *, tolerance: float = 1e-6, most_steps: int = 200) -> DecisionStep:
    """The first step whose gap is at most `tolerance`, or step number `most_steps`; by arrays what loops do not serve.

    Both find the same, to roundings of the last digits.
    """
    if not serves(problem):
        return decide_by_arrays(problem, tolerance=tolerance, most_steps=most_steps)
    users, who, answers = _users(problem)
    providers, prices = _providers(problem), np.empty((8, problem.providers.budgets.size))
    iteration, *told = settle(
        users,
        who,
        answers,
        providers,
        prices,
        problem.providers.beliefs is None,
        problem.user_reply == "own-age",
        problem.provider_utility == "money",
        problem.reward_expectation == "expected",
        problem.fairness,
        float(problem.freshness_horizon_s),
        float(problem.reserve),
        float(tolerance),
        max(1, most_steps),
    )
    if iteration == 0:  # a budget that binds at the equilibrium, or a number that arrays refuse and name
        return decide_by_arrays(problem, tolerance=tolerance, most_steps=most_steps)
    return _step(problem, iteration, told, who, answers, prices)


@cache
def warm_up() -> None:
    """Compile the loops unless this machine has done so before; the log says so first, as it takes seconds."""
    with kept.KEPT.compiling("decision") as cold:
        if cold:
            _log.info("compiling the game's loops, once on this machine (about 8 s) …")
            decide(_smallest())


def _smallest() -> DecisionProblem:
    """One user, one provider."""
    return DecisionProblem(
        quality_contributions=1.0,
        fixed_age_s=1.0,
        seconds_per_epoch=1.0,
        compute_costs=1.0,
        privacy_costs=1.0,
        epochs_max=1.0,
        valuations_quality=1.0,
        valuations_freshness=1.0,
        budgets=1.0,
        believed_quality_money=1.0,
        believed_freshness_money=1.0,
    )


def _users(problem: DecisionProblem) -> tuple[Floats, Bools, Floats]:
    """What is known of users, who may take part, and room for their answers with what they foresee at first."""
    known, count = problem.users, problem.users.epochs_max.size
    users, who, answers = np.empty((8, count)), np.zeros((3, count), dtype=np.bool_), np.empty((10, count))
    users[kept.QUALITY], users[kept.FIXED_S] = known.quality_contributions, known.fixed_age_s
    users[kept.EPOCH_S], users[kept.MOST] = known.seconds_per_epoch, problem.most_epochs
    users[kept.COMPUTE], users[kept.PRIVACY] = known.compute_costs, known.privacy_costs
    users[kept.LEAST_PRIVACY], users[kept.MOST_PRIVACY] = problem.privacy_limits
    who[kept.CANDIDATE] = known.epochs_max >= 1.0
    answers[kept.FORESEEN] = np.minimum(np.maximum(known.last_epochs, 1.0), np.maximum(1.0, known.epochs_max))
    return users, who, answers


def _providers(problem: DecisionProblem) -> Floats:
    """What is known of providers."""
    known = problem.providers
    providers = np.empty((8, known.budgets.size))
    providers[kept.WORTH_Q], providers[kept.WORTH_F] = known.valuations_quality, known.valuations_freshness
    providers[kept.BUDGET], providers[kept.RATIO] = known.budgets, known.elasticity_ratio
    providers[kept.BELIEVED_Q], providers[kept.BELIEVED_F] = known.beliefs or (np.nan, np.nan)
    providers[kept.INSISTED_Q], providers[kept.INSISTED_F] = problem.insisted or (np.nan, np.nan)
    return providers


def _step(
    problem: DecisionProblem, iteration: int, told: list[float], who: Bools, answers: Floats, prices: Floats
) -> DecisionStep:
    """The last exchange, with what the loops have found of it already."""
    gap, quality, freshness, answered_freshness, unit_price = told
    terms = user_terms(problem, answers[kept.QUALITY_REWARD], unit_price)
    found = {
        "epochs": answers[kept.BEST_EPOCHS].astype(np.int64),
        "privacy": answers[kept.BEST_PRIVACY],
        "utilities": answers[kept.UTILITY],
    }
    if problem.user_reply == "own-age":
        vars(terms).update({f"own_age_{name}": value for name, value in found.items()})
    step = DecisionStep(
        problem=problem,
        iteration=iteration,
        quality_prices=prices[kept.PRICE_Q],
        freshness_prices=prices[kept.PRICE_F],
        quality_money=prices[kept.MONEY_Q],
        freshness_money=prices[kept.MONEY_F],
        foreseen_epochs=answers[kept.FORESEEN],
        takes_part=who[kept.TAKES_PART],
        total_rewards=answers[kept.REWARD],
        quality_shares=answers[kept.QUALITY_SHARE],
        freshness_shares=answers[kept.FRESHNESS_SHARE],
        quality=quality,
        freshness=freshness,
        answered_freshness=answered_freshness,
        terms=terms,
        gap=gap,
    )
    vars(step).update(found)
    return step
