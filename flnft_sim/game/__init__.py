"""The game between users and providers: utilities, best responses, equilibrium, beliefs, and the decision phase."""

from flnft_sim.checks import NotFiniteError, OutOfRangeError
from flnft_sim.game.answers import UserTerms
from flnft_sim.game.beliefs import BELIEFS, Belief, BeliefOptions, BidBelief
from flnft_sim.game.contest import Contest, contest_equilibrium
from flnft_sim.game.contributions import age_closed_form, freshness_contribution, quality_contribution, shares
from flnft_sim.game.costs import compute_unit_cost, privacy_unit_cost
from flnft_sim.game.decision import decide, decision_steps
from flnft_sim.game.equilibrium import NoEquilibriumError, budgeted_equilibrium, provider_equilibrium
from flnft_sim.game.errors import ElasticityError, EmptyMarketError, FairnessError, ValuationError
from flnft_sim.game.exploitability import (
    provider_exploitability,
    reanswered_gains,
    terms_for_all,
    user_exploitability,
)
from flnft_sim.game.incentives import COSTS, REWARDS, UTILITIES, Incentives
from flnft_sim.game.problem import DecisionProblem, DecisionStep
from flnft_sim.game.regimes import DemandRegimes
from flnft_sim.game.report import Examined, GameReport, examine, game_report
from flnft_sim.game.responses import (
    budgeted_best_response,
    provider_best_response,
    rival_sums,
    unrounded_answer,
    user_best_response,
)
from flnft_sim.game.rewards import delivered_shares, elasticity_ratio, quality_satisfaction, user_rewards
from flnft_sim.game.utilities import (
    ProviderForm,
    cash_surplus,
    effort_cost,
    fair_benefit,
    provider_utility,
    user_utility,
    winning_probability,
)

__all__ = [
    "BELIEFS",
    "COSTS",
    "REWARDS",
    "UTILITIES",
    "Belief",
    "BeliefOptions",
    "BidBelief",
    "Contest",
    "DecisionProblem",
    "DecisionStep",
    "DemandRegimes",
    "ElasticityError",
    "EmptyMarketError",
    "Examined",
    "FairnessError",
    "GameReport",
    "Incentives",
    "NoEquilibriumError",
    "NotFiniteError",
    "OutOfRangeError",
    "ProviderForm",
    "UserTerms",
    "ValuationError",
    "age_closed_form",
    "budgeted_best_response",
    "budgeted_equilibrium",
    "cash_surplus",
    "compute_unit_cost",
    "contest_equilibrium",
    "decide",
    "decision_steps",
    "delivered_shares",
    "effort_cost",
    "elasticity_ratio",
    "examine",
    "fair_benefit",
    "freshness_contribution",
    "game_report",
    "privacy_unit_cost",
    "provider_best_response",
    "provider_equilibrium",
    "provider_exploitability",
    "provider_utility",
    "quality_contribution",
    "quality_satisfaction",
    "reanswered_gains",
    "rival_sums",
    "shares",
    "terms_for_all",
    "unrounded_answer",
    "user_best_response",
    "user_exploitability",
    "user_rewards",
    "user_utility",
    "winning_probability",
]
