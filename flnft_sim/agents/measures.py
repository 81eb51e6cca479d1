"""How users' contributions are measured: by which measure they are paid, and which are taken beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flnft_sim.game.contribution import Arrivals, Measured, facts_of, measure


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Names of measures, and what each is told."""

    pays_by: str = "paper"
    asked: tuple[str, ...] = ()
    """Those that the table `contributions` tells of; none where only the paper's pays."""
    told: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def judged_by(self) -> str | None:
        """The measure by which reputation is won: the one that pays, else the first beside the paper's."""
        return next(iter(self.asked), None)

    @property
    def sees_updates(self) -> bool:
        """Whether any of them looks at single updates."""
        return any(facts_of(name).sees_updates for name in self.asked)

    def take(self, arrived: Arrivals) -> dict[str, Measured]:
        """Measure a round by all of them."""
        names = dict.fromkeys((self.pays_by, *self.asked))
        return {name: measure(name, arrived, **self.told.get(name, {})) for name in names}
