"""One exchange of a decision: prices for the foreseen satisfaction, then the users' answers to them."""

import numpy as np

from flnft_sim.arrays import Bools, Floats
from flnft_sim.game.answers import UserTerms
from flnft_sim.game.contributions import age_closed_form, freshness_contribution, shares
from flnft_sim.game.numeric import NumericTerms
from flnft_sim.game.pricing import Marginal, Prices, belief_prices, equilibrium_prices
from flnft_sim.game.problem import DecisionProblem, DecisionStep
from flnft_sim.game.responses import rival_sums
from flnft_sim.game.rewards import quality_satisfaction
from flnft_sim.game.utilities import fair_benefit, winning_probability


def exchange(
    problem: DecisionProblem,
    candidates: Bools,
    freshness: float,
    foreseen_epochs: Floats,
    *,
    answers: bool,
    marginal: Marginal | None = None,
) -> DecisionStep:
    """Providers price the satisfaction foreseen from the `candidates` (N,); users answer, and some refuse.

    With `answers` each user finds the epochs that answer the very reward they lead to, starting from `foreseen_epochs`;
    without, those are what it is paid for, and its answer is a wish to move. With `marginal` providers anticipate.
    """
    qualities = of_candidates(candidates, problem.users.quality_contributions)
    quality = float(qualities.sum())
    sat_quality = np.asarray(quality_satisfaction(quality, problem.providers.elasticity_ratio))
    sat_freshness = np.full_like(sat_quality, freshness)
    prices = _prices(problem, sat_quality, sat_freshness, marginal)
    quality_money, freshness_money = prices.quality * sat_quality, prices.freshness * sat_freshness
    # all providers want the same FL-NFT: the sum over them is what users answer, and (N, M) is never built
    quality_shares = shares(problem.weights(qualities))
    quality_rewards = counted_money(problem, prices.quality, quality_money) * quality_shares
    paid_freshness = counted_money(problem, prices.freshness, freshness_money)
    weighed = freshness if problem.incentives is None else foreseen_weight(problem, candidates, foreseen_epochs)
    terms = user_terms(problem, quality_rewards, paid_freshness / weighed if weighed > 0 else 0.0)
    if answers:
        foreseen_epochs = _answered(problem, terms, foreseen_epochs)
    contributions = of_candidates(candidates, terms.freshness(foreseen_epochs))
    freshness_shares = shares(problem.weights(contributions))
    rewards = quality_rewards + paid_freshness * freshness_shares
    step = DecisionStep(
        problem=problem,
        iteration=0,
        quality_prices=prices.quality,
        freshness_prices=prices.freshness,
        quality_money=quality_money,
        freshness_money=freshness_money,
        foreseen_epochs=foreseen_epochs,
        takes_part=candidates,
        total_rewards=rewards,
        quality_shares=quality_shares,
        freshness_shares=freshness_shares,
        quality=quality,
        freshness=freshness,
        answered_freshness=float(contributions.sum()),
        terms=terms,
        gap=np.inf,
    )
    if problem.incentives is None and np.all(_surely_paid(problem, rewards) | ~candidates):
        return step
    return step.noted(takes_part=candidates & (step.utilities >= 0))


def user_terms(problem: DecisionProblem, quality_rewards: Floats, freshness_price: float) -> UserTerms:
    """What users weigh at announced prices; users who cannot finish one epoch are asked about one."""
    numeric = {} if problem.incentives is None else {"incentives": problem.incentives}
    kind: type[UserTerms] = NumericTerms if numeric else UserTerms
    return kind(
        **numeric,
        quality_rewards=quality_rewards,
        freshness_price=freshness_price,
        fixed_age_s=problem.users.fixed_age_s,
        seconds_per_epoch=problem.users.seconds_per_epoch,
        compute_costs=problem.users.compute_costs,
        privacy_costs=problem.users.privacy_costs,
        most_epochs=problem.most_epochs,
        fairness=problem.fairness,
        privacy_range=problem.privacy_limits,
        freshness_horizon_s=problem.freshness_horizon_s,
    )


def _answered(problem: DecisionProblem, terms: UserTerms, start: Floats) -> Floats:
    if problem.user_reply == "own-age":
        return terms.own_age_peaks(terms.own_age_epochs)
    return terms.price_taking_epochs(start)


def wished_epochs(step: DecisionStep) -> Floats:
    """The real epochs (N,) within reach that users would foresee at a step's prices."""
    if step.problem.user_reply == "own-age":
        return step.terms.own_age_peaks(step.epochs)
    return np.clip(step.unrounded_epochs, 1.0, np.maximum(1.0, step.problem.users.epochs_max))


def foreseen_freshness(problem: DecisionProblem, epochs: Floats) -> Floats:
    """θ^F (N,) foreseen when users train for that many epochs."""
    age_s = age_closed_form(
        epochs=epochs,
        seconds_per_epoch=problem.users.seconds_per_epoch,
        upload_s=problem.users.fixed_age_s,
        consensus_s=0.0,
    )
    contributions: Floats = freshness_contribution(age_s, freshness_horizon_s=problem.freshness_horizon_s)
    return contributions


def of_candidates(candidates: Bools, values: Floats) -> Floats:
    """What the candidates bring, and 0 for the others, (N,)."""
    return values if candidates.all() else np.where(candidates, values, 0.0)


def foreseen_weight(problem: DecisionProblem, candidates: Bools, epochs: Floats) -> float:
    """What the candidates' foreseen freshness weighs together when money is shared."""
    return float(problem.weights(of_candidates(candidates, foreseen_freshness(problem, epochs))).sum())


def counted_money(problem: DecisionProblem, prices: Floats, money: Floats) -> float:
    """The money (M,) of one dimension that users count on: all that is announced, or each at its chance to win."""
    if problem.reward_expectation == "expected":
        return float((money * winning_probability(prices, rival_sums(prices))).sum())
    return float(money.sum())


def _prices(problem: DecisionProblem, sat_quality: Floats, sat_freshness: Floats, marginal: Marginal | None) -> Prices:
    if (beliefs := problem.providers.beliefs) is None:
        prices = equilibrium_prices(problem.demand, sat_quality, sat_freshness, marginal)
    else:
        prices = belief_prices(problem.demand, *beliefs, sat_quality, sat_freshness, marginal)
    if problem.insisted is None:
        return prices
    quality, freshness = problem.insisted
    return Prices(
        np.where(np.isnan(quality), prices.quality, quality), np.where(np.isnan(freshness), prices.freshness, freshness)
    )


def _surely_paid(problem: DecisionProblem, rewards: Floats) -> Bools:
    """Whether the least effort, (1, lowest ε), has a utility of at least 0: then so has the best one."""
    benefit = fair_benefit(1.0, fairness=problem.fairness)
    benefit += fair_benefit(problem.privacy_limits[0], fairness=problem.fairness)
    return rewards * benefit >= problem.least_cost
