"""Noise and clipping, and that what is claimed is what holds."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from flnft_sim.errors import InputError
from flnft_sim.learning import (
    FederatedLearner,
    Noise,
    PrivacyLedger,
    Training,
    build_model,
    load_dataset,
    noise_scales,
    partition,
)
from flnft_sim.learning.privacy import clip_to_l1, composed_epsilon, laplace_noise, perturb_updates

updates = st.lists(st.floats(-1e3, 1e3, width=32), min_size=5, max_size=5).map(lambda v: np.array(v, np.float32))


@given(updates, updates, st.floats(0.01, 100), st.floats(0.1, 10))
def test_the_clipped_mechanism_is_differentially_private(
    one: np.ndarray, other: np.ndarray, bound: float, epsilon: float
) -> None:
    """The log-density ratio of Laplace noise around two updates is at most their L1 distance over the scale."""
    scale = noise_scales(np.array([epsilon]), sensitivity=1.0, clip_l1=bound)[0]
    distance = np.abs(clip_to_l1(one, bound).astype(float) - clip_to_l1(other, bound)).sum()
    assert distance / scale <= epsilon * (1 + 1e-5)


def test_opposite_updates_use_the_whole_budget() -> None:
    update, bound, epsilon = np.array([3.0, -4.0], np.float32), 0.5, 2.0
    scale = noise_scales(np.array([epsilon]), sensitivity=1.0, clip_l1=bound)[0]
    distance = np.abs(clip_to_l1(update, bound).astype(float) - clip_to_l1(-update, bound)).sum()
    assert distance / scale == pytest.approx(epsilon)


@given(updates, st.floats(0.01, 1e5))
def test_clipping_shortens_and_never_turns(update: np.ndarray, bound: float) -> None:
    clipped = clip_to_l1(update, bound)
    norm = np.abs(update.astype(float)).sum()
    assert np.abs(clipped.astype(float)).sum() <= bound * (1 + 1e-5) or norm <= bound
    np.testing.assert_allclose(clipped, update * min(1.0, bound / norm if norm else 1.0), rtol=1e-5, atol=1e-30)


def test_noise_is_laplace() -> None:
    noise = laplace_noise(np.random.default_rng(0), 0.3, 100_001)
    assert stats.kstest(noise, stats.laplace(scale=0.3).cdf).pvalue > 0.01
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.01


def test_without_clipping_the_scale_is_sensitivity_over_epsilon() -> None:
    scales = noise_scales(np.array([1.0, 5.0, np.inf]), sensitivity=0.005, clip_l1=None)
    np.testing.assert_allclose(scales, [0.005, 0.001, 0.0])


@pytest.mark.parametrize(
    ("epsilon", "sensitivity", "clip_l1", "words"),
    [
        (0.0, 1.0, None, "ε = 0.0 must be positive"),
        (-1.0, 1.0, None, "ε = -1.0 must be positive"),
        (float("nan"), 1.0, None, "ε = nan must be positive"),
        (1.0, 0.0, None, "sensitivity is 0"),
        (1.0, 1.0, 0.0, "clip_l1 is 0"),
        (1.0, 1.0, float("inf"), "clip_l1 is inf"),
    ],
)
def test_settings_that_protect_nothing_are_refused(
    epsilon: float, sensitivity: float, clip_l1: float | None, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        noise_scales(np.array([2.0, epsilon]), sensitivity=sensitivity, clip_l1=clip_l1)


def test_a_users_noise_depends_on_its_number_and_the_seed() -> None:
    start, scales = np.zeros(50, np.float32), np.ones(2)

    def noise(users: list[int], seed: int) -> np.ndarray:
        params = np.zeros((2, 50), np.float32)
        perturb_updates(start, params, np.array(users), scales, clip_l1=None, seed=seed)
        return params

    np.testing.assert_array_equal(noise([3, 7], 1)[::-1], noise([7, 3], 1))
    assert (noise([3, 7], 1) != noise([3, 7], 2)).all()
    assert (noise([3, 7], 1)[0] != noise([3, 7], 1)[1]).all()


DIGITS = load_dataset("digits")
SHARDS = partition("iid", DIGITS.train_y, 3, rng=np.random.default_rng(0))
MLP = build_model("mlp", DIGITS.input_shape, DIGITS.classes)
USERS, EPSILONS = np.arange(3), np.array([1.0, 2.0, 4.0])


TORCH = Training(engine="torch", device="cpu")


def one_round(noise: Noise) -> tuple[FederatedLearner, np.ndarray, np.ndarray]:
    """Train one round; return the learner, what was shared and the norms it reports."""
    learner = FederatedLearner(DIGITS, MLP, SHARDS, training=TORCH, noise=noise)
    sent = learner.train(0, USERS, np.array([1, 1, 2]), EPSILONS)
    return learner, sent.params - learner.params, sent.update_norms


def test_what_is_shared_is_the_clipped_update_plus_noise_of_the_stated_scale() -> None:
    """Against the same round without noise: the difference is Lap(2C/ε), as the table says."""
    bound = 0.4
    _, clean, _ = one_round(Noise(perturb="none"))
    learner, noisy, norms = one_round(Noise(clip_l1=bound))
    table = learner.privacy_ledger().table()
    assert (np.abs(clean).sum(axis=1) > bound).all()  # clipping does something here
    for i, epsilon in enumerate(EPSILONS):
        noise = noisy[i] - clip_to_l1(clean[i], bound)
        assert stats.kstest(noise, stats.laplace(scale=2 * bound / epsilon).cdf).pvalue > 0.01
        assert table["noise_scale_max"][i] == pytest.approx(2 * bound / epsilon)
        assert table["epsilon_round"][i] == epsilon
        assert norms[i] == pytest.approx(np.linalg.norm(noisy[i]), rel=1e-4)


def test_without_clipping_nothing_is_claimed() -> None:
    learner, _, _ = one_round(Noise(sensitivity=0.01))
    table = learner.privacy_ledger().table()
    np.testing.assert_allclose(table["noise_scale_max"], 0.01 / EPSILONS)
    assert table[["epsilon_round", "epsilon_total_basic", "epsilon_total_tight"]].isna().all(axis=None)
    assert table["guarantee"].str.startswith("none").all()


def test_noise_on_steps_adds_up_over_the_steps() -> None:
    """479 samples in batches of 64 are 8 steps an epoch."""
    learner, noisy, _ = one_round(Noise(perturb="step", clip_l1=0.5))
    table = learner.privacy_ledger().table()
    np.testing.assert_allclose(table["epsilon_round"], EPSILONS * 8 * np.array([1, 1, 2]))
    assert np.isfinite(noisy).all()


def test_noise_on_steps_is_laplace_after_the_clip() -> None:
    """One full-batch step: the update is −lr times the clipped gradient plus Lap(2C/ε)."""
    training = replace(TORCH, batch_size=479, momentum=0.0, learning_rate=0.5)

    def first_step(noise: Noise) -> np.ndarray:
        learner = FederatedLearner(DIGITS, MLP, SHARDS, training=training, noise=noise)
        return -(learner.train(0, USERS, np.ones(3, int), EPSILONS).params - learner.params) / 0.5

    clean, noisy = first_step(Noise(perturb="none")), first_step(Noise(perturb="step", clip_l1=2.0))
    for i, epsilon in enumerate(EPSILONS):
        noise = noisy[i] - clip_to_l1(clean[i], 2.0)
        assert stats.kstest(noise, stats.laplace(scale=4.0 / epsilon).cdf).pvalue > 0.01


def test_some_release_without_noise_voids_the_claim() -> None:
    ledger = PrivacyLedger(clip_l1=1.0)
    user = np.array([4])
    ledger.record(user, np.array([1.0]), np.array([2.0]))
    assert ledger.table()["epsilon_total_basic"].tolist() == [1.0]
    ledger.record(user, np.array([np.inf]), np.array([0.0]))
    assert ledger.table()["epsilon_total_basic"].isna().all()


def test_nothing_released_is_an_empty_table() -> None:
    table = PrivacyLedger(clip_l1=1.0).table()
    assert len(table) == 0
    assert "epsilon_round" in table.columns


@given(st.floats(0.05, 6), st.floats(1e-9, 0.2))
@settings(max_examples=10)
def test_one_release_composes_to_its_closed_form(epsilon: float, delta: float) -> None:
    """Of one Laplace mechanism, δ(ε') = 1 − exp((ε' − ε)/2), so that ε' = ε + 2·ln(1 − δ), at least 0."""
    exact = max(0.0, epsilon + 2 * math.log1p(-delta))
    assert exact - 1e-9 <= composed_epsilon([(epsilon, 1)], delta) <= exact + 0.011 * epsilon


