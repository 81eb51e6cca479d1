"""Partitions: nothing lost, nothing dealt twice, as unlike as asked."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.learning import partition, partition_table

CLASSES = 6


@st.composite
def deals(draw: st.DrawFn) -> tuple[np.ndarray, int, int]:
    """Labels, a number of users that they suffice for, and a seed."""
    labels = np.array(draw(st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=120)))
    return labels, draw(st.integers(1, len(labels))), draw(st.integers(0, 2**32))


def assert_dealt(shards: list[np.ndarray], samples: int, users: int) -> None:
    assert len(shards) == users
    assert min(len(shard) for shard in shards) >= 1
    np.testing.assert_array_equal(np.sort(np.concatenate(shards)), np.arange(samples))


@given(deals())
def test_iid_deals_equal_shares(deal: tuple[np.ndarray, int, int]) -> None:
    labels, users, seed = deal
    shards = partition("iid", labels, users, rng=np.random.default_rng(seed))
    assert_dealt(shards, len(labels), users)
    sizes = [len(shard) for shard in shards]
    assert max(sizes) - min(sizes) <= 1


@given(deals(), st.floats(5e-324, 1.7e308) | st.floats(0.01, 100))
def test_dirichlet_deals_everything_and_leaves_nobody_out(deal: tuple[np.ndarray, int, int], alpha: float) -> None:
    labels, users, seed = deal
    assert_dealt(
        partition("dirichlet", labels, users, rng=np.random.default_rng(seed), alpha=alpha), len(labels), users
    )


def test_dirichlet_is_even_for_a_large_alpha_and_uneven_for_a_small_one() -> None:
    labels = np.repeat(np.arange(CLASSES), 1000)
    spread = {}
    for alpha in (0.1, 1e4):
        shards = partition("dirichlet", labels, 5, rng=np.random.default_rng(0), alpha=alpha)
        counts = partition_table(shards, labels, CLASSES).drop(columns="samples")
        spread[alpha] = counts.to_numpy().std()
    assert spread[1e4] < 10 < 200 < spread[0.1]


@given(deals(), st.floats(1e6, 1.7e308))
def test_dirichlet_of_a_huge_alpha_deals_equal_sizes(deal: tuple[np.ndarray, int, int], alpha: float) -> None:
    labels, users, seed = deal
    sizes = [len(s) for s in partition("dirichlet", labels, users, rng=np.random.default_rng(seed), alpha=alpha)]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("users", [5, 40, 300])
def test_the_spread_of_dirichlet_sizes_falls_as_alpha_grows(users: int) -> None:
    """Var of a user's size is Σ_c n_c²·(U − 1)/(U²(Uα + 1)): by theory at moderate α, below a sample at large ones."""
    labels = np.repeat(np.arange(10), 1200)
    spreads = []
    for alpha in (0.1, 1.0, 10.0, 100.0, 1e3, 1e5, 1e8):
        deals = [
            partition("dirichlet", labels, users, rng=np.random.default_rng(seed), alpha=alpha) for seed in range(20)
        ]
        spreads.append(np.mean([np.std([len(shard) for shard in shards]) for shards in deals]))
        expected = np.sqrt(10 * 1200**2 * (users - 1) / (users**2 * (users * alpha + 1)))
        if 2 < expected < 12_000 / users / 4:  # neither rounding nor the one sample that everybody gets matter
            assert spreads[-1] == pytest.approx(expected, rel=0.2)
    assert all(later <= earlier for earlier, later in itertools.pairwise(spreads))
    assert spreads[0] > 10 * spreads[-1] and spreads[-1] <= 0.5


def test_dirichlet_of_a_vanishing_alpha_gives_each_class_to_one_user() -> None:
    labels = np.repeat(np.arange(CLASSES), 50)
    for alpha in (5e-324, 1e-300, 1e-9):
        shards = partition("dirichlet", labels, 4, rng=np.random.default_rng(3), alpha=alpha)
        held = [set(labels[shard]) for shard in shards if len(shard) > 1]
        assert sum(map(len, held)) == CLASSES


@given(deals(), st.integers(1, 4))
def test_label_shards_give_few_labels_each(deal: tuple[np.ndarray, int, int], n: int) -> None:
    labels, users, seed = deal
    rng = np.random.default_rng(seed)
    if users * n > len(labels):
        with pytest.raises(InputError, match="shards_per_user must be in"):
            partition("shards", labels, users, rng=rng, shards_per_user=n)
        return
    shards = partition("shards", labels, users, rng=rng, shards_per_user=n)
    assert_dealt(shards, len(labels), users)
    # users·n sorted pieces have CLASSES − 1 label borders between or within them
    held = sum(len(np.unique(labels[shard])) for shard in shards)
    assert held <= users * n + len(np.unique(labels)) - 1


@given(deals(), st.data())
def test_sizes_are_kept(deal: tuple[np.ndarray, int, int], data: st.DataObject) -> None:
    labels, users, seed = deal
    share = len(labels) // users
    sizes = data.draw(st.lists(st.integers(1, share), min_size=users, max_size=users))
    shards = partition("sizes", labels, users, rng=np.random.default_rng(seed), sizes=sizes)
    assert [len(shard) for shard in shards] == sizes
    assert len(np.unique(np.concatenate(shards))) == sum(sizes)


@pytest.mark.parametrize("kind", ["iid", "dirichlet", "shards"])
def test_the_same_stream_deals_the_same(kind: str) -> None:
    labels = np.arange(200) % CLASSES
    first, again = (partition(kind, labels, 7, rng=np.random.default_rng(3)) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("kind", "users", "settings", "words"),
    [
        ("iid", 11, {}, "11 users cannot share 10 samples"),
        ("iid", 0, {}, "1 or more"),
        ("iid", 2, {"alpha": 1.0}, "partition 'iid' has no setting 'alpha'"),
        ("dirichlet", 2, {"alpha": 0.0}, "alpha = 0.0: should be greater than 0"),
        ("dirichlet", 2, {"alpha": float("nan")}, "alpha = nan: should be a finite number"),
        ("shards", 4, {"shards_per_user": 3}, "shards_per_user must be in 1..2"),
        ("sizes", 2, {"sizes": [5]}, "2 whole numbers"),
        ("sizes", 2, {"sizes": [5, 6]}, "sum to 11"),
        ("sizes", 2, {"sizes": [5, 0]}, "at least 1"),
        ("idd", 2, {}, "did you mean 'iid'"),
    ],
)
def test_what_cannot_be_dealt_is_said(kind: str, users: int, settings: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        partition(kind, np.arange(10), users, rng=np.random.default_rng(0), **settings)


def test_the_table_counts_what_each_user_got() -> None:
    labels = np.array([0, 0, 1, 2, 2, 2])
    table = partition_table([np.array([0, 2]), np.array([1, 3, 4, 5])], labels, 3)
    assert table.to_numpy().tolist() == [[2, 1, 1, 0], [4, 1, 0, 3]]
    assert list(table.columns) == ["samples", "class_0", "class_1", "class_2"]
