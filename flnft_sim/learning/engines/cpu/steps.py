# mypy: disallow-untyped-defs=False
"""One user's training and a test set's evaluation: compiled glue that calls the kernels of the layer table.

`net` is `plan.Net`: the layer tables and where things lie in the workspace `memory` (a pointer to float32). Dense
layers hold rows of samples, padded with zero rows to `padded`; convolutions hold tiles of `WIDTH` samples.
"""

import numpy as np

from flnft_sim.learning.batches import MIX_FIRST, MIX_SECOND, SITE_STRIDE, STEP_STRIDE
from flnft_sim.learning.engines.cpu.kernels import glue
from flnft_sim.learning.engines.cpu.vectors import (
    WIDTH,
    add,
    call,
    fma,
    load,
    maximum,
    multiply,
    pointer,
    splat,
    store,
    sum_lanes,
    transpose_block,
    where_greater,
)


@glue
def train(net, x, y, order, bounds, workspace, key, threshold, keep_scale, rate, momentum, divisor, measured_from):
    """Train from the parameters in the workspace; returns (summed loss, row-weighted gradient norms) of the last steps.

    x (n, d) float32, y (n,) int64; step s takes the samples `order[bounds[s]:bounds[s+1]]`. The loss of a step is
    divided by `divisor`, or by the step's rows where that is 0. Steps from `measured_from` on are summed up.
    """
    memory = pointer(workspace)
    loss, norm = 0.0, 0.0
    for step in range(len(bounds) - 1):
        rows = order[bounds[step] : bounds[step + 1]]
        padded = (len(rows) + WIDTH - 1) // WIDTH * WIDTH
        forward(net, memory, x, rows, padded, key + step * STEP_STRIDE, threshold, keep_scale)
        step_loss = softmax_gradient(net, memory, y, rows, padded, divisor if divisor > 0 else len(rows))
        store(memory, net.norm, splat(np.float32(0)))
        errors_dense(net, memory, padded, keep_scale)
        descend_dense(net, memory, padded, rate, momentum)
        if len(net.convolutions) > 0:
            backward_convolutions(net, memory, padded, rate, momentum)
        if step >= measured_from:
            loss += step_loss
            norm += len(rows) * np.sqrt(np.float64(sum_lanes(load(memory, net.norm))))
    return loss, norm


@glue
def evaluate(net, x, y, order, bounds, workspace, key, threshold, keep_scale):
    """Count the correct predictions and sum the cross-entropy; the arguments are those of `train`."""
    memory = pointer(workspace)
    last = net.dense[len(net.dense) - 1]
    correct, loss = 0, 0.0
    for step in range(len(bounds) - 1):
        rows = order[bounds[step] : bounds[step + 1]]
        padded = (len(rows) + WIDTH - 1) // WIDTH * WIDTH
        forward(net, memory, x, rows, padded, key, threshold, keep_scale)
        for r in range(len(rows)):
            z = last.y + r * last.outputs
            best = 0
            for c in range(1, net.classes):
                if memory[z + c] > memory[z + best]:
                    best = c
            label = y[rows[r]]
            correct += best == label
            loss += log_sum_exp(memory, z, net.classes) - memory[z + label]
    return correct, loss


# ---- forward


