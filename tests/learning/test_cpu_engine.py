"""The CPU engine against a plain one-user PyTorch loop on the same batches."""

import tracemalloc
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import MaxPool2d, ReLU
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from flnft_sim.learning import train_users
from flnft_sim.learning.batches import batch_plan, dropout_base, dropout_key
from flnft_sim.learning.engines.base import Descent, Trained, TrainingError
from flnft_sim.learning.engines.cpu import engine
from flnft_sim.learning.engines.cpu.engine import CpuEngine
from flnft_sim.learning.models import Convolution, Dense, Layers, build_model
from flnft_sim.learning.models.base import Model
from flnft_sim.learning.models.dropout import Dropout

SHAPES = [
    ("mlp", (1, 8, 8)),
    ("cnn", (1, 8, 8)),
    ("mlp", (1, 28, 28)),
    ("cnn", (1, 28, 28)),
    ("mlp", (3, 32, 32)),
    ("cnn", (3, 32, 32)),
]
ODD = [("cnn", (1, 17, 17)), ("cnn", (2, 19, 19)), ("mlp", (1, 5, 7))]
RATE, MOMENTUM = 0.01, 0.5  # at 0.05, batches of one image make rounding grow from step to step

torch.set_num_threads(1)


def oracle(model: Model, start, x, y, *, epochs, batch_size, seed, user):
    """One user, one step at a time, in double precision: parameters, loss, gradient norm, and the narrowest decision.

    Where ReLU or max-pooling decide by less than single precision can tell, neither answer is wrong.
    """
    module = model.module().double()
    vector_to_parameters(torch.from_numpy(start).double(), module.parameters())
    margins: list[float] = []
    for part in module.modules():
        if isinstance(part, ReLU | MaxPool2d):
            part.register_forward_hook(lambda part, inputs, _: margins.append(narrowest(part, inputs[0])))
    dropouts = [part for part in module.modules() if isinstance(part, Dropout)]
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE, momentum=MOMENTUM)
    order, bounds = batch_plan(len(y), epochs, batch_size, seed, user)
    images, labels = torch.from_numpy(x).double(), torch.from_numpy(y)
    loss_sum, norm_sum = 0.0, 0.0
    for step, (first, last) in enumerate(pairwise(bounds)):
        rows = order[first:last]
        for site, part in enumerate(dropouts):
            part.base.fill_(int(dropout_base(np.array([dropout_key(seed, user)]), step, site)[0]))
        optimizer.zero_grad()
        loss = cross_entropy(module(images[rows]), labels[rows])
        loss.backward()
        if first >= (epochs - 1) * len(y):
            loss_sum += len(rows) * loss.item()
            norm_sum += len(rows) * parameters_to_vector([p.grad for p in module.parameters()]).norm().item()
        optimizer.step()
    params = parameters_to_vector(module.parameters()).detach().numpy()
    return params, loss_sum / len(y), norm_sum / len(y), min(margins)


def narrowest(part, x) -> float:
    """By how little ReLU decided on a sign, or max-pooling between two pixels that differ."""
    if isinstance(part, ReLU):
        gaps = x.abs()
    else:
        windows = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).sort(-1).values
        gaps = windows[..., 3] - windows[..., 2]
    return gaps[gaps > 0].min().item() if (gaps > 0).any() else np.inf


def trained_by(threads: int | None, model: Model, starts, shards, *, users, **descent) -> Trained:
    """What the engine gives with a number of threads; starts (N, P), epochs and users (N,)."""
    return CpuEngine(threads=threads).train(model, starts, shards, Descent(**descent), users=users)


train = partial(train_users, engine="cpu", device="cpu")


def random_shard(model: Model, samples: int, seed: int):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((samples, *model.input_shape)).astype(np.float32)
    return x, rng.integers(0, model.classes, samples)


