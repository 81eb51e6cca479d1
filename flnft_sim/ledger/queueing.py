"""What theory says of waiting for blocks: the yardstick of the mempool."""

from flnft_sim.errors import InputError


def mean_inclusion_s(tx_per_s: float, *, block_interval_s: float, block_tx: int) -> float:
    """Mean seconds to inclusion with Poisson arrivals, exponential blocks, at most `block_tx` of equal gas in each.

    The bulk-service queue M/M[K]/1 with partial batches (Gross and Harris, ch. 3): a block finds n waiting with
    probability (1 − r)·rⁿ, r the root in (0, 1) of μ·r^(K+1) − (λ + μ)·r + λ = 0; Little's law divides the mean
    r/(1 − r) by λ. It tends to the block interval as λ → 0 and has no bound as λ → K·μ, where `InputError` begins.
    """
    from scipy.optimize import brentq  # here: no run waits for its import

    arrivals, blocks = tx_per_s, 1.0 / block_interval_s
    load = arrivals / (blocks * block_tx)
    if not 0 < load < 1:
        raise InputError(f"{tx_per_s} transactions/s are {load:.3g} of what blocks hold; give a load in (0, 1)")
    # 1 is a root too; the other lies below the polynomial's only minimum, where it is negative.
    lowest = ((arrivals + blocks) / (blocks * (block_tx + 1))) ** (1 / block_tx)
    root = brentq(lambda r: blocks * r ** (block_tx + 1) - (arrivals + blocks) * r + arrivals, 0.0, lowest)
    return root / (1 - root) / arrivals
