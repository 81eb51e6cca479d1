"""DP-SGD in both engines: each record's gradient clipped as a whole, noise as much as was said, lots by coins."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from flnft_sim.learning import PrivateDescent, TrainingError, build_model, train_privately
from flnft_sim.learning.batches import LOT_ROWS, poisson_lot
from flnft_sim.learning.engines.cpu.engine import CpuEngine
from flnft_sim.learning.models.base import Model
from flnft_sim.streams import Streams

ENGINES = ["cpu", "torch"]
MODELS = [
    ("mlp", (1, 8, 8), "tanh"),
    ("cnn", (1, 8, 8), "relu"),
    ("cnn", (1, 28, 28), "tanh"),
    ("mlp", (1, 5, 7), "relu"),
    ("cnn", (3, 32, 32), "tanh"),
]
CLIP = 0.7


def shard(model: Model, records: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((records, *model.input_shape)) * rng.choice([0.01, 1.0], (records, 1, 1, 1))
    return x.astype(np.float32), rng.integers(0, model.classes, records)


def descent(**changed: Any) -> PrivateDescent:
    usual = PrivateDescent(
        first=np.array([0]),
        steps=np.array([1]),
        lots=np.array([1.0]),
        deviations=np.array([0.0]),
        sampling_rate=1.0,
        clip_l2=CLIP,
        lr=1.0,
        momentum=0.0,
        seed=3,
    )
    return replace(usual, **{name: np.atleast_1d(v) if name in _ARRAYS else v for name, v in changed.items()})


_ARRAYS = ("first", "steps", "lots", "deviations")


def moved(model: Model, data, engine: str, start=None, user: int = 5, **changed: Any) -> np.ndarray:
    """What one user's parameters move by, the sign turned: with lr 1 and L 1 the sum of a step."""
    start = model.initial(1) if start is None else start
    done = train_privately(
        model, start, [data], descent=descent(**changed), users=np.array([user]), engine=engine, device="cpu"
    )
    return start.astype(float) - done[0]


def by_definition(model: Model, x, y) -> torch.Tensor:
    """Each record's gradient over all parameters (n, P), by `torch.func` in double precision."""
    module = model.module().double()
    params = {name: torch.tensor(part).double() for name, part in model.unflatten(model.initial(1)).items()}

    def loss(params, image, label):
        return cross_entropy(functional_call(module, params, (image[None],)), label[None])

    each = vmap(grad(loss), (None, 0, 0))(params, torch.tensor(x).double(), torch.tensor(y))
    return torch.cat([part.flatten(1) for part in each.values()], 1)


def clipped_sum(gradients: torch.Tensor, clip: float) -> np.ndarray:
    return (gradients * torch.clamp(clip / gradients.norm(dim=1), max=1.0)[:, None]).sum(0).numpy()


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


@pytest.mark.parametrize(("name", "shape", "activation"), MODELS)
@pytest.mark.parametrize("records", [1, 7, 37])
def test_the_sum_is_that_of_each_records_clipped_gradient(name, shape, activation, records):
    model = build_model(name, shape, 7, activation=activation)
    data = shard(model, records)
    gradients = by_definition(model, *data)
    clip = float(gradients.norm(dim=1).median()) * 1.001  # of several records some are clipped and some are not
    for engine in ENGINES:
        assert relative(moved(model, data, engine, clip_l2=clip), clipped_sum(gradients, clip)) < 1e-5
        if records > 1:  # another bound is another sum
            assert relative(moved(model, data, engine, clip_l2=2 * clip), clipped_sum(gradients, clip)) > 1e-2


def test_the_bound_is_for_all_parameters_together_and_not_for_each_tensor():
    model = build_model("mlp", (1, 8, 8), 7, activation="tanh")
    data = shard(model, 20)
    gradients, sizes = by_definition(model, *data), [p.numel() for p in model.module().parameters()]
    by_tensor = np.concatenate([clipped_sum(part, CLIP) for part in gradients.split(sizes, dim=1)])
    for engine in ENGINES:
        ours = moved(model, data, engine)
        assert relative(ours, clipped_sum(gradients, CLIP)) < 1e-5 < 1e-2 < relative(ours, by_tensor)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_lot_of_more_than_one_chunk_is_one_sum(engine):
    model = build_model("mlp", (1, 2, 3), 3)
    data = shard(model, LOT_ROWS + 9)
    assert relative(moved(model, data, engine, clip_l2=3.5), clipped_sum(by_definition(model, *data), 3.5)) < 1e-5


