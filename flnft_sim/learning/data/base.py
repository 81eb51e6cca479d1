"""What a data set is, and the one way to load one by name."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from flnft_sim import families
from flnft_sim.errors import InputError
from flnft_sim.registry import Registry
from flnft_sim.streams import checked_seed

DATA_VARIABLE = "FLNFT_DATA"
OWN = "file:"  # before the path of data of one's own


class DataError(InputError):
    """Data that cannot be found, read or trusted."""


@dataclass(frozen=True)
class Dataset:
    """Images (n, channels, rows, columns) float32, normalised, and labels (n,) int64 in 0..classes−1.

    `validation` are images and labels that contributions are measured on, and on which no accuracy is reported.
    """

    name: str
    source: str  # where it came from and what was checked, for the summary and the manifest
    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    classes: int
    validation: tuple[np.ndarray, np.ndarray] | None = None

    def __post_init__(self) -> None:
        for part, x, y in (("train", self.train_x, self.train_y), ("test", self.test_x, self.test_y)):
            if x.ndim != 4 or len(x) != len(y) or len(x) == 0:
                raise DataError(f"dataset {self.name}: {part} images {x.shape} and labels {y.shape} do not match")
            if y.min() < 0 or y.max() >= self.classes:
                raise DataError(
                    f"dataset {self.name}: {part} label {y.max() if y.min() >= 0 else y.min()} is out of range; "
                    f"labels must be in 0..{self.classes - 1}"
                )

    def holding_out(self, share: float, rng: np.random.Generator) -> "Dataset":
        """Set a random share of the test set apart as validation data; raises `DataError` where nothing is left."""
        samples = len(self.test_y)
        held = round(share * samples)
        if not 0 < held < samples:
            raise DataError(
                f"learning.validation_share = {share:g} sets {held:,} of the {samples:,} test samples of dataset "
                f"{self.name} apart, and leaves {samples - held:,} to report accuracy on; both need at least one"
            )
        order = rng.permutation(samples)
        apart, left = np.sort(order[:held]), np.sort(order[held:])
        return replace(
            self,
            test_x=self.test_x[left],
            test_y=self.test_y[left],
            validation=(self.test_x[apart], self.test_y[apart]),
        )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one image: (channels, rows, columns)."""
        channels, rows, columns = self.train_x.shape[1:]
        return channels, rows, columns


@dataclass(frozen=True)
class Facts:
    """What is known of a data set without loading it: who follows a fitted curve needs no more."""

    input_shape: tuple[int, int, int]
    classes: int
    samples: int  # for training, in split "paper"


# A loader takes data_dir (Path), split, seed and progress, and `settings` where it registered a class of them.
DATASETS: Registry[Callable[..., Dataset]] = families.DATASETS


def data_directory(data_dir: str | Path | None = None) -> Path:
    """Return the directory that is searched: the argument, else FLNFT_DATA, else the platform's cache folder."""
    chosen = data_dir or os.environ.get(DATA_VARIABLE)
    return Path(chosen).expanduser() if chosen else cache_directory()


def cache_directory() -> Path:
    """Return the folder for data on this platform where nobody names another."""
    return Path(platformdirs.user_cache_dir("flnft-sim")) / "data"


def load_dataset(
    name: str,
    *,
    data_dir: str | Path | None = None,
    split: str = "paper",
    seed: int = 0,
    progress: Any = None,
    **settings: Any,
) -> Dataset:
    """Load a registered data set, from the data directory or, where it is missing there, from its publisher.

    `split` is "paper" (50,000 training images drawn by `seed`) or "full"; data sets of one split take both.
    `progress` is a bar as pooch knows it (`total`, `update`, `reset`, `close`), shown while downloading.
    `file:blobs.npz` is the data set `file` with that `path`. Further settings are the
    data set's own (`synthetic`: shape, classes, train, test).
    """
    if name.startswith(OWN):
        name, settings = OWN.rstrip(":"), {"path": name.removeprefix(OWN), **settings}
    loader, given = DATASETS.get(name), DATASETS.given(name, **settings)
    if split not in ("paper", "full"):
        raise DataError(f"dataset {name}: split {split!r} is neither 'paper' nor 'full'")
    checked_seed(seed)
    return loader(data_dir=data_directory(data_dir), split=split, seed=seed, progress=progress, **given)
