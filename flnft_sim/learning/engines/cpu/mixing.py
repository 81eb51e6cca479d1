# mypy: disallow-untyped-defs=False
"""The compiled steps behind `averages`: first layers laid out by tiles of samples, then mixed average by average.

`net` is `plan.Net` and `layout` is `averages.Layout`. The first layers' sums come first in the workspace: for each tile
of `TILE` samples those of every model, (tiles, n, TILE, outputs), so that mixing is one matrix product a tile.
"""

import numpy as np

from flnft_sim.learning.engines.cpu.kernels import glue
from flnft_sim.learning.engines.cpu.steps import activate, copy, gather, log_sum_exp, product
from flnft_sim.learning.engines.cpu.vectors import pointer

TILE = 16  # samples; a multiple of what every kernel takes at a time


@glue
def lay_out(net, x, workspace, batch, shared, model, models, tail_at):
    """Compute a model's first layer on all samples x (v, d), and copy what follows it to float `tail_at`.

    The model's parameters are in the workspace of one thread, which takes `batch` samples at a time.
    """
    memory, target, first = pointer(workspace), pointer(shared), net.dense[0]
    span = TILE * first.outputs
    rows = np.arange(len(x))
    for start in range(0, len(x), batch):
        count = (min(batch, len(x) - start) + TILE - 1) // TILE * TILE
        gather(memory, x, rows, start, count, first.x, first.inputs)
        product(net, memory, count, first.outputs, first.inputs, first.x, first.inputs, first.w, first.y, first.b)
        for tile in range(count // TILE):
            copy(memory, first.y + tile * span, target, ((start // TILE + tile) * models + model) * span, span)
    for i in range(1, len(net.dense)):
        d = net.dense[i]
        copy(memory, d.w, target, tail_at, d.inputs * d.outputs)
        copy(memory, d.b, target, tail_at + d.inputs * d.outputs, d.outputs)
        tail_at += (d.inputs + 1) * d.outputs


@glue
def score(net, labels, shared, mixes, layout, scratch, first_tile, last_tile, losses):
    """Add up the cross-entropy of averages by `mixes` (g, n) over the samples of some tiles, into `losses` (g,)."""
    memory, first = pointer(shared), net.dense[0]
    group, models = mixes.shape
    span = TILE * first.outputs
    tails = scratch
    hidden = tails + group * layout.tail
    outputs = hidden + group * span
    shares = outputs + 2 * layout.outputs
    for g in range(group):
        for i in range(models):
            memory[shares + g * models + i] = mixes[g, i]
    product(net, memory, group, layout.tail, models, shares, models, layout.tails, tails, layout.zeros)
    for tile in range(first_tile, last_tile):
        product(net, memory, group, span, models, shares, models, tile * models * span, hidden, layout.zeros)
        for g in range(group):
            logits = forward_tail(net, memory, hidden + g * span, tails + g * layout.tail, outputs, layout.outputs)
            stride = net.dense[len(net.dense) - 1].outputs
            for r in range(min(TILE, len(labels) - tile * TILE)):
                z = logits + r * stride
                losses[g] += log_sum_exp(memory, z, net.classes) - memory[z + labels[tile * TILE + r]]


@glue
def forward_tail(net, memory, x, tail, outputs, span):
    """Run a tile through all layers after the first, from the first one's sums at `x`; returns where the logits lie."""
    width = net.dense[0].outputs
    for i in range(1, len(net.dense)):
        d = net.dense[i]
        activate(net, memory, x, TILE * width)
        y = outputs + (i % 2) * span
        product(net, memory, TILE, d.outputs, d.inputs, x, width, tail, y, tail + d.inputs * d.outputs)
        tail += (d.inputs + 1) * d.outputs
        x, width = y, d.outputs
    return x
