"""Averages of trained updates: scored all at once as they would be one by one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from torch.nn.utils import vector_to_parameters

from flnft_sim.learning import Coalitions, DataError, build_model, load_dataset, score_averages
from flnft_sim.learning.coalitions import MOST_LOSS
from flnft_sim.learning.engines.cpu import engine
from flnft_sim.learning.engines.cpu.engine import CpuEngine
from flnft_sim.learning.engines.torch_stacked import TorchStacked
from flnft_sim.learning.models import Dense, Layers
from flnft_sim.learning.models.base import LayeredModel


class Deep(LayeredModel):
    """Four dense layers of odd widths: what follows the first is more than the logits."""

    name = "deep"

    def choose_layers(self):
        return Layers((), (Dense(35, 37), Dense(37, 50), Dense(50, 3), Dense(3, self.classes)))


class Straight(LayeredModel):
    """One layer, and nothing after it."""

    name = "straight"

    def choose_layers(self):
        return Layers((), (Dense(35, self.classes),))


MODELS = {
    "mlp": build_model("mlp", (1, 5, 7), 10),
    "mlp-tanh": build_model("mlp", (1, 5, 7), 4, activation="tanh"),
    "deep": Deep((1, 5, 7), 6),
    "straight": Straight((1, 5, 7), 5),
    "cnn": build_model("cnn", (1, 8, 8), 3),
}


def round_of(model, models, samples, seed):
    """Some models and samples at random."""
    rng = np.random.default_rng(seed)
    params = np.stack([model.initial(int(rng.integers(2**31))) for _ in range(models)]) * 2
    x = rng.standard_normal((samples, *model.input_shape)).astype(np.float32)
    return params.astype(np.float32), x, rng.integers(0, model.classes, samples), rng


def in_doubles(model, params, mixes, x, y):
    """The plain way: each average loaded into PyTorch's module, in double precision."""
    module, losses = model.module().double().eval(), []
    for mix in mixes:
        vector_to_parameters(torch.from_numpy(mix @ params.astype(float)), module.parameters())
        with torch.inference_mode():
            losses.append(cross_entropy(module(torch.from_numpy(x).double()), torch.from_numpy(y)).item())
    return np.array(losses)


