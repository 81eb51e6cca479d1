"""What agents may see: the public ledger, and what is their own. Every number is at least 0, in scales near 1."""

import math

import numpy as np

from flnft_sim.agents.decision import Decision
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.arrays import Floats
from flnft_sim.simulation import FlnftModel

MOST = 1e6  # of any number that is shown

PROVIDER = (
    "own valuation, as a multiple of its usual one",
    "reserve price of a licence, as a part of the usual valuation",
    "what it would bid by the book, as a part of the usual valuation; 0 before a decision",
    "what the ledger lets everyone believe that rivals bid together, by the same scale",
    "what a winner paid in the last auction of its category, by the same scale",
    "lowest ask of that auction, by the same scale",
    "whether it won a licence there",
    "episodes begun, as a part of all",
    "rounds of this minting that are over, as a part of all",
)
USER = (
    "reward announced to it for this minting, in money",
    "own cost of an epoch, in money for this minting",
    "own cost of a unit of ε, in money for this minting",
    "own seconds for an epoch, as a part of the freshness horizon",
    "own upload and consensus, as a part of the freshness horizon",
    "own part of the quality that all bring",
    "best epochs by the book, as a part of the most",
    "best ε by the book, as a part of the highest",
    "episodes begun, as a part of all",
    "rounds of this minting that are over, as a part of all",
)


def provider_view(
    model: FlnftModel, provider: ServiceProvider, *, by_the_book_money: float, rounds_done: int
) -> Floats:
    """What a provider sees, in the order of `PROVIDER`."""
    world, usual = model.world, provider.base_valuation_money
    on_offer = [name for name in dict.fromkeys(dao.category for dao in model.daos) if provider.wants(name)]
    rivals = [each for each in model.providers if each != provider and any(map(each.wants, on_offer))]
    quality, freshness = world.beliefs.believed_money([rival.number for rival in rivals])
    newest_first = reversed(model.cast.contract.settled)
    last = next((each for each in newest_first if provider.wants(each.category) and each.bids.any()), None)
    return _shown(
        provider.valuation_money / usual,
        world.reserves.money(next(iter(on_offer), provider.category)) / usual,
        by_the_book_money / usual,
        float((quality + freshness).sum()) / usual,
        (last.clearing.price or 0.0) / usual if last and last.clearing else 0.0,
        float(last.asks.min()) / usual if last and last.asks.size else 0.0,
        float(last is not None and provider in map(last.buyers.__getitem__, last.winners)),
        *_progress(model, rounds_done),
    )


def user_view(model: FlnftModel, decision: Decision, member: int, *, rounds_done: int) -> Floats:
    """What the DAO's member of that number sees after a decision, in the order of `USER`."""
    problem, step = decision.problem, decision.step
    horizon = problem.freshness_horizon_s
    known = problem.users
    return _shown(
        float(decision.rewards[member]),
        known.compute_costs[member],
        known.privacy_costs[member],
        known.seconds_per_epoch[member] / horizon,
        known.fixed_age_s[member] / horizon,
        known.quality_contributions[member] / known.quality_contributions.sum(),
        step.epochs[member] / max(1.0, float(known.epochs_max[member])),
        step.privacy[member] / problem.privacy_range[1],
        *_progress(model, rounds_done),
    )


def _progress(model: FlnftModel, rounds_done: int) -> tuple[float, float]:
    settings = model.settings
    return (model.episode + 1) / settings.market.auctions, rounds_done / settings.learning.rounds


def _shown(*numbers: float) -> Floats:
    return np.array([0.0 if math.isnan(each) else min(max(each, 0.0), MOST) for each in numbers], dtype=np.float32)
