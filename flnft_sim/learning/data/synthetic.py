"""Made-up images with a learnable structure, of any shape and number: for benchmarks and tests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from flnft_sim.knobs import Knob, Settings
from flnft_sim.learning.data.base import DATASETS, Dataset

NOISE = 1.0  # standard deviation, against class patterns of deviation 1


@dataclass(frozen=True, kw_only=True)
class SyntheticSettings(Settings):
    """What is made up; `shape` is (channels, rows, columns)."""

    shape: Annotated[tuple[int, int, int], Knob("channels, rows, columns of an image", ge=1, le=4096)] = (1, 28, 28)
    classes: Annotated[int, Knob("classes of images", unit="count", ge=2, le=10_000)] = 10
    train: Annotated[int, Knob("images to train on", unit="samples", ge=1, le=10_000_000)] = 10_000
    test: Annotated[int, Knob("images to test on", unit="samples", ge=1, le=10_000_000)] = 2_000


@DATASETS.register("synthetic", settings=SyntheticSettings)
def synthetic(*, data_dir: Path, split: str, seed: int, progress: Any, settings: SyntheticSettings) -> Dataset:
    """Draw images around one random pattern a class."""
    del data_dir, split, progress
    shape, classes = settings.shape, settings.classes
    rng = np.random.default_rng(seed)
    patterns = rng.standard_normal((classes, *shape), dtype=np.float32)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.integers(0, classes, count)
        x = rng.standard_normal((count, *shape), dtype=np.float32)
        x *= NOISE
        x += patterns[labels]
        return x, labels

    (train_x, train_y), (test_x, test_y) = draw(settings.train), draw(settings.test)
    source = f"synthetic, seed {seed}"
    return Dataset("synthetic", source, train_x, train_y, test_x, test_y, classes)
