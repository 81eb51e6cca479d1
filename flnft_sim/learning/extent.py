"""How far runs have gone from what a learning curve was fitted to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from flnft_sim.learning.curves import load_curve, load_private_curve, private_workloads, workloads

# How a quantity that left its fitted range is told: "k" as it is called, and how its values are written.
_QUANTITIES = {
    "rounds": ("rounds", ",.0f"),
    "users": ("users a round", ",.0f"),
    "samples_per_user": ("samples a user", ",.0f"),
    "batch_size": ("samples a mini-batch", ",.0f"),
    "local_epochs": ("local epochs", ",.0f"),
    "local_steps": ("local steps", ",.0f"),
    "noise_deviation": ("noise deviation of the aggregate", ".3g"),
}


@dataclass
class Extent:
    """How far runs have gone from what a curve was fitted to: `ranges` by quantity, and what was met so far.

    One of them may be shared by many learners; it then tells of all of them.
    """

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    _met: dict[str, tuple[float, float]] = field(default_factory=dict)

    def meet(self, quantity: str, values: np.ndarray | float) -> None:
        """Note values of a quantity."""
        low, high = self._met.get(quantity, (np.inf, -np.inf))
        least, most = (values.min(), values.max()) if isinstance(values, np.ndarray) else (values, values)
        self._met[quantity] = min(low, float(least)), max(high, float(most))

    def left(self) -> Iterator[str]:
        """Yield what has left its range: the quantity, the value farthest out, and the range."""
        for quantity, (low, high) in self._met.items():
            least, most = self.ranges.get(quantity, (-np.inf, np.inf))
            name, form = _QUANTITIES[quantity]
            out = [f"{end:{form}}" for end, is_out in ((low, low < least), (high, high > most)) if is_out]
            if out:
                fitted = f"{least:{form}}" if least == most else f"{least:{form}} to {most:{form}}"
                yield f"{name} {' and '.join(out)} (fitted {fitted})"
        yield from self.remarks


def load_extent(dataset: str, model: str, *remarks: str) -> Extent:
    """Return the ranges of what a workload's curve was fitted to, nothing met yet; `remarks` are told in any case."""
    load_curve(dataset, model)  # the same complaint where there is none
    ranges = workloads()[f"{dataset}/{model}"]["ranges"]
    return Extent({quantity: (least, most) for quantity, (least, most) in ranges.items()}, remarks)


def load_private_extent(dataset: str, model: str) -> Extent:
    """Return the ranges of what a workload's curve of private training was fitted to, nothing met yet."""
    load_private_curve(dataset, model)
    ranges = private_workloads()[f"{dataset}/{model}"]["ranges"]
    return Extent({quantity: (least, most) for quantity, (least, most) in ranges.items()})
