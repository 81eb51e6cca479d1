"""Random decision problems, shared by the tests of decisions."""

import numpy as np

from flnft_sim.game import DecisionProblem


def problem(users=8, providers=4, seed=0, **changes):
    rng = np.random.default_rng(seed)
    valuations = rng.uniform(300, 2000, providers)
    settings = {
        "quality_contributions": rng.uniform(5, 40, users),
        "fixed_age_s": rng.uniform(0.5, 3, users),
        "seconds_per_epoch": rng.uniform(0.1, 3, users),
        "compute_costs": rng.uniform(20, 50, users),
        "privacy_costs": rng.uniform(5, 20, users),
        "epochs_max": rng.integers(1, 20, users),
        "valuations_quality": valuations / 2,
        "valuations_freshness": valuations / 2,
        "budgets": valuations,
        "elasticity_ratio": rng.uniform(0.7, 1.3, providers),
        "believed_quality_money": rng.uniform(1, 200, providers),
        "believed_freshness_money": rng.uniform(1, 200, providers),
        "reserve": 100.0,
    }
    return DecisionProblem(**(settings | changes))


def any_problem(seed):
    """A market of any size, half of them with full information, with users who will refuse, with tight budgets."""
    rng = np.random.default_rng(seed + 10**6)
    users, providers = int(rng.integers(1, 40)), int(rng.integers(1, 12))
    changes = {}
    if rng.random() < 0.5:
        changes |= {"believed_quality_money": None, "believed_freshness_money": None}
    if rng.random() < 0.5:
        changes["compute_costs"] = np.geomspace(1, 3000, users)[rng.permutation(users)]
    if rng.random() < 0.5:
        changes["budgets"] = rng.uniform(10, 150, providers)
    return problem(users, providers, seed, **changes)
