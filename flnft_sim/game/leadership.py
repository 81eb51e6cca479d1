"""Providers who lead: what another price costs them once users have answered it.

A provider's payment for freshness is f·F. One that anticipates counts that its prices move F through users' epochs: a
unit of f costs F + f·dF/df and one of q costs Q^λ + f·dF/dq. With these marginal satisfactions for Q^λ and F the
conditions of an equilibrium among leaders are those of the simultaneous one, so it is found by the same roots, and the
derivatives anew at its prices, until they stay. Who is paid more trains longer and delivers older updates: F falls with
the prices, so that a leader's next unit costs less and it pays more.
"""

from dataclasses import replace

import numpy as np

from flnft_sim.game.pricing import Marginal
from flnft_sim.game.problem import DecisionStep
from flnft_sim.game.rewards import quality_satisfaction

_NUDGE = 1e-4  # of a price, to either side
_LEAST = 0.05  # of a satisfaction: a marginal one is at least this part of it


def anticipated(step: DecisionStep) -> Marginal:
    """What each provider's next unit of price costs it at a step, users answering."""
    providers = step.freshness_prices.size
    freshness, money = step.answered_freshness, float(step.quality_money.sum())
    unit = float(step.freshness_prices.sum())
    if not freshness > 0 or not step.takes_part.any():
        return Marginal(np.ones(providers), np.ones(providers))
    of_money, of_unit = (_slope(step, of_freshness) for of_freshness in (False, True))
    satisfaction = np.asarray(quality_satisfaction(step.quality, step.problem.providers.elasticity_ratio))
    by_quality = step.freshness_prices * satisfaction * (of_money / money if money > 0 else 0.0)
    by_freshness = step.freshness_prices * (of_unit / unit if unit > 0 else 0.0)
    relative = np.divide(by_quality, satisfaction, out=np.zeros(providers), where=satisfaction > 0)
    return Marginal(np.maximum(_LEAST, 1.0 + relative), np.maximum(_LEAST, 1.0 + by_freshness / freshness))


def _slope(step: DecisionStep, of_freshness: bool) -> float:
    """dF per relative change of all money for quality, or of the unit price of freshness."""
    above, below = (_answered(step, of_freshness, 1.0 + sign * _NUDGE) for sign in (1.0, -1.0))
    return (above - below) / (2.0 * _NUDGE)


def _answered(step: DecisionStep, of_freshness: bool, factor: float) -> float:
    """F that those who take part answer with, one kind of price being so many times as high."""
    users = np.flatnonzero(step.takes_part)
    part = step.terms.of(users)
    if of_freshness:
        part = replace(part, freshness_price=part.freshness_price * factor)
    else:
        part = replace(part, quality_rewards=part.quality_rewards * factor)
    start = step.foreseen_epochs[users]
    own_age = step.problem.user_reply == "own-age"
    epochs = part.own_age_peaks(step.terms.own_age_epochs[users]) if own_age else part.price_taking_epochs(start)
    return float(part.freshness(epochs).sum())