@glue
def forward(net, memory, x, rows, padded, counter, threshold, keep_scale):
    """Logits of the batch into the last dense layer's `y`, everything that backward needs on the way."""
    site = 0
    if len(net.convolutions) == 0:
        gather(memory, x, rows, 0, padded, net.dense[0].x, net.dense[0].inputs)
    else:
        for tile in range(padded // WIDTH):
            forward_tile(net, memory, x, rows, tile)
        if threshold > 0:
            c = net.convolutions[len(net.convolutions) - 1]
            drop(
                memory,
                net.dense[0].x,
                net.dense[0].inputs,
                len(rows),
                c.outputs,
                c.pooled * c.pooled,
                counter,
                site,
                threshold,
                keep_scale,
            )
            site += 1
    for i in range(len(net.dense)):
        d = net.dense[i]
        product(net, memory, padded, d.outputs, d.inputs, d.x, d.inputs, d.w, d.y, d.b)
        if i < len(net.dense) - 1:
            activate(net, memory, d.y, padded * d.outputs)
            if threshold > 0:
                drop(memory, d.y, d.outputs, len(rows), d.units, 1, counter, site, threshold, keep_scale)
                site += 1


@glue
def forward_tile(net, memory, x, rows, tile):
    """Run all convolutions on one tile and lay the result down as rows of the first dense layer's input."""
    head = net.convolutions[0]
    pixels = x.shape[1]
    gather(memory, x, rows, tile * WIDTH, WIDTH, net.rows, pixels)
    transpose(memory, net.rows, pixels, memory, head.x + tile * pixels * WIDTH, WIDTH, WIDTH, pixels)
    for c in net.convolutions:
        maps = c.outputs * c.pooled * c.pooled * WIDTH
        x_tile = c.x + tile * c.inputs * c.side * c.side * WIDTH
        call(
            c.forward,
            (memory, x_tile, c.y + tile * maps, c.winner + tile * maps, c.w, c.b, c.inputs, c.outputs, c.side),
        )
        if net.tanh != 0:  # ReLU is the convolution's own
            call(net.tanh, (memory, c.y + tile * maps, maps))
    c = net.convolutions[len(net.convolutions) - 1]
    features = c.outputs * c.pooled * c.pooled
    stride = net.dense[0].inputs
    rows_at = net.dense[0].x + tile * WIDTH * stride
    transpose(memory, c.y + tile * features * WIDTH, WIDTH, memory, rows_at, stride, features, WIDTH)


@glue
def gather(memory, x, rows, first, count, target, stride):
    """Copy samples rows[first:first+count] into rows of the workspace; rows beyond the batch become 0."""
    samples, width = pointer(x), x.shape[1]
    for r in range(count):
        at = target + r * stride
        if first + r < len(rows):
            copy(samples, rows[first + r] * width, memory, at, width)
        else:
            for j in range(width):
                memory[at + j] = np.float32(0)


@glue
def activate(net, memory, y, count):
    """y ← max(y, 0), or tanh(y) where the model has its kernels."""
    if net.tanh != 0:
        call(net.tanh, (memory, y, count))
    else:
        for i in range(y, y + count, WIDTH):
            store(memory, i, maximum(load(memory, i), splat(np.float32(0))))


@glue
def hash32(value):
    """Scramble the low 32 bits: the rule of `learning.batches`."""
    x = np.uint32(value)
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(MIX_FIRST))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(MIX_SECOND))
    return np.uint32(x ^ (x >> np.uint32(16)))


@glue
def drop(memory, y, stride, rows, units, repeat, counter, site, threshold, keep_scale):
    """Drop units (each `repeat` floats wide) by the hash of their counter; scale up those that stay."""
    base = hash32(counter + site * SITE_STRIDE)
    for r in range(rows):
        for u in range(units):
            keep = hash32(base + r * units + u) >= threshold
            scale = keep_scale if keep else np.float32(0)
            at = y + r * stride + u * repeat
            for k in range(repeat):
                memory[at + k] = memory[at + k] * scale


@glue
def log_sum_exp(memory, z, classes):
    """log Σ exp of the logits at z, without overflow."""
    top = memory[z]
    for c in range(1, classes):
        top = max(top, memory[z + c])
    total = np.float32(0)
    for c in range(classes):
        total += np.exp(memory[z + c] - top)
    return top + np.log(total)


@glue
def softmax_gradient(net, memory, y, rows, padded, divisor):
    """Gradient of the summed cross-entropy / divisor at the logits (0 in padding rows); returns the summed loss."""
    last = net.dense[len(net.dense) - 1]
    scale = np.float32(1) / np.float32(divisor)
    loss = 0.0
    for r in range(padded):
        z = last.y + r * last.outputs
        g = last.dy + r * last.outputs
        if r < len(rows):
            norm = log_sum_exp(memory, z, net.classes)
            for c in range(net.classes):
                memory[g + c] = np.exp(memory[z + c] - norm) * scale
            label = y[rows[r]]
            loss += norm - memory[z + label]
            memory[g + label] = memory[g + label] - scale
        else:
            for c in range(net.classes):
                memory[g + c] = np.float32(0)
    return loss


# ---- backward