@pytest.mark.parametrize("rate", [0.0, 0.4])
@pytest.mark.parametrize(("name", "shape", "activation"), [("cnn", (1, 8, 8), "tanh"), ("mlp", (1, 8, 8), "relu")])
def test_engines_agree_over_many_steps_with_noise_dropout_and_momentum(rate, name, shape, activation):
    model = build_model(name, shape, 10, dropout=rate, activation=activation)
    asked = {"steps": 6, "sampling_rate": 0.3, "lots": 9.0, "deviations": 0.2, "momentum": 0.5, "first": 11}
    ours, theirs = (moved(model, shard(model, 30), engine, **asked) for engine in ENGINES)
    assert relative(ours, theirs) < 1e-4


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), clip=st.sampled_from([0.01, 0.5, 3.0]), big=st.sampled_from([1.0, 1e4]))
def test_one_record_more_moves_the_sum_by_no_more_than_the_bound(seed, clip, big):
    model = build_model("cnn", (1, 8, 8), 10, activation="tanh")
    x, y = shard(model, 13, seed)
    x[-1] *= big
    for engine in ENGINES:
        whole = moved(model, (x, y), engine, clip_l2=clip)
        less = moved(model, (x[:-1], y[:-1]), engine, clip_l2=clip)
        assert np.linalg.norm(whole - less) <= clip * (1 + 1e-3)


def is_noise(values: np.ndarray, deviation: float) -> bool:
    """Whether values are N(0, deviation²): the shape by Kolmogorov and Smirnov, the variance to two in a hundred."""
    shape = stats.kstest(values / deviation, "norm").pvalue > 1e-4
    return bool(shape and abs(values.var() / deviation**2 - 1) < 0.02)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("records", ["none", "some"])
def test_noise_is_as_much_as_was_said_and_no_other(engine, records):
    """An audit does not see a factor of 2 in it; this does, whether the lot is empty or not."""
    model = build_model("mlp", (1, 28, 28), 10)
    lot, sigma = 50.0, 1.7
    asked = {"lots": lot, "sampling_rate": 1e-9 if records == "none" else 0.5}
    data, start = shard(model, 20), np.zeros(model.parameter_count, np.float32)
    quiet = moved(model, data, engine, start, **asked)
    noise = moved(model, data, engine, start, deviations=sigma * CLIP, **asked) - quiet
    assert (np.abs(quiet).max() == 0.0) == (records == "none")
    assert is_noise(noise, sigma * CLIP / lot)
    for mistaken in (0.5, 2.0, np.sqrt(2.0), 1.05):  # as if halved, doubled, drawn twice, or nearly right
        assert not is_noise(noise, mistaken * sigma * CLIP / lot)
    half = len(noise) // 2
    assert abs(np.corrcoef(noise[:half], noise[half : 2 * half])[0, 1]) < 4 / np.sqrt(half)


def test_noise_has_the_same_bytes_in_every_engine():
    model = build_model("cnn", (1, 8, 8), 10)
    asked = {"sampling_rate": 1e-9, "deviations": 1.0, "start": np.zeros(model.parameter_count, np.float32)}
    ours, theirs = (moved(model, shard(model, 5), engine, **asked) for engine in ENGINES)
    np.testing.assert_array_equal(ours, theirs)


def test_steps_have_noise_of_their_own_and_users_too():
    model = build_model("mlp", (1, 8, 8), 10)
    asked = {"sampling_rate": 1e-9, "deviations": 1.0, "start": np.zeros(model.parameter_count, np.float32)}
    one, next_one, other = (
        moved(model, shard(model, 5), "cpu", **asked | more) for more in ({}, {"first": 1}, {"user": 6})
    )
    for a, b in ((one, next_one), (one, other)):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(len(a))
    both = moved(model, shard(model, 5), "cpu", **asked | {"steps": 2})
    np.testing.assert_allclose(both, one + next_one, atol=1e-5)


def test_threads_positions_and_company_change_no_bit():
    model = build_model("cnn", (1, 8, 8), 10, activation="tanh")
    start = np.tile(model.initial(1), (3, 1))
    data = [shard(model, records, records) for records in (40, 9, 70)]
    asked = descent(
        first=[0, 7, 3], steps=[4, 3, 0], lots=[5.0, 3.0, 5.0], deviations=[0.3, 0.1, 0.3], sampling_rate=0.2
    )
    users = np.array([4, 9, 2])

    def done(threads: int, rows: list[int]) -> np.ndarray:
        part = replace(asked, **{name: getattr(asked, name)[rows] for name in _ARRAYS})
        return CpuEngine(threads=threads).train_privately(
            model, start[rows], [data[i] for i in rows], part, users=users[rows]
        )

    alone = done(1, [0, 1, 2])
    np.testing.assert_array_equal(done(2, [0, 1, 2]), alone)
    np.testing.assert_array_equal(done(1, [1]), alone[[1]])
    np.testing.assert_array_equal(done(2, [2, 0]), alone[[2, 0]])
    np.testing.assert_array_equal(alone[2], start[2])  # no step, no change


