"""Learning: data, models, training of every user at once, aggregation, privacy and schemes.

Importing this loads neither PyTorch nor Numba: an engine is imported when it first trains.
"""

from flnft_sim.learning.accounting import dp_epsilon, dp_noise_multiplier
from flnft_sim.learning.aggregation import AGGREGATORS, aggregate
from flnft_sim.learning.batches import batch_plan
from flnft_sim.learning.coalitions import Coalitions
from flnft_sim.learning.contracts import BudgetError, Contracts, accountant
from flnft_sim.learning.curves import Curve, PrivateCurve, load_curve, load_curves, load_private_curve
from flnft_sim.learning.data import DATASETS, DataError, Dataset, Facts, data_directory, load_dataset
from flnft_sim.learning.engines.base import PrivateDescent, StepNoise, Trained, TrainingError
from flnft_sim.learning.engines.choice import EngineChoice, choose_engine
from flnft_sim.learning.extent import Extent, load_extent, load_private_extent
from flnft_sim.learning.learners import (
    CentralizedLearner,
    FederatedLearner,
    Learner,
    LocalUpdates,
    PrivateLearner,
    PrivateSurrogateLearner,
    SurrogateLearner,
    Training,
)
from flnft_sim.learning.models import MODELS, Model, build_model
from flnft_sim.learning.partitions import PARTITIONS, partition, partition_table
from flnft_sim.learning.privacy import Noise, PrivacyLedger, noise_scales
from flnft_sim.learning.schemes import SCHEMES, Participation, Scheme, SchemeContext
from flnft_sim.learning.training import evaluate, rank_users, score_averages, train_privately, train_users

__all__ = [
    "AGGREGATORS",
    "DATASETS",
    "MODELS",
    "PARTITIONS",
    "SCHEMES",
    "BudgetError",
    "CentralizedLearner",
    "Coalitions",
    "Contracts",
    "Curve",
    "DataError",
    "Dataset",
    "EngineChoice",
    "Extent",
    "Facts",
    "FederatedLearner",
    "Learner",
    "LocalUpdates",
    "Model",
    "Noise",
    "Participation",
    "PrivacyLedger",
    "PrivateCurve",
    "PrivateDescent",
    "PrivateLearner",
    "PrivateSurrogateLearner",
    "Scheme",
    "SchemeContext",
    "StepNoise",
    "SurrogateLearner",
    "Trained",
    "Training",
    "TrainingError",
    "accountant",
    "aggregate",
    "batch_plan",
    "build_model",
    "choose_engine",
    "data_directory",
    "dp_epsilon",
    "dp_noise_multiplier",
    "evaluate",
    "load_curve",
    "load_curves",
    "load_dataset",
    "load_extent",
    "load_private_curve",
    "load_private_extent",
    "noise_scales",
    "partition",
    "partition_table",
    "rank_users",
    "score_averages",
    "train_privately",
    "train_users",
]
