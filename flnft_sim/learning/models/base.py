"""What a model is to the rest of the package: shapes, costs, a start, and a PyTorch module."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from flnft_sim import families
from flnft_sim.errors import InputError
from flnft_sim.learning.models.layers import Layers
from flnft_sim.registry import Registry
from flnft_sim.settings.learning import ActivationSettings
from flnft_sim.streams import checked_seed

if TYPE_CHECKING:
    from torch import nn


class ModelError(InputError):
    """A model that cannot be built for the data at hand."""


class Model(ABC):
    """A classifier of images of one shape. A new model is a subclass with `name` and `module`.

    Parameters travel as one flat float32 vector (P,) in PyTorch's order (`module().parameters()`).
    """

    name: ClassVar[str]
    Settings: ClassVar[type | None] = None  # of what a scenario can tell it, see `flnft_sim.knobs`
    layers: Layers | None = None  # filled in by models that engines without PyTorch can run

    def __init__(
        self, input_shape: tuple[int, int, int], classes: int, dropout: float = 0.0, *, settings: Any = None
    ) -> None:
        if len(input_shape) != 3 or min(input_shape) < 1:
            raise ModelError(f"model {self.name}: input shape {input_shape} is not (channels, rows, columns)")
        if classes < 2:
            raise ModelError(f"model {self.name}: {classes} classes; a classifier needs at least 2")
        if not 0.0 <= dropout < 1.0:
            raise ModelError(f"model {self.name}: dropout {dropout} must be in [0, 1)")
        self.input_shape, self.classes, self.dropout = tuple(input_shape), classes, dropout
        self.settings = self.Settings() if settings is None and self.Settings else settings

    @abstractmethod
    def module(self) -> nn.Module:
        """Build a fresh PyTorch module: (n, C, H, W) float32 → (n, classes) logits.

        Its initial values do not matter. Dropout must be `flnft_sim.learning.models.dropout.Dropout`: PyTorch's own
        draws from a global stream, which no run could repeat.
        """

    @cached_property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name → shape, in the order of the flat vector."""
        if self.layers is not None:
            return self.layers.parameter_shapes
        import torch

        with torch.device("meta"):
            return {name: tuple(p.shape) for name, p in self.module().named_parameters()}

    @cached_property
    def parameter_count(self) -> int:
        """Length P of the flat vector."""
        return sum(prod(shape) for shape in self.parameter_shapes.values())

    @property
    def upload_bits(self) -> int:
        """Size of one update on the radio link: 32 bits a parameter."""
        return 32 * self.parameter_count

    @cached_property
    def flops_per_sample(self) -> int:
        """FLOPs of training on one sample (forward and backward) in matrix products and convolutions."""
        if self.layers is not None:
            return self.layers.training_flops
        import torch
        from torch.utils.flop_counter import FlopCounterMode

        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            self.module()(torch.empty((1, *self.input_shape))).sum().backward()
        return counter.get_total_flops()

    def initial(self, seed: int) -> np.ndarray:
        """Draw start parameters (P,) float32: weights and biases uniform in ±1/√fan_in, PyTorch's default.

        Drawn by NumPy, so that the same seed gives the same model whatever the version of PyTorch.
        """
        rng = np.random.default_rng(checked_seed(seed))
        parts, bound = [], 1.0
        for shape in self.parameter_shapes.values():
            if len(shape) > 1:  # a bias keeps the bound of the weight before it
                bound = 1 / np.sqrt(prod(shape[1:]))
            parts.append(rng.uniform(-bound, bound, prod(shape)).astype(np.float32))
        return np.concatenate(parts)

    def unflatten(self, params: np.ndarray) -> dict[str, np.ndarray]:
        """Cut a flat vector (P,) into named arrays (views), as weight files want them."""
        if params.shape != (self.parameter_count,):
            raise ModelError(
                f"model {self.name}: parameters of shape {params.shape} instead of ({self.parameter_count},)"
            )
        shapes = self.parameter_shapes
        cuts = np.cumsum([prod(shape) for shape in shapes.values()])[:-1]
        return {
            name: part.reshape(shape)
            for (name, shape), part in zip(shapes.items(), np.split(params, cuts), strict=True)
        }

    def flatten(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """Join named arrays, as `unflatten` cuts them, to one flat vector (P,)."""
        return np.concatenate([weights[name].ravel() for name in self.parameter_shapes])


class LayeredModel(Model):
    """A model that is fully described by its layer table; a subclass chooses the table in `choose_layers`."""

    Settings = ActivationSettings

    def __init__(
        self, input_shape: tuple[int, int, int], classes: int, dropout: float = 0.0, *, settings: Any = None
    ) -> None:
        super().__init__(input_shape, classes, dropout, settings=settings)
        activation, layers = getattr(self.settings, "activation", "relu"), self.choose_layers()
        self.layers: Layers = layers if activation == "relu" else replace(layers, activation=activation)

    @abstractmethod
    def choose_layers(self) -> Layers:
        """Choose the table for `self.input_shape`, `self.classes` and `self.dropout`, or raise `ModelError`.

        Hidden units are ReLU in it, unless the model is always of another kind; `activation: tanh` changes them after.
        """

    def module(self) -> nn.Module:
        """Build the table as a `torch.nn.Sequential`."""
        from torch import nn

        from flnft_sim.learning.models.dropout import Dropout

        parts: OrderedDict[str, nn.Module] = OrderedDict()
        name = self.layers.activation
        activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[name]
        for i, conv in enumerate(self.layers.convolutions, 1):
            parts[f"conv{i}"] = nn.Conv2d(conv.inputs, conv.outputs, conv.kernel)
            parts[f"pool{i}"] = nn.MaxPool2d(2)
            parts[f"conv{i}_{name}"] = activation()
        if self.layers.convolutions and self.dropout:
            parts["conv_dropout"] = Dropout(self.dropout)
        parts["flatten"] = nn.Flatten()
        for i, dense in enumerate(self.layers.dense, 1):
            parts[f"fc{i}"] = nn.Linear(dense.inputs, dense.outputs)
            if i < len(self.layers.dense):
                parts[f"fc{i}_{name}"] = activation()
                if self.dropout:
                    parts[f"fc{i}_dropout"] = Dropout(self.dropout)
        return nn.Sequential(parts)


MODELS: Registry[Callable[..., Model]] = families.MODELS


def build_model(
    name: str, input_shape: tuple[int, int, int], classes: int, *, dropout: float = 0.0, **settings: Any
) -> Model:
    """Build a registered model for images of shape (channels, rows, columns), with settings of its own."""
    return MODELS.get(name)(input_shape, classes, dropout, **MODELS.given(name, **settings))
