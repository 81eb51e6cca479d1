"""scikit-learn's bundled handwritten digits: real images without a download."""

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from flnft_sim.learning.data.base import DATASETS, Dataset, Facts
from flnft_sim.settings.learning import InputSettings

TRAIN_IMAGES = 1437
CLASSES = 10
MEAN, DEVIATION = 0.3053, 0.3761  # of all pixels in [0, 1]


@DATASETS.register("digits", facts=Facts((1, 8, 8), CLASSES, TRAIN_IMAGES), settings=InputSettings)
def digits(*, data_dir: Path, split: str, seed: int, progress: Any, settings: InputSettings) -> Dataset:
    """1,797 digits of 8×8×1, 10 classes, shuffled by `seed` into 1,437 for training and 360 for testing."""
    del data_dir, split, progress  # bundled, one split
    images, labels = _bundle()
    unit = images / 16.0
    scaled = unit if settings.inputs == "unit" else (unit - MEAN) / DEVIATION
    x = scaled.astype(np.float32)[:, None]
    y = labels.astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(x))
    train, test = order[:TRAIN_IMAGES], order[TRAIN_IMAGES:]
    source = "digits bundled with scikit-learn"
    return Dataset("digits", source, x[train], y[train], x[test], y[test], CLASSES)


def _bundle() -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 8, 8) of grey values 0 to 16 and labels (n,), from the file that scikit-learn carries.

    The file is read where it lies: importing scikit-learn for it would take longer than a short run.
    """
    package = find_spec("sklearn")
    for folder in (package.submodule_search_locations or []) if package else []:
        file = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if file.is_file():
            with gzip.open(file, "rt", encoding="ascii") as text:
                rows = np.loadtxt(text, delimiter=",")
            return rows[:, :-1].reshape(-1, 8, 8), rows[:, -1]
    from sklearn.datasets import load_digits  # it keeps the file elsewhere

    bundle = load_digits()
    return bundle.images, bundle.target
