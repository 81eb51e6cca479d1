"""The three families of what moves users, and a choice of one each.

All are functions of arrays, element by element, that broadcast; money is for the whole minting.

* A cost: (epochs k, privacy ε, C^c, C^p) -> money, the unit costs being κ·C of Eq. 6 and 7.
* A reward: contributions (N,) of one dimension (θ^Q or θ^F) -> what each weighs; shares are weights over their sum.
* A utility: (reward δ, epochs k, privacy ε, cost) -> Φ. A user takes part where its best Φ is at least 0.

A part with settings takes the keyword `settings`, too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim import families
from flnft_sim.arrays import Floats
from flnft_sim.errors import InputError
from flnft_sim.registry import Registry

type Cost = Callable[..., Any]
type Reward = Callable[..., Any]
type Utility = Callable[..., Any]

COSTS: Registry[Cost] = families.COSTS
REWARDS: Registry[Reward] = families.REWARDS
UTILITIES: Registry[Utility] = families.UTILITIES

THE_PAPERS = {"utility": "fair", "cost": "linear", "reward": "proportional"}  # whose answers have a closed form
_FAMILIES: Mapping[str, Registry[Any]] = {"utility": UTILITIES, "cost": COSTS, "reward": REWARDS}


@dataclass(frozen=True, kw_only=True)
class Incentives:
    """One utility, cost and reward, each with its settings; what they return is checked."""

    parts: Mapping[str, Callable[..., Any]]
    names: Mapping[str, str]

    @classmethod
    def chosen(cls, names: Mapping[str, str], told: Mapping[str, Mapping[str, Any]]) -> "Incentives":
        """The parts of those names by family (`utility`, `cost`, `reward`), each told its settings."""
        parts = {
            family: partial(_FAMILIES[family].get(name), **_FAMILIES[family].given(name, **told.get(family, {})))
            for family, name in names.items()
        }
        return cls(parts=parts, names=dict(names))

    def cost(self, epochs: ArrayLike, privacy: ArrayLike, compute_cost: ArrayLike, privacy_cost: ArrayLike) -> Floats:
        """C (Eq. 5 where it is the paper's) in money."""
        return self._asked("cost", *np.broadcast_arrays(epochs, privacy, compute_cost, privacy_cost))

    def utility(self, reward: ArrayLike, epochs: ArrayLike, privacy: ArrayLike, cost: ArrayLike) -> Floats:
        """Φ (Eq. 14 where it is the paper's)."""
        return self._asked("utility", *np.broadcast_arrays(reward, epochs, privacy, cost))

    def weights(self, contributions: Floats) -> Floats:
        """What contributions weigh when money is shared (θ itself where it is the paper's, Eq. 13)."""
        weights = self._asked("reward", contributions)
        if np.any(weights < 0):
            raise InputError(f"reward {self.names['reward']!r} gives a weight below 0 ({weights.min():g}); give none")
        return weights

    def _asked(self, family: str, *arrays: Any) -> Floats:
        values = np.asarray(self.parts[family](*arrays), dtype=np.float64)
        place = f"{family} {self.names[family]!r}"
        if values.shape != np.shape(arrays[0]):
            raise InputError(
                f"{place} returns shape {values.shape} for {np.shape(arrays[0])} numbers; work element by element"
            )
        if not np.isfinite(values).all():
            at = int(np.flatnonzero(~np.isfinite(values))[0])
            told = ", ".join(f"{float(array.flat[at]):g}" for array in arrays)
            raise InputError(f"{place} is {values.flat[at]} at ({told}); return a finite number there")
        return values
