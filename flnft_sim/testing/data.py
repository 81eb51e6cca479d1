"""The contract every data set keeps; a data set of your own inherits its tests:

class TestMyData(DatasetContract):
    dataset = "my-data"
"""

from typing import Any, ClassVar

import numpy as np
import pytest

from flnft_sim.errors import InputError
from flnft_sim.learning import Dataset, build_model, load_dataset, partition


class DatasetContract:
    """Subclass it in a test module, set `dataset` to a registered name, and pytest runs the rest."""

    dataset: str
    settings: ClassVar[dict[str, Any]] = {}
    """Settings of its own, as `load_dataset` takes them."""

    @classmethod
    def load(cls, **arguments: Any) -> Dataset:
        """Load the data set under test, by the search for its files that every user has."""
        return load_dataset(cls.dataset, **{**cls.settings, **arguments})

    @pytest.fixture(scope="class")
    @classmethod
    def data(cls) -> Dataset:
        """Load it once for all that only looks at it."""
        return cls.load()

    def test_images_are_finite_and_in_the_common_layout(self, data: Dataset) -> None:
        """(n, channels, rows, columns) float32, the same shape in both parts; labels int64."""
        assert data.train_x.shape[1:] == data.test_x.shape[1:] == data.input_shape
        for x, y in ((data.train_x, data.train_y), (data.test_x, data.test_y)):
            assert x.dtype == np.float32 and y.dtype == np.int64
            assert np.isfinite(x).all()

    def test_pixels_are_normalised(self, data: Dataset) -> None:
        """Means near 0 and deviations near 1, so that one learning rate suits all data sets."""
        assert abs(float(data.train_x.mean())) < 0.5
        assert 0.3 < float(data.train_x.std()) < 3.0

    def test_every_class_is_there_to_learn_and_to_be_asked_for(self, data: Dataset) -> None:
        """Labels are exactly 0 to classes − 1, in both parts."""
        for labels in (data.train_y, data.test_y):
            np.testing.assert_array_equal(np.unique(labels), np.arange(data.classes))

    def test_it_says_its_name_and_where_it_is_from(self, data: Dataset) -> None:
        """Both stand in a run's manifest."""
        assert data.name == self.dataset
        assert data.source.strip()

    def test_the_same_seed_gives_the_same_bytes(self) -> None:
        """Whatever was loaded in between."""
        first = self.load(seed=5)
        self.load(seed=6)
        again = self.load(seed=5)
        for part in ("train_x", "train_y", "test_x", "test_y"):
            assert getattr(first, part).tobytes() == getattr(again, part).tobytes()

    def test_both_splits_are_known_and_the_full_one_is_no_smaller(self) -> None:
        """A data set of one split takes both names."""
        assert len(self.load(split="full").train_y) >= len(self.load(split="paper").train_y)
        with pytest.raises(InputError, match="split"):
            self.load(split="half")

    def test_a_setting_that_it_does_not_have_is_refused(self) -> None:
        """In one sentence that names the data set."""
        with pytest.raises(InputError, match=self.dataset):
            self.load(no_such_setting=1)

    def test_models_and_partitions_take_it(self, data: Dataset) -> None:
        """The multi-layer perceptron has its shape, and two users can share it."""
        assert build_model("mlp", data.input_shape, data.classes).input_shape == data.input_shape
        shards = partition("iid", data.train_y, 2, rng=np.random.default_rng(0))
        assert sum(map(len, shards)) == len(data.train_y)
