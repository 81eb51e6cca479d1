"""The layer table: what an engine that does not run PyTorch modules needs to know about a model."""

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Convolution:
    """`kernel`×`kernel` convolution (stride 1, no padding) of a square input, 2×2 max-pooling, then the activation."""

    inputs: int
    outputs: int
    kernel: int
    side: int

    @property
    def convolved_side(self) -> int:
        """Side of the map before pooling."""
        return self.side - self.kernel + 1

    @property
    def pooled_side(self) -> int:
        """Side of the map after pooling; an odd last row and column fall away, as in PyTorch."""
        return self.convolved_side // 2

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weight, in PyTorch's order."""
        return (self.outputs, self.inputs, self.kernel, self.kernel)

    @property
    def multiplications(self) -> int:
        """Multiply-add operations of one sample's forward pass."""
        return prod(self.weight_shape) * self.convolved_side**2


@dataclass(frozen=True)
class Dense:
    """Fully connected layer; the activation follows every one but the last."""

    inputs: int
    outputs: int

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weight, in PyTorch's order."""
        return (self.outputs, self.inputs)

    @property
    def multiplications(self) -> int:
        """Multiply-add operations of one sample's forward pass."""
        return self.inputs * self.outputs


@dataclass(frozen=True)
class Layers:
    """Convolutions, then dense layers, then cross-entropy; `activation` is that of all hidden units, relu or tanh.

    `dropout` is the probability of dropping a channel of the last convolution and a unit of each hidden dense layer
    (the base framework's places).
    """

    convolutions: tuple[Convolution, ...]
    dense: tuple[Dense, ...]
    dropout: float = 0.0
    activation: str = "relu"

    @property
    def weighted(self) -> tuple[tuple[str, Convolution | Dense], ...]:
        """All layers with parameters, in order, with their names in the module."""
        convolutions = [(f"conv{i}", layer) for i, layer in enumerate(self.convolutions, 1)]
        dense = [(f"fc{i}", layer) for i, layer in enumerate(self.dense, 1)]
        return (*convolutions, *dense)

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name → shape in the order of the flat vector: each layer's weight, then its bias."""
        shapes: dict[str, tuple[int, ...]] = {}
        for name, layer in self.weighted:
            shapes[f"{name}.weight"] = layer.weight_shape
            shapes[f"{name}.bias"] = (layer.outputs,)
        return shapes

    @property
    def training_flops(self) -> int:
        """FLOPs of one sample's forward and backward pass through the weighted layers.

        A layer costs two FLOPs a multiplication forward, as many for its weight's gradient and, but for the first
        layer, as many for its input's.
        """
        multiplications = [layer.multiplications for _, layer in self.weighted]
        return 6 * sum(multiplications) - 2 * multiplications[0]
