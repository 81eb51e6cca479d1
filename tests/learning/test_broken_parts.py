"""The contracts of data sets and partitions find what breaks them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from flnft_sim.learning import DATASETS, PARTITIONS, Dataset
from flnft_sim.testing import contract_of
from flnft_sim.testing.data import DatasetContract
from flnft_sim.testing.partitions import PartitionContract


def dealt_twice(labels: np.ndarray, users: int, *, rng: np.random.Generator) -> list[np.ndarray]:
    """Give everybody everything."""
    return [rng.permutation(len(labels)) for _ in range(users)]


def to_one(labels: np.ndarray, users: int, *, rng: np.random.Generator) -> list[np.ndarray]:
    """Give the first user everything."""
    return [rng.permutation(len(labels)), *[np.empty(0, np.int64)] * (users - 1)]


def of_the_clock(labels: np.ndarray, users: int, *, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw from a stream that is not the one given."""
    return np.array_split(np.random.default_rng().permutation(len(labels)), users)


@pytest.mark.parametrize(
    ("deal", "broken"),
    [
        (dealt_twice, PartitionContract.test_no_sample_is_dealt_twice_or_made_up),
        (to_one, PartitionContract.test_everybody_has_something),
        (of_the_clock, PartitionContract.test_the_same_stream_deals_the_same),
    ],
)
def test_a_partition_that_breaks_the_contract_is_caught(
    deal: Any, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PARTITIONS._parts, "broken", deal)
    case = contract_of("flnft_sim.partitions", "broken")()
    with pytest.raises(AssertionError):
        broken(case)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"train_x": np.full((6, 1, 8, 8), 9.0, np.float32)}, DatasetContract.test_pixels_are_normalised),
        ({"test_y": np.zeros(6, np.int64)}, DatasetContract.test_every_class_is_there_to_learn_and_to_be_asked_for),
        ({"train_x": np.zeros((6, 1, 8, 8))}, DatasetContract.test_images_are_finite_and_in_the_common_layout),
        ({"name": "other"}, DatasetContract.test_it_says_its_name_and_where_it_is_from),
    ],
)
def test_data_that_break_the_contract_are_caught(
    changes: dict[str, Any], broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = np.random.default_rng(0).standard_normal((6, 1, 8, 8), np.float32), np.arange(6) % 2
    sound = Dataset("broken", "made up", x, y, x, y, 2)
    monkeypatch.setitem(DATASETS._parts, "broken", lambda **_: replace(sound, **changes))
    case = contract_of("flnft_sim.datasets", "broken")()
    with pytest.raises(AssertionError):
        broken(case, case.load())