@glue
def errors_dense(net, memory, padded, keep_scale):
    """Gradients of all dense layers' outputs, from the last one's back to the first one's input."""
    for i in range(len(net.dense) - 1, -1, -1):
        d = net.dense[i]
        if i > 0 or len(net.convolutions) > 0:
            dx = net.dense[i - 1].dy if i > 0 else net.dx
            transpose(memory, d.w, d.outputs, memory, net.transposed, d.inputs, d.inputs, d.outputs)
            product(net, memory, padded, d.inputs, d.outputs, d.dy, d.outputs, net.transposed, dx, net.zeros)
            cut(net, memory, d.x, dx, padded * d.inputs, keep_scale)


@glue
def descend_dense(net, memory, padded, rate, momentum):
    """Step all dense layers by the gradients of their outputs."""
    for i in range(len(net.dense) - 1, -1, -1):
        d = net.dense[i]
        column_sums(memory, d.dy, padded, d.outputs, net.gradient)
        descend(net, memory, padded, d, rate, momentum)
        apply_gradient(net, memory, d.b, net.gradient, d.outputs, rate, momentum)


@glue
def backward_convolutions(net, memory, padded, rate, momentum):
    """Sum the gradients of all tiles, then step all convolutions."""
    for c in net.convolutions:
        clear(memory, c.sums, c.weights + c.outputs)
    for tile in range(padded // WIDTH):
        correlate(net, memory, tile)
    for c in net.convolutions:
        descend_convolution(net, memory, c, c.sums, rate, momentum)


@glue
def correlate(net, memory, tile):
    """Add one tile's gradients to all convolutions' `sums`, a lane a sample."""
    tail = net.convolutions[len(net.convolutions) - 1]
    features = tail.outputs * tail.pooled * tail.pooled
    stride = net.dense[0].inputs
    transpose(memory, net.dx + tile * WIDTH * stride, stride, memory, tail.dy, WIDTH, WIDTH, features)
    for i in range(len(net.convolutions) - 1, -1, -1):
        c = net.convolutions[i]
        x_tile = c.x + tile * c.inputs * c.side * c.side * WIDTH
        winner = c.winner + tile * c.outputs * c.pooled * c.pooled * WIDTH
        call(
            c.weight_gradient,
            (memory, x_tile, c.dy, winner, c.dz, c.sums, c.bias_sums, c.inputs, c.outputs, c.side, c.pairs, i > 0),
        )
        if i > 0:
            dx = net.convolutions[i - 1].dy
            call(c.input_gradient, (memory, c.dz, c.w, dx, c.inputs, c.outputs, c.side))
            if net.tanh != 0:  # where ReLU cut off, the windows' winners say it
                call(net.slope, (memory, x_tile, dx, c.inputs * c.side * c.side * WIDTH, np.float32(1)))


@glue
def descend_convolution(net, memory, c, sums, rate, momentum):
    """Step one convolution by its sums, a vector over samples for each weight and then each bias."""
    for i in range(c.weights):
        memory[c.gradient + i] = sum_lanes(load(memory, sums + i * WIDTH))
    for i in range(c.outputs):
        memory[c.gradient + c.b - c.w + i] = sum_lanes(load(memory, sums + (c.weights + i) * WIDTH))
    apply_gradient(net, memory, c.w, c.gradient, c.span, rate, momentum)


@glue
def clear(memory, start, vectors):
    """Zeros in that many vectors from `start` on."""
    for i in range(vectors):
        store(memory, start + i * WIDTH, splat(np.float32(0)))


@glue
def cut(net, memory, y, dy, count, scale):
    """dy ← dy·scale·f′ where dropout let y = scale·f(z) pass, else 0; of y = f(z) itself with scale 1."""
    if net.tanh != 0:
        call(net.slope, (memory, y, dy, count, scale))
        return
    zero = splat(np.float32(0))
    for i in range(0, count, WIDTH):
        store(
            memory, dy + i, where_greater(load(memory, y + i), zero, multiply(load(memory, dy + i), splat(scale)), zero)
        )


@glue
def column_sums(memory, a, rows, columns, target):
    """Sum over the rows of a (rows, columns)."""
    for j in range(0, columns, WIDTH):
        total = splat(np.float32(0))
        for r in range(rows):
            total = add(total, load(memory, a + r * columns + j))
        store(memory, target + j, total)


@glue
def apply_gradient(net, memory, p, gradient, count, rate, momentum):
    """m ← momentum·m + g, p ← p − rate·m for `count` parameters (a multiple of WIDTH); adds g² to the norm."""
    squares = load(memory, net.norm)
    for i in range(0, count, WIDTH):
        g = load(memory, gradient + i)
        squares = fma(g, g, squares)
        m = fma(splat(momentum), load(memory, p + net.momentum + i), g)
        store(memory, p + net.momentum + i, m)
        store(memory, p + i, fma(splat(-rate), m, load(memory, p + i)))
    store(memory, net.norm, squares)


# ---- products, strip by strip


@glue
def strip(columns):
    """Vectors of the next strip: as wide as the accumulators allow, but 2 + 2 rather than 3 + 1."""
    vectors = columns // WIDTH
    return vectors if vectors < 3 else 2 if vectors == 4 else 3


@glue
def product(net, memory, height, width, depth, a, a_row, b, c, bias):
    """c (height, width) = a·b + bias with b (depth, width)."""
    done = 0
    while done < width:
        vectors = strip(width - done)
        call(
            net.products[vectors - 1],
            (memory, height, depth, a, a_row, b + done, width, c + done, width, bias + done),
        )
        done += vectors * WIDTH


@glue
def descend(net, memory, padded, d, rate, momentum):
    """Step the weights of dense layer `d` by the gradient xᵀ·dy."""
    done = 0
    while done < d.outputs:
        vectors = strip(d.outputs - done)
        call(
            net.descents[vectors - 1],
            (
                memory, d.inputs, padded, d.x, d.inputs, d.dy + done, d.outputs,
                d.w + done, d.outputs, net.momentum, net.norm, rate, momentum,
            ),
        )  # fmt: skip
        done += vectors * WIDTH


# ---- layout changes


@glue
def transpose(source, a, a_row, target, b, b_row, height, width):
    """target[b + j·b_row + i] = source[a + i·a_row + j] for i < height, j < width.

    The target is written row after row: a result that lies in main memory must not be written in leaps.
    """
    whole_i, whole_j = height // WIDTH * WIDTH, width // WIDTH * WIDTH
    for j in range(0, whole_j, WIDTH):
        for i in range(0, whole_i, WIDTH):
            transpose_block(source, a + i * a_row + j, a_row, target, b + j * b_row + i, b_row)
    for i in range(height):
        for j in range(whole_j if i < whole_i else 0, width):
            target[b + j * b_row + i] = source[a + i * a_row + j]


@glue
def pack(net, flat, workspace, base):
    """Lay flat parameters (P,) out as the kernels want them, with zero padding and zero momentum.

    With another `base` than 0 they are something else, one a parameter: what belongs to parameter p lies at p + base.
    """
    memory, source = pointer(workspace), pointer(flat)
    if base == 0:
        for i in range(0, 2 * net.momentum, WIDTH):
            store(memory, i, splat(np.float32(0)))
    at = 0
    for c in net.convolutions:
        at = copy(source, at, memory, c.w + base, c.weights)
        at = copy(source, at, memory, c.b + base, c.outputs)
    for d in net.dense:
        transpose(source, at, d.features, memory, d.w + base, d.outputs, d.units, d.features)
        at = copy(source, at + d.units * d.features, memory, d.b + base, d.units)


@glue
def unpack(net, workspace, flat):
    """The inverse of `pack`."""
    memory, target = pointer(workspace), pointer(flat)
    at = 0
    for c in net.convolutions:
        copy(memory, c.w, target, at, c.weights)
        copy(memory, c.b, target, at + c.weights, c.outputs)
        at += c.weights + c.outputs
    for d in net.dense:
        transpose(memory, d.w, d.outputs, target, at, d.features, d.features, d.units)
        copy(memory, d.b, target, at + d.units * d.features, d.units)
        at += d.units * (d.features + 1)


@glue
def copy(source, a, target, b, count):
    """Copy `count` floats; returns where the source goes on."""
    whole = count // WIDTH * WIDTH
    for i in range(0, whole, WIDTH):
        store(target, b + i, load(source, a + i))
    for i in range(whole, count):
        target[b + i] = source[a + i]
    return a + count
