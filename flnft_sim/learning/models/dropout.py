"""Dropout whose masks are a hash, so that every engine drops the same units (see `learning.batches`)."""

import torch
from torch import nn

from flnft_sim.learning.batches import MIX_FIRST, MIX_SECOND, dropout_threshold

_LOW_32 = 0xFFFFFFFF


class Dropout(nn.Module):
    """Drop units (n, d) or whole channels (n, c, h, w) at random; the buffer `base` chooses the mask.

    An engine sets `base` (0-d int64, from `dropout_base`) before each training step. In evaluation nothing happens.
    """

    base: torch.Tensor

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate, self.threshold = rate, dropout_threshold(rate)
        self.register_buffer("base", torch.zeros((), dtype=torch.int64), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scale what stays by 1/(1−rate)."""
        if not self.training:
            return x
        rows, width = x.shape[:2]
        counters = torch.arange(rows * width, device=x.device).view(rows, width)
        keep = (_mix((counters + self.base) & _LOW_32) >= self.threshold).to(x.dtype) / (1 - self.rate)
        return x * keep.view(rows, width, *(1,) * (x.dim() - 2))


def _mix(x: torch.Tensor) -> torch.Tensor:
    """`learning.batches._mix` on int64: PyTorch lacks uint32 products, so the low 32 bits are cut out each time."""
    x = x ^ (x >> 16)
    x = (x * MIX_FIRST) & _LOW_32
    x = x ^ (x >> 15)
    x = (x * MIX_SECOND) & _LOW_32
    return x ^ (x >> 16)
