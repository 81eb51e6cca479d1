"""Clip each record's gradient in PyTorch, for any module of dense layers and convolutions, in one backward pass.

By how much a record's gradient is scaled depends on that record alone: the backward pass stops at the layers' outputs,
and each layer's inputs and output gradients give first the norms, then the sum of what is scaled.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, unfold

from flnft_sim.learning.engines.base import TrainingError


class ClippedGradients:
    """Adds a batch's clipped gradients to a module's `grad`s; the module must do nothing else meanwhile."""

    def __init__(self, module: nn.Module, clip: float) -> None:
        self.module, self.clip = module, clip
        self._layers = [part for part in module.modules() if list(part.parameters(recurse=False))]
        self._seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}
        for layer in self._layers:
            layer.register_forward_hook(self._see)

    def _see(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if layer in self._seen:
            raise TrainingError(
                f"a layer ({type(layer).__name__}) is called twice in one pass, and the norm of a record's gradient is "
                "known of layers called once; give the second call a layer of its own, or do not train privately"
            )
        self._seen[layer] = inputs[0].detach(), output
        return output.clone()  # what comes next may work in place, and the output's gradient is wanted as it was

    def add(self, x: Tensor, y: Tensor) -> None:
        """Add the sum of the clipped gradients of each record's cross-entropy."""
        self._seen.clear()
        loss = cross_entropy(self.module(x), y, reduction="sum")
        if len(self._seen) != len(self._layers):
            raise TrainingError(
                "a layer with parameters is not called as a layer in a forward pass, so that nobody knows the norm of "
                "a record's gradient of them; call it, or do not train privately"
            )
        inputs, outputs = zip(*(self._seen[layer] for layer in self._layers), strict=True)
        errors = torch.autograd.grad(loss, outputs)
        with torch.no_grad():
            parts = [_Part(*each) for each in zip(self._layers, inputs, errors, strict=True)]
            norms = torch.stack([part.squares for part in parts]).sum(0).sqrt()
            factors = (self.clip / norms).clamp(max=1.0)  # of a norm of 0: infinity, cut to 1
            for part in parts:
                part.add(factors)


class _Part:
    """One layer's share: the squared norm (n,) of each record's gradient, and the scaled sum of the gradients."""

    def __init__(self, layer: nn.Module, a: Tensor, error: Tensor) -> None:
        self.layer, self.a, self.error = layer, a, error
        bias = layer.bias is not None
        if isinstance(layer, nn.Linear) and a.dim() == 2:
            self.weights: Tensor | None = None
            self.biases = error
            self.squares = (a.square().sum(1) + bias) * error.square().sum(1)
            return
        terms = _terms(layer, a, error)
        self.weights, self.biases = torch.einsum("nto,nti->noi", *terms), terms[0].sum(1)
        self.squares = self.weights.flatten(1).square().sum(1) + bias * self.biases.square().sum(1)

    def add(self, factors: Tensor) -> None:
        """Add Σ factor·gradient to the layer's `grad`s."""
        if self.weights is None:
            total = (self.error * factors[:, None]).T @ self.a
        else:
            total = torch.einsum("noi,n->oi", self.weights, factors)
        layer: Any = self.layer
        layer.weight.grad.add_(total.view(layer.weight.shape))
        if layer.bias is not None:
            layer.bias.grad.add_(factors @ self.biases)


def _terms(layer: nn.Module, a: Tensor, error: Tensor) -> tuple[Tensor, Tensor]:
    """A record's gradient as a sum over t of products: output errors (n, t, o) and inputs (n, t, i)."""
    if isinstance(layer, nn.Conv2d):
        settings: Any = (layer.kernel_size, layer.dilation, layer.padding, layer.stride)
        return error.flatten(2).transpose(1, 2), unfold(a, *settings).transpose(1, 2)
    return error.flatten(1, -2), a.flatten(1, -2)


def obstacle(module: nn.Module) -> str | None:
    """Say which layer stands in the way of clipping record by record, or None."""
    for name, part in module.named_modules():
        mixes = isinstance(part, nn.modules.batchnorm._NormBase)  # with or without parameters
        known = isinstance(part, nn.Linear) or (isinstance(part, nn.Conv2d) and _is_plain(part))
        if mixes or (list(part.parameters(recurse=False)) and not known):
            return (
                f"its layer {name or 'itself'} ({type(part).__name__}) has no norm of one record's "
                "gradient, only dense layers and plain convolutions have"
            )
    return None


def _is_plain(layer: nn.Conv2d) -> bool:
    return layer.groups == 1 and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