@pytest.mark.parametrize(("name", "shape"), SHAPES + ODD)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_users_equal_a_plain_loop(name, shape, data):
    rate = data.draw(st.sampled_from([0.0, 0.5, 0.2]), "dropout")
    model = build_model(name, shape, data.draw(st.integers(2, 17), "classes"), dropout=rate)
    sizes = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=3), "shard sizes")
    epochs = np.array([data.draw(st.integers(1, 2)) for _ in sizes])
    users = np.array([data.draw(st.integers(0, 1000)) for _ in sizes])
    batch_size, seed = data.draw(st.integers(1, 40), "batch size"), data.draw(st.integers(0, 2**40), "seed")
    start = model.initial(seed)
    shards = [random_shard(model, n, i) for i, n in enumerate(sizes)]
    params, losses, norms = train(
        model, start, shards, epochs=epochs, batch_size=batch_size, lr=RATE, momentum=MOMENTUM, seed=seed, users=users
    )
    for i, (x, y) in enumerate(shards):
        expected, loss, norm, margin = oracle(
            model, start, x, y, epochs=int(epochs[i]), batch_size=batch_size, seed=seed, user=int(users[i])
        )
        assume(margin > 1e-6)
        np.testing.assert_allclose(params[i], expected, rtol=1e-4, atol=2e-6)
        assert losses[i] == pytest.approx(loss, rel=1e-4, abs=1e-6)
        assert norms[i] == pytest.approx(norm, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_threads_positions_and_company_change_no_bit(name, shape):
    model = build_model(name, shape, 10, dropout=0.3)
    shards = [random_shard(model, n, n) for n in (70, 5, 33)]
    starts = np.stack([model.initial(i) for i in range(3)])
    epochs, users = np.array([1, 3, 2]), np.array([4, 9, 2])

    def train_some(chosen, threads):
        return trained_by(
            threads, model, starts[chosen], [shards[i] for i in chosen], epochs=epochs[chosen], users=users[chosen],
            batch_size=16, lr=RATE, momentum=MOMENTUM, seed=3,
        )  # fmt: skip

    together = train_some([0, 1, 2], 1)
    for chosen, threads in [([0, 1, 2], 2), ([2, 0], 2), ([1], 1)]:
        for one, other in zip(train_some(chosen, threads), together, strict=True):
            assert one.tobytes() == other[chosen].tobytes()


@pytest.mark.parametrize(("name", "shape"), SHAPES + ODD)
@settings(max_examples=3, deadline=None)
@given(samples=st.integers(1, 600), seed=st.integers(0, 2**31))
def test_evaluation_and_ranking_equal_pytorch(name, shape, samples, seed):
    model = build_model(name, shape, 10, dropout=0.5)
    start = model.initial(seed) * np.float32(3)  # larger weights: predictions that differ
    x, y = random_shard(model, samples, seed)
    module = model.module().double().eval()
    vector_to_parameters(torch.from_numpy(start).double(), module.parameters())
    logits = module(torch.from_numpy(x).double())
    top = logits.topk(2).values
    assume((top[:, 0] - top[:, 1]).min() > 1e-5)
    loss = cross_entropy(logits, torch.from_numpy(y))
    loss.backward()
    gradient = parameters_to_vector([p.grad for p in module.parameters()])
    correct = (logits.argmax(1).numpy() == y).mean()
    for threads in (1, 2):
        accuracy, mean_loss = CpuEngine(threads=threads).evaluate(model, start, (x, y))
        assert accuracy == pytest.approx(correct)
        assert mean_loss == pytest.approx(loss.item(), rel=1e-5)
    shards = [(x, y), (x[:1], y[:1])]
    assert CpuEngine().rank(model, start, shards, "loss")[0] == pytest.approx(loss.item(), rel=1e-5)
    norms = CpuEngine().rank(model, start, shards, "gradient-norm")
    assert norms[0] == pytest.approx(gradient.norm().item(), rel=1e-3)  # a narrow decision may fall either way


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_a_diverged_user_shows_and_spoils_no_other(name, shape):
    model = build_model(name, shape, 10)
    shards = [random_shard(model, 30, i) for i in range(2)]
    settings = {"epochs": 2, "batch_size": 16, "lr": RATE, "momentum": MOMENTUM, "seed": 0}
    starts = np.stack([model.initial(0), model.initial(1)])
    healthy, _, _ = train(model, starts, shards, **settings)
    starts[0] = np.nan
    params, losses, norms = train(model, starts, shards, **settings)
    assert np.isnan(params[0]).all() and np.isnan(losses[0]) and np.isnan(norms[0])
    assert params[1].tobytes() == healthy[1].tobytes()


def test_overflowing_weights_do_not_pass_for_a_result():
    model = build_model("cnn", (1, 8, 8), 10)
    _, losses, _ = train(
        model, model.initial(0), [random_shard(model, 64, 0)], epochs=5, batch_size=8, lr=1e20, momentum=0.9, seed=0
    )
    assert not np.isfinite(losses[0])


def test_read_only_strided_and_other_typed_data_give_the_same():
    model = build_model("mlp", (1, 8, 8), 10)
    x, y = random_shard(model, 40, 0)
    frozen = x.copy()
    frozen.flags.writeable = False
    settings = {"epochs": 1, "batch_size": 8, "lr": RATE, "momentum": MOMENTUM, "seed": 0}
    expected = train(model, model.initial(0), [(x, y)], **settings)[0]
    for images, labels in [(frozen, y), (np.repeat(x, 2, 0)[::2], y), (x.astype(np.float64), y.astype(np.uint8))]:
        params = train(model, model.initial(0), [(images, labels)], **settings)[0]
        assert params.tobytes() == expected.tobytes()


def test_the_engine_says_whom_it_cannot_serve(monkeypatch):
    class Plugin(Model):
        name = "plugin"

        def module(self):
            return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))

    model = build_model("cnn", (1, 8, 8), 10)
    assert CpuEngine().serves(model) is None
    assert "plugin" in CpuEngine().serves(Plugin((1, 8, 8), 10))
    wide = build_model("cnn", (1, 28, 28), 10)
    wide.layers = Layers((Convolution(1, 2, 9, 28),), (Dense(200, 10),))
    assert "9×9" in CpuEngine().serves(wide)
    monkeypatch.setattr(engine.host, "vector_width", lambda: 0)
    assert "AVX-512" in CpuEngine().serves(model)
    with pytest.raises(TrainingError, match="engine 'torch'"):
        CpuEngine().evaluate(model, model.initial(0), random_shard(model, 1, 0))


