"""What the page shows at one instant, whether a model is running or a run's files are played back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from flnft_sim.results import phase_breakdown

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """One agent on the map. `rate_bps` is that of a link in use; `facts` are what its side panel tells, by label."""

    name: str
    role: str
    x_m: float
    y_m: float
    activity: str
    rate_bps: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BookLine:
    """A bid in an auction's book: a ciphertext while sealed, money once opened."""

    auction: str
    sender: str
    content: str
    status: str
    payment_money: float | None = None


@dataclass(frozen=True)
class BlockLine:
    """A block of a chain and what its transactions are."""

    chain: str
    height: int
    time_s: float
    hash: str
    contents: str


@dataclass(frozen=True)
class Belief:
    """What a provider bids, and what it believed its rivals to bid against what they did before any rebid."""

    provider: str
    bid_money: float
    predicted_rivals_money: float
    rivals_money: float


@dataclass(frozen=True)
class UserMeans:
    """Means over the users that took part in a round."""

    time_s: float
    utility: float
    cash_surplus_money: float


@dataclass(frozen=True)
class Scene:
    """One instant. `rounds` are rows of the table of that name, finished by now; ages are those of the last round."""

    time_s: float
    state: str
    area_m: tuple[float, float]
    figures: Sequence[Figure]
    rounds: Sequence[Row]
    user_ages_s: Mapping[str, float]
    user_means: Sequence[UserMeans]
    phases_s: Mapping[str, float]
    beliefs: Sequence[Belief]
    auction_state: str
    book: Sequence[BookLine]
    blocks: Sequence[BlockLine]

    def figure(self, name: str) -> Figure | None:
        """The agent of that name."""
        return next((figure for figure in self.figures if figure.name == name), None)


def records(table: pd.DataFrame) -> list[Row]:
    """The rows of a table, one dictionary each."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def seconds_by_phase(spans: pd.DataFrame) -> dict[str, float]:
    """Minting time by phase along the critical path, all DAOs together."""
    sums = phase_breakdown(spans).groupby("phase", sort=False)["duration_s"].sum()
    return {str(phase): float(seconds) for phase, seconds in sums.items() if seconds > 0}


def summarise_kinds(kinds: Sequence[str]) -> str:
    """A block's transactions in words: "3 × bid, mint"."""
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    return ", ".join(kind if count == 1 else f"{count} × {kind}" for kind, count in counts.items())


def beside(area_m: tuple[float, float], number: int, count: int) -> tuple[float, float]:
    """Where the n-th of `count` providers is drawn: in a column to the right of the area."""
    return 1.14 * area_m[0], area_m[1] * (count - number - 0.5) / count
