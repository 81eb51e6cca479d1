"""Rounds of many users whose updates nobody asks for: the same model, in memory that does not grow with the users."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.learning import FederatedLearner, Noise, Training, build_model, load_dataset
from flnft_sim.learning.aggregation import AGGREGATORS, RunningMean
from flnft_sim.learning.learners import federated

DATA = load_dataset("synthetic", shape=(1, 8, 8), classes=4, train=240, test=20)
MODEL = build_model("mlp", (1, 8, 8), 4)
MEANS = [name for name in AGGREGATORS.names() if getattr(AGGREGATORS.facts(name), "weighs", None)]


def learner(users=12, noise=None, **told):
    shards = np.array_split(np.arange(240), users)
    shows = told.pop("shows_updates", True)
    return FederatedLearner(
        DATA, MODEL, shards, training=Training(batch_size=8, **told), noise=noise, seed=2, shows_updates=shows
    )


@pytest.fixture
def streaming(monkeypatch):
    monkeypatch.setattr(federated, "KEPT_BYTES", 0)
    monkeypatch.setattr(federated, "STREAMED_USERS", 5)


def rounds(one, users, arrived):
    """Two rounds; what was told of the updates, and the model's bytes after each."""
    told = []
    for index in range(2):
        epochs = 1 + users % 2
        updates = one.train(index, users, epochs, np.where(users % 3 == 0, np.inf, 4.0))
        one.aggregate(updates, arrived)
        told += [updates.users, updates.losses, updates.gradient_norms, updates.update_norms, one.params]
    return told


@pytest.mark.parametrize("aggregator", MEANS)
@pytest.mark.parametrize(
    "noise", [Noise(perturb="none"), Noise(perturb="update", clip_l1=2.0)], ids=["silent", "noisy"]
)
@pytest.mark.parametrize("late", [[], [0, 7], range(12)], ids=["all there", "some late", "nobody there"])
def test_folding_updates_as_they_come_changes_no_byte(aggregator, noise, late, streaming):
    users = np.random.default_rng(1).permutation(12)
    arrived = ~np.isin(users, list(late))
    kept = rounds(learner(noise=noise, aggregator=aggregator), users, arrived)
    one = learner(noise=noise, aggregator=aggregator, shows_updates=False)
    assert one._folds(12)
    for expected, got in zip(kept, rounds(one, users, arrived), strict=True):
        np.testing.assert_array_equal(got, expected)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9))
def test_every_mean_is_one_running_mean_however_it_is_cut(seed, users, cut):
    rng = np.random.default_rng(seed)
    models, sizes = rng.standard_normal((users, 7)).astype(np.float32), rng.integers(1, 99, users)
    for name in MEANS:
        mean = RunningMean(7, AGGREGATORS.facts(name).weighs(sizes))
        for at in range(0, users, cut):
            mean.add(models[at : at + cut])
        whole = AGGREGATORS.get(name)(models[0], models, sizes, users=np.arange(users), state={})
        np.testing.assert_array_equal(mean.model, whole)


def test_updates_are_kept_where_somebody_may_ask_or_they_fit_or_the_aggregator_must_see_them_all(
    streaming, monkeypatch
):
    assert not learner()._folds(12)
    assert not learner(shows_updates=False, aggregator="fedadp")._folds(12)
    monkeypatch.setattr(federated, "KEPT_BYTES", 2**30)
    assert not learner(shows_updates=False)._folds(12)
    assert learner(shows_updates=False)._folds(2**30 // (4 * MODEL.parameter_count) + 1)


def peak_copies(users, **told):
    """Most memory of a round, in copies of the model's parameters."""
    one = learner(users, **told)
    tracemalloc.start()
    rows = np.arange(users)
    one.aggregate(one.train(0, rows, np.ones(users, np.int64), np.full(users, np.inf)), np.ones(users, bool))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / (4 * MODEL.parameter_count)


def test_memory_does_not_grow_with_the_users(streaming):
    peak_copies(20)  # compiles and imports
    few, many = (peak_copies(users, shows_updates=False) for users in (20, 120))
    assert many < few + 10 and peak_copies(120) > 100