def test_lots_are_drawn_by_a_coin_a_record():
    """Poisson sampling: a lot's size is binomial, two records meet in q² of the lots, and steps do not know each other.

    A shuffled epoch has lots of one size, in which a record that was in the last lot cannot be in this one.
    """
    n, q, steps = 40, 0.3, 4000
    lots = [poisson_lot(Streams(1), 2, step, n, q) for step in range(steps)]
    joined = np.zeros((steps, n))
    for row, lot in zip(joined, lots, strict=True):
        row[lot] = 1
    sizes = joined.sum(1)
    assert sizes.mean() == pytest.approx(n * q, abs=5 * np.sqrt(n * q * (1 - q) / steps))
    assert sizes.var() == pytest.approx(n * q * (1 - q), rel=0.15)
    together = joined.T @ joined / steps
    pairs = together[~np.eye(n, dtype=bool)]
    assert np.abs(pairs - q * q).max() < 6 * np.sqrt(q * q * (1 - q * q) / steps)
    following = (joined[1:] * joined[:-1]).mean()
    assert following == pytest.approx(q * q, abs=6 * np.sqrt(q * q / (steps * n)))


@given(n=st.integers(0, 60), step=st.integers(0, 10**6), user=st.integers(0, 100))
def test_another_record_tosses_no_coin_but_its_own(n, step, user):
    less, more = (poisson_lot(Streams(9), user, step, size, 0.4) for size in (n, n + 1))
    np.testing.assert_array_equal(less, more[more < n])
    assert len(poisson_lot(Streams(9), user, step, n, 1.0)) == n


class Normed(Model):
    """A model of one's own that looks at all records of a lot together."""

    name = "normed"

    def module(self) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3))


class Own(Model):
    """A model of one's own whose layers are known record by record, as unlike ours as can be."""

    name = "own"

    def module(self) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Flatten(2),
            nn.Linear(16, 5, bias=False),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(20, self.classes),
        )


def test_a_layer_that_mixes_records_is_refused():
    model = Normed((1, 2, 2), 3)
    with pytest.raises(
        TrainingError, match=r"model 'normed' cannot train privately: its layer 2 \(BatchNorm1d\) has no"
    ):
        moved(model, shard(model, 4), "auto")


class Reused(Model):
    """A model of one's own that is no chain: one layer called `calls` times."""

    name, calls = "reused", 2

    def module(self) -> nn.Module:
        return _Calling(nn.Linear(4, 4), self.calls)


class _Calling(nn.Module):
    def __init__(self, layer: nn.Module, calls: int) -> None:
        super().__init__()
        self.layer, self.calls = layer, calls

    def forward(self, x):
        x = x.flatten(1)
        for _ in range(self.calls):
            x = self.layer(x)
        return x


@pytest.mark.parametrize(("calls", "words"), [(2, "called twice in one pass"), (0, "not called as a layer")])
def test_layers_whose_gradients_are_not_known_are_refused_when_they_show(calls, words, monkeypatch):
    monkeypatch.setattr(Reused, "calls", calls)
    model = Reused((1, 2, 2), 4)
    with pytest.raises(TrainingError, match=words):
        moved(model, shard(model, 5), "torch")


def test_a_model_of_ones_own_is_clipped_as_by_definition():
    model = Own((1, 8, 8), 3)
    data = shard(model, 9)
    gradients = by_definition(model, *data)
    clip = float(gradients.norm(dim=1).median())
    assert relative(moved(model, data, "torch", clip_l2=clip), clipped_sum(gradients, clip)) < 1e-5


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"sampling_rate": 0.0}, "sampling_rate is 0"),
        ({"sampling_rate": 1.5}, "sampling_rate is 1.5"),
        ({"lots": 0.0}, r"lots\[0\] is 0"),
        ({"clip_l2": 0.0}, "clip_l2 is 0"),
        ({"deviations": -1.0}, r"deviations\[0\] is -1"),
        ({"steps": [1, 2]}, "steps"),
    ],
)
def test_what_is_no_descent_is_refused(asked, words):
    model = build_model("mlp", (1, 2, 3), 3)
    with pytest.raises(TrainingError, match=words):
        moved(model, shard(model, 4), "cpu", **asked)
