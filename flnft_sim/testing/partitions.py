"""The contract every partition keeps; a partition of your own inherits its tests:

class TestMyPartition(PartitionContract):
    partition = "my-partition"
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from flnft_sim.errors import InputError
from flnft_sim.learning import partition, partition_table
from flnft_sim.learning.partitions import Split

CLASSES = 5


def sample_deals(seed: int, count: int = 30) -> Iterator[tuple[np.ndarray, int]]:
    """Draw labels and a number of users: even and uneven classes, sorted and shuffled, few and many a user, in turn."""
    rng = np.random.default_rng(seed)
    for index in range(count):
        users = int(rng.integers(1, 12))
        samples = users * int(rng.integers(4, 30))
        weights = rng.dirichlet(np.full(CLASSES, 0.3 if index % 2 else 50.0))
        labels = rng.choice(CLASSES, samples, p=weights)
        yield np.sort(labels) if index % 3 == 0 else labels, users


class PartitionContract:
    """Subclass it in a test module, set `partition` to a registered name, and pytest runs the rest."""

    partition: str
    deals_all: bool = True
    """Whether every sample is dealt to somebody."""

    def settings(self, labels: np.ndarray, users: int) -> dict[str, Any]:
        """Return settings of its own for these labels and users; override it where there are any without defaults."""
        del labels, users
        return {}

    def deal(self, labels: np.ndarray, users: int, seed: int = 0) -> Split:
        """Split the samples among the users."""
        rng = np.random.default_rng(seed)
        return partition(self.partition, labels, users, rng=rng, **self.settings(labels, users))

    def test_everybody_has_something(self) -> None:
        """One array of whole numbers a user, none of them empty."""
        for labels, users in sample_deals(1):
            shards = self.deal(labels, users)
            assert len(shards) == users
            assert all(shard.ndim == 1 and shard.dtype.kind in "iu" and len(shard) for shard in shards)

    def test_no_sample_is_dealt_twice_or_made_up(self) -> None:
        """Indices are distinct and in range, and all of them are dealt where the partition says so."""
        for labels, users in sample_deals(2):
            dealt = np.concatenate(self.deal(labels, users))
            assert len(np.unique(dealt)) == len(dealt)
            assert dealt.min() >= 0 and dealt.max() < len(labels)
            assert len(dealt) == len(labels) or not self.deals_all

    def test_the_same_stream_deals_the_same(self) -> None:
        """Draws come from `rng` alone."""
        for labels, users in sample_deals(3, count=6):
            for first, again in zip(self.deal(labels, users, 4), self.deal(labels, users, 4), strict=True):
                np.testing.assert_array_equal(first, again)

    def test_the_labels_are_left_as_they_were(self) -> None:
        """And may be read-only."""
        for labels, users in sample_deals(5, count=6):
            kept = labels.copy()
            labels.flags.writeable = False
            self.deal(labels, users)
            np.testing.assert_array_equal(labels, kept)

    def test_the_table_counts_what_was_dealt(self) -> None:
        """Classes add up to samples, user by user."""
        for labels, users in sample_deals(6, count=6):
            table = partition_table(self.deal(labels, users), labels, CLASSES)
            np.testing.assert_array_equal(table.drop(columns="samples").sum(axis=1), table["samples"])

    def test_more_users_than_samples_are_refused(self) -> None:
        """In one sentence."""
        with pytest.raises(InputError, match="cannot share"):
            self.deal(np.zeros(3, np.int64), 4)

    def test_a_setting_that_it_does_not_have_is_refused(self) -> None:
        """In one sentence that names the partition."""
        labels, rng = np.arange(12) % 3, np.random.default_rng(0)
        with pytest.raises(InputError, match=self.partition):
            partition(self.partition, labels, 3, rng=rng, no_such_setting=1, **self.settings(labels, 3))
