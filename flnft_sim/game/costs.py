"""What a unit of effort costs a user: an epoch (Eq. 6) and a unit of the ε asked for (Eq. 7)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import plain
from flnft_sim.checks import not_negative, within


def compute_unit_cost(
    *,
    cycles_per_batch: ArrayLike,
    cpu_hz: ArrayLike,
    memory_gb: ArrayLike = 8.0,
    memory_ratio: ArrayLike = 0.5,
    alpha: float = 0.3,
    capacitance: float = 1e-28,
) -> Any:
    """Cost units of one local epoch, C^c = α·ζ·(z·s)·f² + (1−α)·ξ·θ (Eq. 6); arrays broadcast.

    `cycles_per_batch` is z·s, the CPU cycles of one mini-batch; `memory_ratio` ξ the share of `memory_gb` θ in use.
    """
    share = within("alpha", alpha, at_least=0.0, at_most=1.0)
    energy = not_negative("capacitance", capacitance) * not_negative("cycles_per_batch", cycles_per_batch)
    memory = within("memory_ratio", memory_ratio, at_least=0.0, at_most=1.0) * not_negative("memory_gb", memory_gb)
    return plain(share * energy * not_negative("cpu_hz", cpu_hz) ** 2 + (1.0 - share) * memory)


def privacy_unit_cost(update_norm: ArrayLike, *, beta: float = 0.5) -> Any:
    """Cost units of one unit of the ε asked for, C^p = β·ln(1 + ‖g̃‖) (Eq. 7).

    `update_norm` is the norm of the user's last *noised* update: the clean one would leak.
    """
    return plain(not_negative("beta", beta) * np.log1p(not_negative("update_norm", update_norm)))
