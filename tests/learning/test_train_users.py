"""Both torch engines against a plain loop, and the door's checks."""

from functools import cache, partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_loop import train_one
from torch.nn.functional import cross_entropy

from flnft_sim.errors import InputError
from flnft_sim.learning import (
    Dataset,
    Model,
    build_model,
    choose_engine,
    evaluate,
    load_dataset,
    rank_users,
    train_users,
)
from flnft_sim.learning.engines import choice, torch_loop, torch_stacked
from flnft_sim.learning.engines.base import Descent
from flnft_sim.learning.engines.torch_loop import TorchLoop
from flnft_sim.learning.engines.torch_stacked import TorchStacked

SETTINGS = {"lr": 0.05, "momentum": 0.5, "seed": 11}
WORKLOADS = [("mlp", (1, 8, 8)), ("mlp", (3, 6, 6)), ("cnn", (1, 8, 8)), ("cnn", (1, 28, 28)), ("cnn", (3, 32, 32))]
ENGINES = {"loop": TorchLoop("cpu"), "stacked": TorchStacked("cpu")}


@cache
def images(shape: tuple[int, int, int]) -> Dataset:
    return load_dataset("synthetic", shape=shape, classes=4, train=200, test=60)


def shards_of(shape: tuple[int, int, int], sizes: list[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    data, cuts = images(shape), np.cumsum(sizes)
    return [(data.train_x[b - n : b], data.train_y[b - n : b]) for n, b in zip(sizes, cuts, strict=True)]


def assert_same_training(params: np.ndarray, expected: np.ndarray, start: np.ndarray) -> None:
    """Agree to rounding almost everywhere, and in the whole update.

    Where two inputs of a max-pooling differ by less than the rounding, either may win, and a few weights before it
    part by a ten-thousandth; one unit dropped wrongly would move the whole update by several per cent.
    """
    difference = np.abs(params - expected)
    assert np.quantile(difference, 0.9) < 2e-6
    assert np.linalg.norm(difference) < 3e-3 * np.linalg.norm(expected - start)


@pytest.mark.parametrize(("name", "shape"), WORKLOADS)
@pytest.mark.parametrize("kind", list(ENGINES))
@settings(max_examples=6)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 3), st.integers(0, 99)), min_size=1, max_size=4),
    st.integers(1, 24),
    st.sampled_from([0.0, 0.5]),
    st.integers(0, 99),
)
def test_every_user_is_trained_as_by_a_plain_loop(
    kind: str,
    name: str,
    shape: tuple[int, int, int],
    users: list[tuple[int, int, int]],
    batch_size: int,
    dropout: float,
    seed: int,
) -> None:
    """Unequal shards and epochs, ragged batches, starts of their own, dropout or none."""
    model = build_model(name, shape, 4, dropout=dropout)
    sizes, epochs, numbers = (list(part) for part in zip(*users, strict=True))
    shards = shards_of(shape, sizes)
    starts = np.stack([model.initial(seed + i) for i in range(len(users))])
    # With batches of one image a rate of 0.05 diverges, and rounding grows with it.
    common = {"batch_size": batch_size, "lr": 0.01, "momentum": 0.5, "seed": seed}
    descent = Descent(epochs=np.array(epochs), **common)
    params, losses, norms = ENGINES[kind].train(model, starts, shards, descent, users=np.array(numbers))
    for i, (x, y) in enumerate(shards):
        expected = train_one(model, starts[i], x, y, epochs=epochs[i], user=numbers[i], **common)
        assert_same_training(params[i], expected[0], starts[i])
        np.testing.assert_allclose((losses[i], norms[i]), expected[1:], rtol=1e-3)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_threads_of_the_machine_change_no_bit(name: str) -> None:
    model, shards = build_model(name, (1, 28, 28), 4), shards_of((1, 28, 28), [150, 50])
    results, threads = [], torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(
                train_users(
                    model, model.initial(0), shards, epochs=2, batch_size=64, engine="torch", device="cpu", **SETTINGS
                )
            )
            assert torch.get_num_threads() == count  # left as it was
    finally:
        torch.set_num_threads(threads)
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_users_result_does_not_depend_on_who_else_trains() -> None:
    model, shards = build_model("mlp", (1, 8, 8), 4, dropout=0.3), shards_of((1, 8, 8), [30, 20, 25])
    train = partial(train_users, model, model.initial(0), batch_size=8, engine="torch", device="cpu", **SETTINGS)
    together = train(shards, epochs=np.array([1, 3, 2]))
    alone = train([shards[2], shards[0]], epochs=np.array([2, 1]), users=np.array([2, 0]))
    for all_of_them, some in zip(together, alone, strict=True):
        np.testing.assert_array_equal(all_of_them[[2, 0]], some)


