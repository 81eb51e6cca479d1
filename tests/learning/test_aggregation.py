"""Aggregators against their publications' formulas, worked by other means."""

import math
import statistics

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits
from torch.nn.functional import cross_entropy

from flnft_sim.arrays import length
from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.learning import aggregate, build_model, load_dataset, train_users
from flnft_sim.learning.aggregation import krum


def combine(
    name: str, start: np.ndarray, params: np.ndarray, sizes: list[int], state: dict | None = None, **told: float
):  # type: ignore[no-untyped-def, type-arg]
    users = np.arange(len(params))
    memory = {} if state is None else state
    return aggregate(
        name, start.astype(np.float32), params.astype(np.float32), np.array(sizes), users=users, state=memory, **told
    )


@given(st.integers(0, 2**32), st.integers(1, 8))
def test_fedavg_weights_by_shard_size(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    params, sizes = rng.standard_normal((n, 9)), rng.integers(1, 100, n).tolist()
    np.testing.assert_allclose(
        combine("fedavg", np.zeros(9), params, sizes), np.average(params, axis=0, weights=sizes), atol=1e-6
    )


def test_fedsgd_is_synchronous_sgd_when_every_user_takes_one_step() -> None:
    """w − γ·(1/N)·Σ g_k, the gradients taken by PyTorch on each whole shard."""
    data = load_dataset("synthetic", shape=(1, 4, 4), classes=3, train=60, test=1)
    model, lr = build_model("mlp", (1, 4, 4), 3), 0.1
    shards = [(data.train_x[:10], data.train_y[:10]), (data.train_x[10:60], data.train_y[10:60])]
    start = model.initial(0)
    trained, _, _ = train_users(
        model, start, shards, epochs=1, batch_size=50, lr=lr, momentum=0.0, seed=0, engine="torch"
    )
    module = model.module()
    torch.nn.utils.vector_to_parameters(torch.tensor(start), module.parameters())
    gradients = []
    for x, y in shards:
        loss = cross_entropy(module(torch.tensor(x)), torch.tensor(y))
        gradients.append(
            torch.nn.utils.parameters_to_vector(torch.autograd.grad(loss, list(module.parameters()))).numpy()
        )
    np.testing.assert_allclose(
        combine("fedsgd", start, trained, [10, 50]), start - lr * np.mean(gradients, axis=0), atol=1e-6
    )


def test_fedsim_averages_clusters_alike_however_many_users_they_have() -> None:
    """Two clear groups of updates, three users and one: each group's size-weighted mean counts one half."""
    start = np.array([1.0, -1.0, 0.5])
    left, right = np.array([5.0, 0.0, 0.0]), np.array([0.0, 5.0, 5.0])
    updates = np.stack([left, left + 0.02, left - 0.01, right])
    sizes = [10, 30, 20, 7]
    expected = start + 0.5 * np.average(updates[:3], axis=0, weights=sizes[:3]) + 0.5 * updates[3]
    np.testing.assert_allclose(combine("fedsim", start, start + updates, sizes), expected, atol=1e-6)


def test_fedadp_follows_its_formula_over_rounds() -> None:
    """θ̃ is the running mean of the angles, ψ ∝ n·exp(f(θ̃)); worked with plain numbers."""
    rng = np.random.default_rng(4)
    start, sizes, state, angles = rng.standard_normal(6), [5, 10, 15], {}, [[], [], []]
    for _ in range(3):
        updates = rng.standard_normal((3, 6)) + 0.5
        common = sum(n * u for n, u in zip(sizes, updates, strict=True)) / 30
        weights = []
        for i, (n, u) in enumerate(zip(sizes, updates, strict=True)):
            angles[i].append(math.acos(u @ common / (math.dist(u, [0] * 6) * math.dist(common, [0] * 6))))
            theta = sum(angles[i]) / len(angles[i])
            weights.append(n * math.exp(5 * (1 - math.exp(-math.exp(-5 * (theta - 1))))))
        expected = start + sum(w * u for w, u in zip(weights, updates, strict=True)) / sum(weights)
        np.testing.assert_allclose(combine("fedadp", start, start + updates, sizes, state), expected, atol=1e-5)


def test_fedadp_trusts_whoever_points_the_common_way() -> None:
    start = np.zeros(2)
    params = np.array([[1.0, 0.0], [0.9, 0.1], [-0.2, 1.0]])
    result = combine("fedadp", start, params, [10, 10, 10])
    assert result[0] > combine("fedavg", start, params, [10, 10, 10])[0]


def test_nobody_arrived_leaves_the_model() -> None:
    start = np.arange(3.0)
    np.testing.assert_array_equal(combine("fedavg", start, np.empty((0, 3)), []), start)


def test_bad_updates_are_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'fedavg'"):
        combine("fedavgg", np.zeros(2), np.zeros((1, 2)), [1])
    with pytest.raises(InputError, match="do not fit a start"):
        combine("fedavg", np.zeros(3), np.zeros((2, 2)), [1, 1])
    with pytest.raises(InputError, match="must be positive"):
        combine("fedavg", np.zeros(2), np.zeros((2, 2)), [1, 0])


# ---- against adversaries --------------------------------------------------------------------------------------------


def trimmed_by_hand(params: np.ndarray, byzantine: int) -> np.ndarray:
    """Yin et al. 2018, Definition 2, one parameter after the other."""
    columns = [sorted(column)[byzantine : len(column) - byzantine] for column in params.T.tolist()]
    return np.array([sum(column) / len(column) for column in columns])


def krum_scores_by_hand(params: np.ndarray, byzantine: int) -> list[float]:
    """Blanchard et al. 2017, §4: the sum of squared distances to the n − f − 2 closest others."""
    n = len(params)
    scores = []
    for i in range(n):
        others = sorted(math.dist(params[i], params[j]) ** 2 for j in range(n) if j != i)
        scores.append(sum(others[: n - byzantine - 2]))
    return scores


@given(st.integers(0, 2**32), st.integers(3, 12), st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.49]))
def test_the_robust_ones_are_their_publications_formulas(seed: int, n: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    start, sizes = rng.standard_normal(7), rng.integers(1, 100, n).tolist()
    params = (start + rng.standard_normal((n, 7))).astype(np.float32)
    told = {"byzantine_share": share}
    trimmed = combine("trimmed-mean", start, params, sizes, **told)
    np.testing.assert_allclose(trimmed, trimmed_by_hand(params, int(share * n)), atol=1e-6)
    middle = [statistics.median(column) for column in params.T.tolist()]
    np.testing.assert_allclose(combine("median", start, params, sizes), middle, atol=1e-6)
    byzantine = min(int(share * n), (n - 3) // 2)
    scores = krum_scores_by_hand(params, byzantine)
    assert scores[find(params, combine("krum", start, params, sizes, **told))] == pytest.approx(min(scores))
    best = sorted(range(n), key=scores.__getitem__)[: n - byzantine]
    if len({round(score, 6) for score in scores}) == n:  # with equal scores either is right
        np.testing.assert_allclose(
            combine("multi-krum", start, params, sizes, **told), params[best].mean(axis=0), atol=1e-5
        )


def find(params: np.ndarray, model: np.ndarray) -> int:
    """Which user's model it is, to the last bit."""
    return int(np.flatnonzero((params == model).all(axis=1))[0])


@given(
    st.integers(0, 2**32),
    st.integers(1, 4),
    st.integers(0, 4),
    st.floats(-1e6, 1e6),
    st.sampled_from(["far", "near", "alike"]),
)
def test_adversaries_in_the_minority_move_it_no_further_than_honest_users_differ(
    seed: int, byzantine: int, more: int, far: float, how: str
) -> None:
    """With n ≥ 2f + 3 medians and trimmed means stay within the honest range.

    An update among the n − f with the lowest Krum scores has one of at most (n − f − 2)·D², D the honest users' largest
    distance, since n − f honest ones have; and of its n − f − 2 closest one at least is honest. So it lies within
    √(n − f − 2)·D of an honest one.
    """
    rng = np.random.default_rng(seed)
    n = 2 * byzantine + 3 + more
    honest = rng.standard_normal((n - byzantine, 5)).astype(np.float32)
    lies = rng.standard_normal((byzantine, 5)) * {"far": 1.0, "near": 0.3, "alike": 0.0}[how] + far
    params = np.concatenate([honest, lies.astype(np.float32)])[rng.permutation(n)]
    sizes, told = np.ones(n, int).tolist(), {"byzantine_share": (byzantine + 0.01) / n}
    for name in ("median", "trimmed-mean"):
        result = combine(name, np.zeros(5), params, sizes, **(told if name == "trimmed-mean" else {}))
        assert (result >= honest.min(axis=0) - 1e-6).all() and (result <= honest.max(axis=0) + 1e-6).all()
    reach = math.sqrt(n - byzantine - 2) * max(math.dist(a, b) for a in honest for b in honest) + 1e-3
    middle = honest.mean(axis=0)
    width = max(math.dist(a, middle) for a in honest)
    for name in ("krum", "multi-krum"):
        result = combine(name, np.zeros(5), params, sizes, **told)
        assert math.dist(result, middle) <= width + reach


def test_the_mean_follows_a_single_adversary_anywhere() -> None:
    params = np.concatenate([np.zeros((9, 3)), np.full((1, 3), 1e6)])
    assert combine("fedavg", np.zeros(3), params, [10] * 10).min() > 9e4
    for name in ("median", "trimmed-mean", "krum", "multi-krum"):
        assert combine(name, np.zeros(3), params, [10] * 10).max() == 0.0


def test_an_update_out_of_all_measure_hides_no_difference_between_the_others() -> None:
    """Distances between honest models are not rounded away by one at 1e18."""
    honest = np.array([[0.0, 0.0], [1e-3, 0.0], [0.0, 1.1e-3], [5e-3, 5e-3]], dtype=np.float32)
    params = np.concatenate([honest, np.full((1, 2), 1e18)])
    assert combine("krum", np.zeros(2), params, [1] * 5, byzantine_share=0.2).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("wrong", [{"byzantine_share": 0.5}, {"byzantine_share": -0.1}, {"share": 0.1}])
def test_a_share_that_is_none_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"byzantine_share|no setting 'share'"):
        combine("krum", np.zeros(3), np.zeros((7, 3)), [1] * 7, **wrong)


def angles(updates: np.ndarray) -> list[float]:
    state: dict = {}  # type: ignore[type-arg]
    combine("fedadp", np.zeros(updates.shape[1]), updates, [7] * len(updates), state)
    return [angle for angle, _ in state.values()]


def clusters(updates: np.ndarray) -> list[int]:
    with pytest.MonkeyPatch.context() as patch:
        seen: list[np.ndarray] = []
        exact = np.linalg.eigh
        patch.setattr(np.linalg, "eigh", lambda gram: (seen.append(gram), exact(gram))[1])
        combine("fedsim", np.zeros(updates.shape[1]), updates, [7] * len(updates))
    return seen[0].ravel().tolist()


@pytest.mark.parametrize(
    "measure",
    [
        angles,
        clusters,
        lambda updates: krum._squared_distances(updates).ravel().tolist(),
        lambda updates: [length(updates.ravel())],
    ],
    ids=["fedadp", "fedsim", "krum", "length"],
)
def test_threads_of_the_linear_algebra_change_no_bit(measure) -> None:  # type: ignore[no-untyped-def]
    updates = np.random.default_rng(0).standard_normal((100, 9999))
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            found.append(measure(updates))
    assert found[0] == found[1]
