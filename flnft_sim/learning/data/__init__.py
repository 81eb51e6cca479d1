"""Data sets: one file each; `load_dataset` finds them by name."""

from flnft_sim.learning.data import cifar10, digits, mnist, synthetic  # noqa: F401 - importing registers them
from flnft_sim.learning.data.base import (
    DATA_VARIABLE,
    DATASETS,
    DataError,
    Dataset,
    Facts,
    data_directory,
    load_dataset,
)

__all__ = ["DATASETS", "DATA_VARIABLE", "DataError", "Dataset", "Facts", "data_directory", "load_dataset"]
