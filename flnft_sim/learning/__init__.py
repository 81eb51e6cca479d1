"""Learning: data, models, training of every user at once, aggregation, privacy and schemes.

Importing this loads neither PyTorch nor Numba: an engine is imported when it first trains.
"""

from flnft_sim.learning.aggregation import AGGREGATORS, aggregate
from flnft_sim.learning.batches import batch_plan
from flnft_sim.learning.data import DATASETS, DataError, Dataset, Facts, data_directory, load_dataset
from flnft_sim.learning.engine import (
    EngineChoice,
    StepNoise,
    TrainingError,
    choose_engine,
    evaluate,
    rank_users,
    train_users,
)
from flnft_sim.learning.learner import CentralizedLearner, FederatedLearner, Learner, LocalUpdates
from flnft_sim.learning.models import MODELS, Model, build_model
from flnft_sim.learning.partition import (
    PARTITIONS,
    describe_partition,
    partition,
    partition_table,
)
from flnft_sim.learning.privacy import PrivacyLedger, noise_scales
from flnft_sim.learning.schemes import SCHEMES, Participation, Scheme, SchemeContext
from flnft_sim.learning.surrogate import Curve, Extent, SurrogateLearner, load_curve, load_curves, load_extent

__all__ = [
    "AGGREGATORS",
    "DATASETS",
    "MODELS",
    "PARTITIONS",
    "SCHEMES",
    "CentralizedLearner",
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
    "Participation",
    "PrivacyLedger",
    "Scheme",
    "SchemeContext",
    "StepNoise",
    "SurrogateLearner",
    "TrainingError",
    "aggregate",
    "batch_plan",
    "build_model",
    "choose_engine",
    "data_directory",
    "describe_partition",
    "evaluate",
    "load_curve",
    "load_curves",
    "load_dataset",
    "load_extent",
    "noise_scales",
    "partition",
    "partition_table",
    "rank_users",
    "train_users",
]
