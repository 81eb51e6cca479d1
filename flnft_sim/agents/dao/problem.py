"""What is known when a decision phase begins: the game that users and providers are about to play."""

from functools import partial

import numpy as np

from flnft_sim.agents.dao.experience import Experience
from flnft_sim.agents.dao.organisation import Organisation
from flnft_sim.arrays import Floats, Ints
from flnft_sim.game import DecisionProblem, compute_unit_cost, privacy_unit_cost, quality_contribution


def decision_problem(dao: Organisation) -> DecisionProblem:
    """What is known at the start of a round: contributions measured so far, costs, beliefs, valuations."""
    world, buyers = dao.world, dao.buyers
    game, known = world.settings.game, dao.experience
    compute, privacy = unit_costs(dao, known)
    kappa = game.cost_price * world.settings.learning.rounds
    seconds = dao.seconds_per_epoch
    # arrays of their own: what was known stays as it was while a DAO goes on learning
    pose = partial(
        DecisionProblem.of_known,
        quality_contributions=quality_contribution(dao.shard_sizes, known.mean_loss, mu0=game.mu0, mu1=game.mu1),
        fixed_age_s=known.fixed_age_s.copy(),
        seconds_per_epoch=seconds,
        compute_costs=kappa * compute,
        privacy_costs=kappa * privacy,
        epochs_max=epochs_max(dao, known, seconds).astype(np.float64),
        last_epochs=known.last_epochs.copy(),
        valuations_quality=np.array([b.quality_valuation_money for b in buyers]),
        valuations_freshness=np.array([b.freshness_valuation_money for b in buyers]),
        budgets=np.array([b.budget_money for b in buyers]),
        elasticity_ratio=np.array([b.elasticity_ratio for b in buyers]),
        fairness=game.sigma,
        privacy_range=game.privacy_range,
        freshness_horizon_s=game.freshness_horizon_s,
        reserve=world.reserves.money(dao.category),
        damping=game.damping,
        reward_expectation=game.reward_expectation,
        user_reply=game.user_reply,
        leadership=game.leadership,
        provider_utility=game.provider_utility,
        incentives=world.incentives,
        contracted_privacy=None if dao.contracts is None else dao.contracts.copy(),
    )
    numbers = [buyer.number for buyer in buyers]
    if world.beliefs.wants_truth:
        # without beliefs the decision is the equilibrium of full information
        truth = world.engine.decide(pose(), tolerance=1e-6, most_steps=200)
        world.beliefs.reveal(truth.quality_money, truth.freshness_money, numbers)
    quality, freshness = world.beliefs.believed_money(numbers)
    return pose(believed_quality_money=quality, believed_freshness_money=freshness)


def unit_costs(dao: Organisation, known: Experience) -> tuple[Floats, Floats]:
    """C^c (Eq. 6) and C^p (Eq. 7) of each member, in cost units."""
    settings = dao.world.settings
    devices, game = settings.devices, settings.game
    compute = compute_unit_cost(
        cycles_per_batch=dao.cycles_per_sample * settings.learning.batch_size,
        cpu_hz=dao.members.cpu_hz,
        memory_gb=devices.memory_gb,
        memory_ratio=devices.memory_ratio,
        alpha=game.alpha,
        capacitance=devices.capacitance,
    )
    privacy = settings.learning.privacy
    # Where ‖g̃‖ is mostly noise, less ε would raise its own price: there the clipping bound, known to all, stands in.
    norm = np.full(len(compute), privacy.clip_l2) if dao.chooses_privacy_once else known.update_norm
    return compute, dao.privacy_tastes * privacy_unit_cost(norm, beta=game.beta)


def epochs_max(dao: Organisation, known: Experience, seconds_per_epoch: Floats) -> Ints:
    """k_max: the most epochs that fit the round's deadline (Eq. 15's C2 with its units mended); 0 = stay out."""
    settings = dao.world.settings
    most, left = np.full(len(seconds_per_epoch), settings.game.epochs_max, dtype=np.int64), dao.learner.epochs_left
    if left is not None:
        most = np.minimum(most, left)
    deadline_s = settings.timeline.round_deadline_s
    if deadline_s is None:
        return most
    left_s = deadline_s - known.fixed_age_s
    fitting = np.floor(left_s / np.maximum(seconds_per_epoch, 1e-12)).clip(0, settings.game.epochs_max)
    return np.minimum(most, fitting.astype(np.int64))