def plain_loss_and_gradient(model: Model, params: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    module = model.module().eval()
    torch.nn.utils.vector_to_parameters(torch.tensor(params), module.parameters())
    loss = cross_entropy(module(torch.tensor(x)), torch.tensor(y))
    gradient = torch.autograd.grad(loss, list(module.parameters()))
    return loss.item(), float(torch.nn.utils.parameters_to_vector(gradient).norm())


@pytest.mark.parametrize(("name", "shape"), WORKLOADS)
def test_ranking_is_by_the_whole_shards_loss_and_mean_gradient(
    name: str, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_loop, "FORWARD_ROWS", 16)  # several passes a shard
    model, shards = build_model(name, shape, 4, dropout=0.5), shards_of(shape, [37, 16, 5])
    params = model.initial(3)
    expected = [plain_loss_and_gradient(model, params, x, y) for x, y in shards]
    for by, scores in zip(("loss", "gradient-norm"), zip(*expected, strict=True), strict=True):
        found = rank_users(model, params, shards, by, engine="torch", device="cpu")
        np.testing.assert_allclose(found, scores, rtol=1e-4)


@pytest.mark.parametrize(("name", "shape"), WORKLOADS)
def test_evaluation_counts_what_is_right_without_dropout(name: str, shape: tuple[int, int, int]) -> None:
    model, data = build_model(name, shape, 4, dropout=0.5), images(shape)
    params = model.initial(5)
    module = model.module().eval()
    torch.nn.utils.vector_to_parameters(torch.tensor(params), module.parameters())
    right = int((module(torch.tensor(data.test_x)).argmax(1).numpy() == data.test_y).sum())
    accuracy, loss = evaluate(model, params, data.test_x, data.test_y, engine="torch", device="cpu")
    assert accuracy == right / len(data.test_y)
    assert loss == pytest.approx(plain_loss_and_gradient(model, params, data.test_x, data.test_y)[0], rel=1e-4)


def test_the_choice_of_an_engine_gives_its_reason() -> None:
    model = build_model("mlp", (1, 8, 8), 4)
    forced = choose_engine(model, engine="torch", device="cpu")
    assert (forced.name, forced.device) == ("torch", "cpu")
    noisy = choose_engine(model, device="cpu", step_noise=True)
    assert noisy.name == "torch"
    assert "noise on every step" in noisy.reason
    with pytest.raises(InputError, match="cannot serve: noise on every step"):
        choose_engine(model, engine="cpu", device="cpu", step_noise=True)


def test_a_model_the_cpu_engine_does_not_know_runs_in_torch() -> None:
    model = build_model("mlp", (1, 8, 8), 4)
    model.layers = None  # as a plug-in's
    assert choose_engine(model, device="cpu").name == "torch"
    with pytest.raises(InputError, match="engine 'cpu' cannot serve"):
        choose_engine(model, engine="cpu", device="cpu")


def test_a_gpu_trains_stacked_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU (here one in name only) `auto` stacks the users there; what it computes is tested above."""
    monkeypatch.setattr(choice, "_cuda_available", lambda: True)
    monkeypatch.setattr(torch_stacked, "TorchStacked", lambda _device: ENGINES["stacked"])
    model, shards = build_model("mlp", (1, 8, 8), 4), shards_of((1, 8, 8), [20, 30])
    assert choose_engine(model) == choose_engine(model, device="cuda")
    assert choose_engine(model).device == "cuda"
    assert choose_engine(model, engine="cpu").device == "cpu"
    arguments = {"epochs": 2, "batch_size": 8, **SETTINGS}
    stacked = train_users(model, model.initial(0), shards, **arguments)
    looped = train_users(model, model.initial(0), shards, engine="torch", device="cpu", **arguments)
    for one, other in zip(stacked, looped, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    with pytest.raises(InputError, match="does not run on device 'cuda'"):
        choose_engine(model, engine="cpu", device="cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu_is_said() -> None:
    with pytest.raises(InputError, match="no CUDA GPU"):
        choose_engine(build_model("mlp", (1, 8, 8), 4), device="cuda")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epochs": 0}, "epochs"),
        ({"epochs": np.array([1, 2, 3])}, "one a user"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"lr": -0.1}, "lr is -0.1"),
        ({"momentum": 1.0}, "momentum is 1;"),
        ({"users": np.array([0, -1])}, "at least 0"),
        ({"engine": "tourch"}, "did you mean 'torch'"),
        ({"device": "cudda"}, "did you mean 'cuda'"),
        ({"params": np.zeros(7, np.float32)}, "4510|parameters"),
    ],
)
def test_settings_that_mean_nothing_are_named(changes: dict[str, object], words: str) -> None:
    model, shards = build_model("mlp", (1, 8, 8), 4), shards_of((1, 8, 8), [5, 5])
    given_settings = {"params": model.initial(0), "epochs": 1, "batch_size": 4, **SETTINGS, **changes}
    with pytest.raises(InputError, match=words):
        train_users(model, given_settings.pop("params"), shards, **given_settings)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.zeros((3, 1, 8, 8)), np.array([0, 1, 4]), "label 4 is out of range"),
        (np.zeros((3, 1, 8, 8)), np.array([0, -1, 3]), "label -1 is out of range"),
        (np.zeros((3, 1, 8, 9)), np.zeros(3), "do not fit"),
        (np.zeros((3, 1, 8, 8)), np.zeros(2), "do not fit"),
        (np.zeros((0, 1, 8, 8)), np.zeros(0), "at least one"),
    ],
)
def test_data_that_does_not_fit_is_named(x: np.ndarray, y: np.ndarray, words: str) -> None:
    model = build_model("mlp", (1, 8, 8), 4)
    with pytest.raises(InputError, match=words):
        train_users(model, model.initial(0), [(x, y)], epochs=1, batch_size=4, **SETTINGS)


def test_nobody_to_train_is_no_error() -> None:
    model = build_model("mlp", (1, 8, 8), 4)
    params, losses, norms = train_users(model, model.initial(0), [], epochs=1, batch_size=4, **SETTINGS)
    assert params.shape == (0, model.parameter_count)
    assert len(losses) == len(norms) == 0