@pytest.mark.parametrize("name", MODELS)
@given(models=st.integers(1, 13), samples=st.integers(1, 90), mixed=st.integers(1, 37), seed=st.integers(0, 10**6))
@settings(max_examples=4)
def test_averages_are_scored_as_one_by_one_in_every_engine(name, models, samples, mixed, seed):
    """Whatever number of models, samples and averages does or does not fill tiles and groups."""
    model = MODELS[name]
    params, x, y, rng = round_of(model, models, samples, seed)
    mixes = rng.dirichlet(np.ones(models), mixed)
    expected = in_doubles(model, params, mixes, x, y)
    for engine_name in ("cpu", "torch"):
        ours = score_averages(model, params, x, y, engine=engine_name)(mixes)
        np.testing.assert_allclose(ours, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_the_engine_of_a_gpu_scores_them_side_by_side(name, monkeypatch):
    """In batches of samples and groups of averages that do not come out even; here on the CPU."""
    monkeypatch.setattr("flnft_sim.learning.engines.torch_stacked.GROUP_USERS", 4)
    monkeypatch.setattr("flnft_sim.learning.engines.torch_stacked.SCORED_SAMPLES", 20)
    model = MODELS[name]
    params, x, y, rng = round_of(model, 3, 50, 8)
    mixes = rng.dirichlet(np.ones(3), 9)
    ours = TorchStacked("cpu").scorer(model, params, (x, y))(mixes)
    np.testing.assert_allclose(ours, in_doubles(model, params, mixes, x, y), rtol=2e-5, atol=1e-6)


def test_the_number_of_threads_changes_no_bit():
    model = MODELS["deep"]
    params, x, y, rng = round_of(model, 7, 1700, 3)
    mixes = rng.dirichlet(np.ones(7), 50)
    one, three = (CpuEngine(threads=count).scorer(model, params, (x, y))(mixes) for count in (1, 3))
    assert one.tobytes() == three.tobytes()


def test_what_would_take_too_much_memory_is_scored_one_by_one(monkeypatch):
    model = MODELS["mlp"]
    params, x, y, rng = round_of(model, 4, 60, 5)
    mixes = rng.dirichlet(np.ones(4), 9)
    together = score_averages(model, params, x, y, engine="cpu")(mixes)
    monkeypatch.setattr(engine, "_LARGEST_TABLE", 100)
    np.testing.assert_allclose(score_averages(model, params, x, y, engine="cpu")(mixes), together, rtol=1e-5)


def coalitions(models=5, seed=1, weights=None):
    model = MODELS["mlp"]
    params, x, y, _ = round_of(model, models + 1, 80, seed)
    weights = np.arange(1, models + 1) if weights is None else weights
    return Coalitions(model, params[-1], params[:-1], weights, (x, y), engine="cpu"), params, (x, y)


def test_a_coalition_is_the_weighted_average_of_its_members_and_nobody_is_the_start():
    found, params, (x, y) = coalitions()
    masks = np.array([[1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [0, 1, 0, 0, 0]], bool)
    weights = np.array([[1, 0, 3, 0, 5, 0], [0, 0, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0]])
    losses = in_doubles(MODELS["mlp"], params, weights / weights.sum(axis=1, keepdims=True), x, y)
    np.testing.assert_allclose(found.worth(masks), losses[1] - losses, atol=1e-5)
    assert found.worth(masks)[1] == 0.0


def test_each_is_scored_once():
    found, *_ = coalitions()
    masks = np.array([[1, 0, 1, 0, 1], [1, 0, 1, 0, 1], [0, 1, 0, 0, 0]], bool)
    first = found.worth(masks)
    assert found.scored == 3  # two, and the start
    np.testing.assert_array_equal(found.worth(masks[::-1]), first[::-1])
    assert found.scored == 3


def test_a_model_that_is_no_number_is_as_wrong_as_can_be():
    model = MODELS["mlp"]
    params, x, y, _ = round_of(model, 5, 40, 2)
    params[0], params[1], params[2, 3] = np.nan, params[1] * 1e30, np.inf
    found = Coalitions(model, params[4], params[:4], np.ones(4), (x, y), engine="cpu")
    worth = found.worth(np.eye(4, dtype=bool))
    assert np.isfinite(worth).all() and (worth[:3] < -MOST_LOSS / 2).all()
    alone = Coalitions(model, params[4], params[3:4], np.ones(1), (x, y), engine="cpu")
    assert worth[3] == alone.worth(np.ones((1, 1), bool))[0]  # whom it was not averaged with it does not touch


def test_without_validation_data_nothing_is_scored():
    model = MODELS["mlp"]
    start = model.initial(0)
    found = Coalitions(model, start, start[None], np.ones(1), None)
    with pytest.raises(DataError, match=r"set learning\.validation_share"):
        found.worth(np.ones((1, 1), bool))


def held_out(share):
    return load_dataset("digits").holding_out(share, np.random.default_rng(4))


@pytest.mark.parametrize("share", [0.01, 0.25, 0.99])
def test_validation_data_are_a_part_of_the_test_set_and_no_accuracy_is_reported_on_them(share):
    whole, data = load_dataset("digits"), held_out(share)
    apart, left = data.validation[0], data.test_x
    assert len(apart) == round(share * len(whole.test_x))
    together = np.concatenate([apart, left]).reshape(len(whole.test_x), -1)
    order = np.lexsort(together.T), np.lexsort(whole.test_x.reshape(len(whole.test_x), -1).T)
    np.testing.assert_array_equal(together[order[0]], whole.test_x.reshape(len(whole.test_x), -1)[order[1]])
    np.testing.assert_array_equal(data.train_x, whole.train_x)


@pytest.mark.parametrize("share", [0.001, 0.9999])
def test_a_share_that_leaves_nothing_is_refused(share):
    with pytest.raises(DataError, match=r"learning\.validation_share = .* both need at least one"):
        held_out(share)