def test_the_composed_guarantee_holds_and_is_nearly_exact() -> None:
    """Against samples of the privacy loss: δ(ε') = E[max(0, 1 − exp(ε' − L))] of the summed losses L."""
    releases, delta = [(0.1, 20), (0.25, 10)], 1e-2
    claimed = composed_epsilon(releases, delta)
    rng = np.random.default_rng(1)
    total = np.zeros(400_000)
    for epsilon, count in releases:
        for _ in range(count):
            x = rng.laplace(0, 1 / epsilon, total.size)
            total += epsilon * (np.abs(x - 1) - np.abs(x))
    assert claimed < sum(epsilon * count for epsilon, count in releases)

    def leaked(at: float) -> float:
        return float(np.maximum(0, 1 - np.exp(at - total)).mean())

    assert leaked(claimed) <= delta * 1.05  # valid, to the samples' accuracy
    assert leaked(claimed * 0.97) > delta * 0.95  # and not much larger than needed


def test_the_tight_total_is_never_above_the_sum() -> None:
    ledger = PrivacyLedger(clip_l1=1.0)
    users = np.arange(2)
    for _ in range(30):
        ledger.record(users, np.array([0.1, 5.0]), np.array([20.0, 0.4]))
    table = ledger.table()
    np.testing.assert_allclose(table["epsilon_total_basic"], [3.0, 150.0])
    assert (table["epsilon_total_tight"] <= table["epsilon_total_basic"]).all()
    assert table["epsilon_total_tight"][0] < 2.5