@pytest.mark.parametrize("kernel", range(1, 8))
@pytest.mark.slow
def test_other_kernel_sizes_and_channel_counts(kernel):
    first = Convolution(2, 7, kernel, 22)
    second = Convolution(7, 3, kernel, first.pooled_side)
    model = build_model("cnn", (2, 22, 22), 5)
    model.layers = Layers((first, second), (Dense(3 * second.pooled_side**2, 5),))
    start, (x, y) = model.initial(kernel), random_shard(model, 20, kernel)
    expected, loss, _, margin = oracle(model, start, x, y, epochs=1, batch_size=9, seed=0, user=0)
    params, losses, _ = train(model, start, [(x, y)], epochs=1, batch_size=9, lr=RATE, momentum=MOMENTUM, seed=0)
    assert margin > 1e-7
    np.testing.assert_allclose(params[0], expected, rtol=1e-4, atol=2e-6)
    assert losses[0] == pytest.approx(loss, rel=1e-4)


def test_memory_stays_below_three_copies_of_the_users_parameters():
    model = build_model("mlp", (1, 28, 28), 10)
    shards = [random_shard(model, 64, 0)] * 40
    settings = {"epochs": 1, "batch_size": 64, "lr": RATE, "momentum": MOMENTUM, "seed": 0}
    train(model, model.initial(0), shards[:1], **settings)  # compiled code is not the users'
    tracemalloc.start()
    params, _, _ = train(model, model.initial(0), shards, **settings)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert params.nbytes <= peak_bytes <= 3 * params.nbytes


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_thread_raises_reaches_the_caller(threads):
    model = build_model("mlp", (1, 8, 8), 10)
    with pytest.raises(ZeroDivisionError):
        engine._in_threads(model.layers, 1, lambda _worker, item: 1 // item, [1, 0, 2], threads)


@pytest.mark.parametrize("rate", [0.0, 0.5])
@pytest.mark.parametrize(("name", "shape"), [("mlp", (1, 8, 8)), ("cnn", (1, 28, 28))])
def test_tanh_trains_as_in_pytorch(name, shape, rate):
    model = build_model(name, shape, 10, dropout=rate, activation="tanh")
    shards = [random_shard(model, samples, samples) for samples in (40, 7)]
    asked = {"epochs": 2, "batch_size": 9, "lr": RATE, "momentum": MOMENTUM, "seed": 3}
    ours, theirs = (train_users(model, model.initial(1), shards, engine=each, **asked) for each in ("cpu", "torch"))
    np.testing.assert_allclose(ours.params, theirs.params, rtol=1e-4, atol=2e-6)
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    np.testing.assert_allclose(ours.gradient_norms, theirs.gradient_norms, rtol=1e-4)
