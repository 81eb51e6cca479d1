"""Learners: what stands behind a DAO's rounds, one file each; training for real, or following a fitted curve."""

from flnft_sim.learning.learners.base import DivergenceError, Learner, LearnerError, LocalUpdates
from flnft_sim.learning.learners.centralized import CentralizedLearner
from flnft_sim.learning.learners.federated import FederatedLearner, Training
from flnft_sim.learning.learners.private import PrivateLearner
from flnft_sim.learning.learners.private_surrogate import PrivateSurrogateLearner
from flnft_sim.learning.learners.surrogate import SurrogateLearner

__all__ = [
    "CentralizedLearner",
    "DivergenceError",
    "FederatedLearner",
    "Learner",
    "LearnerError",
    "LocalUpdates",
    "PrivateLearner",
    "PrivateSurrogateLearner",
    "SurrogateLearner",
    "Training",
]
