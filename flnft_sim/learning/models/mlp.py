"""The base framework's multi-layer perceptron: input – 200 – activation – classes."""

from math import prod

from flnft_sim.learning.models.base import MODELS, LayeredModel
from flnft_sim.learning.models.layers import Dense, Layers

HIDDEN_UNITS = 200


@MODELS.register("mlp")
class Mlp(LayeredModel):
    """One hidden layer of 200 units, for images of any shape."""

    name = "mlp"

    def choose_layers(self) -> Layers:
        """Flatten, one hidden layer, logits."""
        dense = (Dense(prod(self.input_shape), HIDDEN_UNITS), Dense(HIDDEN_UNITS, self.classes))
        return Layers((), dense, self.dropout)
