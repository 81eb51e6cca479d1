"""Learners: the rounds of a DAO, real and centralised."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from digest_of_a_run import digest
from plain_loop import train_one

from flnft_sim.errors import FlnftError, InputError
from flnft_sim.learning import (
    CentralizedLearner,
    FederatedLearner,
    Learner,
    Noise,
    Training,
    build_model,
    evaluate,
    load_dataset,
    partition,
    rank_users,
)
from flnft_sim.learning.schemes import Ranking

DIGITS = load_dataset("digits")
SHARDS = partition("sizes", DIGITS.train_y, 4, rng=np.random.default_rng(0), sizes=[500, 300, 100, 37])
MLP = build_model("mlp", DIGITS.input_shape, DIGITS.classes)
USERS = np.arange(4)
ALL = np.ones(4, bool)
QUIET = np.full(4, np.inf)


SILENT = Noise(perturb="none")


def torch_training(**settings: object) -> Training:
    return Training(**{"batch_size": 16, "engine": "torch", "device": "cpu", **settings})  # type: ignore[arg-type]


def federated(noise: Noise | None = None, **settings: object) -> FederatedLearner:
    return FederatedLearner(DIGITS, MLP, SHARDS, training=torch_training(**settings), noise=noise, seed=3)


def play(learner: Learner, rounds: int, privacy: float = 5.0) -> list[float]:
    """Run rounds in which every user trains two epochs; return the accuracy after each."""
    accuracies = []
    for index in range(rounds):
        updates = learner.train(index, USERS, np.full(4, 2), np.full(4, privacy))
        learner.aggregate(updates, ALL)
        accuracies.append(learner.evaluate()[0])
    return accuracies


def test_rounds_learn_the_digits() -> None:
    accuracies = play(federated(), 8)
    assert accuracies[-1] > 0.9 > accuracies[0]


def test_more_noise_learns_less() -> None:
    strong, weak = (play(federated(Noise(sensitivity=s)), 4)[-1] for s in (1.0, 0.005))
    assert strong + 0.1 < weak


def test_a_round_is_fedavg_of_plain_loops() -> None:
    """Each user's shard trained by the oracle with the round's seed, then the size-weighted mean."""
    learner, epochs = federated(SILENT), np.array([1, 2, 1, 3])
    start = learner.params.copy()
    sent = learner.train(5, USERS, epochs, QUIET)
    learner.aggregate(sent, ALL)
    seed = learner._streams.integer("batches", 5)
    expected = [
        train_one(
            MLP,
            start,
            DIGITS.train_x[shard],
            DIGITS.train_y[shard],
            epochs=int(epochs[user]),
            batch_size=16,
            lr=0.01,
            momentum=0.5,
            seed=seed,
            user=user,
        )
        for user, shard in enumerate(SHARDS)
    ]
    mean = np.average([params for params, _, _ in expected], axis=0, weights=[500, 300, 100, 37])
    np.testing.assert_allclose(learner.params, mean, atol=2e-6)
    np.testing.assert_allclose(sent.losses, [loss for _, loss, _ in expected], rtol=1e-4)
    np.testing.assert_allclose(sent.gradient_norms, [norm for _, _, norm in expected], rtol=1e-4)
    np.testing.assert_allclose(sent.update_norms, np.linalg.norm(sent.params - start, axis=1), rtol=1e-4)


def test_late_updates_are_left_out() -> None:
    late, missing = federated(), federated()
    late.aggregate(late.train(0, USERS, np.full(4, 1), np.ones(4)), np.array([True, False, True, False]))
    some = np.array([0, 2])
    missing.aggregate(missing.train(0, some, np.full(2, 1), np.ones(2)), np.ones(2, bool))
    np.testing.assert_array_equal(late.params, missing.params)


def test_nobody_in_time_leaves_the_model() -> None:
    learner = federated()
    start = learner.params.copy()
    learner.aggregate(learner.train(0, USERS, np.full(4, 1), np.ones(4)), ~ALL)
    np.testing.assert_array_equal(learner.params, start)


def test_ranking_and_evaluation_are_of_the_current_model() -> None:
    learner = federated()
    play(learner, 1)
    shards = [(DIGITS.train_x[shard], DIGITS.train_y[shard]) for shard in SHARDS]
    some = np.array([3, 1])
    for by in get_args(Ranking.__value__):
        scores = rank_users(MLP, learner.params, shards, by, engine="torch", device="cpu")
        np.testing.assert_array_equal(learner.rank(some, by), scores[some])
    expected = evaluate(MLP, learner.params, DIGITS.test_x, DIGITS.test_y, engine="torch", device="cpu")
    assert learner.evaluate() == expected
    assert np.concatenate([part.ravel() for part in learner.weights().values()]).tolist() == learner.params.tolist()


def test_centralised_training_is_one_user_with_all_the_data() -> None:
    central = CentralizedLearner(DIGITS, MLP, SHARDS, training=torch_training(), seed=3)
    pooled = [np.concatenate(SHARDS)]
    alone = FederatedLearner(DIGITS, MLP, pooled, training=torch_training(), noise=SILENT, seed=3)
    updates = central.train(0, USERS, np.full(4, 2), np.full(4, 1.0))
    assert updates.losses.shape == updates.update_norms.shape == (4,)
    central.aggregate(updates, np.array([True, False, False, False]))
    alone.aggregate(alone.train(0, np.array([0]), np.array([2]), np.array([np.inf])), np.ones(1, bool))
    np.testing.assert_array_equal(central.params, alone.params)
    assert central.shard_sizes.tolist() == [500, 300, 100, 37]
    assert len(set(central.rank(USERS, "loss"))) == 1
    assert len(central.privacy_ledger().table()) == 0


def test_diverged_training_stops_with_a_sentence() -> None:
    with pytest.raises(FlnftError, match=r"the loss of user 0 in round 4 is not finite; lower the learning rate"):
        federated(learning_rate=1000.0, momentum=0.99).train(4, USERS, np.full(4, 20), QUIET)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (lambda: federated(aggregator="fedavgg"), "did you mean 'fedavg'"),
        (lambda: federated(engine="gpu"), "engine = 'gpu': should be one of the words"),
        (lambda: federated(learning_rate=0.0), "learning_rate = 0.0: should be"),
        (lambda: federated(momentum=1.0), "momentum = 1.0: should be"),
        (lambda: federated(batch_size=0), "batch_size = 0: should be"),
        (lambda: Noise(perturb="updates"), "did you mean 'update'"),  # type: ignore[arg-type]
        (lambda: Noise(sensitivity=-1.0), "sensitivity = -1.0: should be"),
        (lambda: Noise(clip_l1=0.0), "clip_l1 = 0.0: should be"),
    ],
)
def test_settings_that_mean_nothing_are_named_at_once(settings: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        settings()


def test_a_model_for_other_images_is_refused() -> None:
    with pytest.raises(InputError, match=r"takes images \(1, 9, 9\)"):
        FederatedLearner(DIGITS, build_model("mlp", (1, 9, 9), 10), SHARDS)
    with pytest.raises(InputError, match="of 5 classes"):
        FederatedLearner(DIGITS, build_model("mlp", (1, 8, 8), 5), SHARDS)


def test_users_without_data_are_refused() -> None:
    with pytest.raises(InputError, match="at least one sample"):
        FederatedLearner(DIGITS, MLP, [SHARDS[0], np.array([], int)])
    with pytest.raises(InputError, match="out of range"):
        FederatedLearner(DIGITS, MLP, [np.array([0, 1437])])


def test_a_run_repeats_in_another_process_whatever_the_hash_seed_and_threads() -> None:
    script = Path(__file__).with_name("digest_of_a_run.py")
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "2"}
    other = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True, env=environment)
    assert other.stdout.strip() == digest()


def test_importing_learning_loads_no_engine() -> None:
    """Markets on the surrogate start without PyTorch and Numba."""
    script = "import sys, flnft_sim.learning; print([name for name in ('torch', 'numba') if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"
