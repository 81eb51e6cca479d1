"""How providers price a foreseen satisfaction: from beliefs, at the equilibrium, or at the reserve."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game.equilibrium import budgeted_equilibrium
from flnft_sim.game.responses import budgeted_best_response, rival_sums
from flnft_sim.game.utilities import ProviderForm


@dataclass(frozen=True)
class Prices:
    """Quality and freshness price of each provider, (M,) each."""

    quality: Floats
    freshness: Floats


class Marginal(NamedTuple):
    """What one more unit of each price costs, as parts of what a unit costs now: (M,) for quality and for freshness.

    All are 1 for providers who take users' answers as given (`game.leadership`).
    """

    quality: Floats
    freshness: Floats


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What drives providers' prices, arrays (M,): valuations and budgets in money, λ; the reserve, the form of Ψ."""

    valuations_quality: Floats
    valuations_freshness: Floats
    budgets: Floats
    elasticity_ratio: Floats
    reserve: float
    form: ProviderForm = "printed"


def belief_prices(
    demand: Demand,
    believed_quality_money: Floats,
    believed_freshness_money: Floats,
    quality_satisfaction: Floats,
    freshness_satisfaction: Floats,
    marginal: Marginal | None = None,
) -> Prices:
    """Each provider's best response to what is believed of the others, within its budget.

    Beliefs are money (q·Q^λ and f·F), which does not depend on an FL-NFT's scale; each becomes a unit price with that
    provider's own present satisfaction, so that believing the equilibrium's money is playing the equilibrium. With
    `marginal` providers anticipate users' answers.
    """
    rivals_q = rival_sums(_unit_prices(believed_quality_money, quality_satisfaction))
    rivals_f = rival_sums(_unit_prices(believed_freshness_money, freshness_satisfaction))
    floor = reserve_prices(demand, quality_satisfaction, freshness_satisfaction)
    lone_q, lone_f = np.where(rivals_q > 0, 0.0, floor.quality), np.where(rivals_f > 0, 0.0, floor.freshness)
    left = demand.budgets - lone_q * quality_satisfaction - lone_f * freshness_satisfaction
    q, f = budgeted_best_response(
        rivals_q,
        rivals_f,
        demand.valuations_quality,
        demand.valuations_freshness,
        *_priced_by(marginal, quality_satisfaction, freshness_satisfaction, np.maximum(0.0, left)),
        form=demand.form,
    )
    return Prices(q + lone_q, f + lone_f)


def equilibrium_prices(
    demand: Demand, quality_satisfaction: Floats, freshness_satisfaction: Floats, marginal: Marginal | None = None
) -> Prices:
    """The equilibrium with perfect information; the reserve where there is none (fewer than two valuations)."""
    q, f = budgeted_equilibrium(
        demand.valuations_quality,
        demand.valuations_freshness,
        *_priced_by(marginal, quality_satisfaction, freshness_satisfaction, demand.budgets),
        form=demand.form,
    )
    floor = reserve_prices(demand, quality_satisfaction, freshness_satisfaction)
    return Prices(
        np.where((rival_sums(q) > 0) | (quality_satisfaction == 0), q, floor.quality),
        np.where((rival_sums(f) > 0) | (freshness_satisfaction == 0), f, floor.freshness),
    )


def _priced_by(
    marginal: Marginal | None, quality: Floats, freshness: Floats, budgets: Floats
) -> tuple[Floats, Floats, Floats]:
    """Both satisfactions as a unit of price costs them, and budgets by which what is really paid stays affordable."""
    if marginal is None:
        return quality, freshness, budgets
    affordable = budgets * np.minimum(1.0, np.minimum(marginal.quality, marginal.freshness))
    return quality * marginal.quality, freshness * marginal.freshness, affordable


def reserve_prices(demand: Demand, quality_satisfaction: Floats, freshness_satisfaction: Floats) -> Prices:
    """q = e^Q·reserve/Q^λ and f = e^F·reserve/F, never more than valuation and budget allow.

    Where one satisfaction is 0 it can carry no money, and the other carries all of the reserve.
    """
    worth = demand.valuations_quality + demand.valuations_freshness
    money = np.minimum(np.minimum(demand.reserve, worth), demand.budgets)
    e_quality = demand.elasticity_ratio / (1.0 + demand.elasticity_ratio)
    on_quality = np.where(freshness_satisfaction > 0, e_quality, 1.0)
    on_freshness = np.where(quality_satisfaction > 0, 1.0 - e_quality, 1.0)
    return Prices(
        _unit_prices(on_quality * money, quality_satisfaction),
        _unit_prices(on_freshness * money, freshness_satisfaction),
    )


def _unit_prices(money: Floats, satisfaction: Floats) -> Floats:
    """Money per unit of satisfaction, 0 where there is no satisfaction to pay for."""
    return np.divide(money, satisfaction, out=np.zeros_like(satisfaction), where=satisfaction > 0)
