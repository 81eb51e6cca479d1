"""Parts of one's own, each a few lines, keep the shipped contracts: the examples of docs/extending.md."""

from math import prod
from typing import Any

import numpy as np
from torch import nn

from flnft_sim.learning import AGGREGATORS, build_model, choose_engine
from flnft_sim.learning.models import MODELS, Model
from flnft_sim.learning.models.dropout import Dropout
from flnft_sim.learning.schemes import SCHEMES, Participation, Scheme, SchemeContext, random_privacy
from flnft_sim.testing.aggregators import AggregatorContract
from flnft_sim.testing.models import ModelContract
from flnft_sim.testing.schemes import SchemeContract


@MODELS.register("tanh")
class Tanh(Model):
    """A hidden layer with another activation, no layer table."""

    name = "tanh"

    def module(self) -> nn.Module:
        hidden = [nn.Linear(prod(self.input_shape), 64), nn.Tanh(), Dropout(self.dropout)]
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(64, self.classes))


@SCHEMES.register("coin")
class Coin(Scheme):
    """Every user trains every other round or so."""

    name = "coin"

    def choose(self, context: SchemeContext) -> Participation:
        privacy = random_privacy(context)
        heads = context.rng.random(len(context.users)) < 0.5
        heads[0] = True
        epochs = np.full(heads.sum(), context.fixed_epochs, np.int64)
        return Participation(context.users[heads], epochs, privacy[heads])


@AGGREGATORS.register("midrange")
def midrange(_start: np.ndarray, user_params: np.ndarray, _sizes: np.ndarray, /, **_unused: Any) -> np.ndarray:
    """Halfway between each parameter's extremes."""
    return ((user_params.min(axis=0) + user_params.max(axis=0)) / 2).astype(np.float32)


class TestTanh(ModelContract):
    model = "tanh"
    input_shape = (3, 4, 5)
    dropout = 0.2


class TestCoin(SchemeContract):
    scheme = "coin"


class TestMidrange(AggregatorContract):
    aggregator = "midrange"


def test_a_model_without_a_table_runs_in_torch_and_says_why() -> None:
    choice = choose_engine(build_model("tanh", (3, 4, 5), 4), device="cpu")
    assert choice.name == "torch"
    assert "'tanh'" in choice.reason
