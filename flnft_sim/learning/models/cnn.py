"""The base framework's convolutional networks, and a smaller one for small images."""

from itertools import pairwise

from flnft_sim.learning.models.base import MODELS, LayeredModel, ModelError
from flnft_sim.learning.models.layers import Convolution, Dense, Layers

KERNEL = 5
SMALLEST_SIDE = KERNEL + 1
SMALLEST_SIDE_OF_TWO = 2 * SMALLEST_SIDE + KERNEL - 1  # what two convolutions with pooling need


@MODELS.register("cnn")
class Cnn(LayeredModel):
    """5×5 convolutions with 2×2 max-pooling and the activation, then dense layers; the widths follow the images.

    28×28×1: 10 and 20 channels, 50 units. 32×32×3: 6 and 16 channels, 120 and 84 units. Images below 16×16 (the
    digits' 8×8) get a single convolution of 16 channels and 50 units.
    """

    name = "cnn"

    def choose_layers(self) -> Layers:
        """Choose channels and units by the number of colours and the side."""
        colours, rows, columns = self.input_shape
        channels: tuple[int, ...]
        units: tuple[int, ...]
        if rows != columns or rows < SMALLEST_SIDE:
            raise ModelError(
                f"model cnn: images of {rows}×{columns} do not fit; it needs square ones of at least "
                f"{SMALLEST_SIDE}×{SMALLEST_SIDE} (the mlp takes any shape)"
            )
        if rows < SMALLEST_SIDE_OF_TWO:
            channels, units = (16,), (50,)
        elif colours == 1:
            channels, units = (10, 20), (50,)
        else:
            channels, units = (6, 16), (120, 84)
        return self._chain(channels, units)

    def _chain(self, channels: tuple[int, ...], units: tuple[int, ...]) -> Layers:
        convolutions: list[Convolution] = []
        inputs, side = self.input_shape[0], self.input_shape[1]
        for outputs in channels:
            convolutions.append(Convolution(inputs, outputs, KERNEL, side))
            inputs, side = outputs, convolutions[-1].pooled_side
        widths = (inputs * side * side, *units, self.classes)
        dense = tuple(Dense(a, b) for a, b in pairwise(widths))
        return Layers(tuple(convolutions), dense, self.dropout)
