"""What the page shows at one instant, whether a model is running or a run's files are played back."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from flnft_sim.arrays import Floats
from flnft_sim.results import phase_breakdown

Row = Mapping[str, Any]

EVERY_DAO = ""
"""Chosen instead of a DAO's name: means over all of them."""


class Span(NamedTuple):
    """What an agent did, from when to when, for which minting (its label) and in which round."""

    agent: str
    dao: str
    phase: str
    round: int | None
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Figure:
    """One agent on the map. `rate_bps` is that of a link in use, `badge` what it is in an auction: sealed, won …"""

    name: str
    role: str
    x_m: float
    y_m: float
    activity: str
    rate_bps: float | None = None
    badge: str = ""


@dataclass(frozen=True)
class Crowd:
    """Users too many to be drawn one by one: where they stand, (n, 2) metres, and how many are in which state."""

    places_m: Floats
    states: Mapping[str, int]


@dataclass(frozen=True)
class BookLine:
    """A bid in an auction's book: a ciphertext while sealed; opened, its money, its fate, and the rank of access."""

    bidder: str
    fate: str  # sealed, won, lost, refused or silent
    words: str
    ciphertext: str = ""
    bid_money: float | None = None
    payment_money: float | None = None
    rank: int = 0


@dataclass(frozen=True)
class Book:
    """One auction: its state, how its price came about, its lines, best first.

    It is announced, bidding, opened and settled; between the last two funded, where winners have paid in advance.
    """

    auction: str
    state: str
    price: str
    lines: Sequence[BookLine]

    @property
    def is_open(self) -> bool:
        """Whether bids can be read."""
        return self.state in ("opened", "funded", "settled")


@dataclass(frozen=True)
class Flow:
    """Money that has moved at a settlement."""

    payer: str
    payee: str
    money: float


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
    """Means over the users that took part in a round of a DAO."""

    dao: str
    episode: int
    round: int
    time_s: float
    utility: float
    cash_surplus_money: float


@dataclass(frozen=True)
class Happening:
    """Something that happened, in plain words."""

    time_s: float
    words: str


@dataclass(frozen=True)
class Scene:
    """One instant. `rounds` are rows of the table of that name, finished by now; ages are those of the last round."""

    time_s: float
    state: str
    finished: bool
    area_m: tuple[float, float]
    users: int
    daos: Sequence[str]
    figures: Sequence[Figure]
    crowd: Crowd | None
    rounds: Sequence[Row]
    rounds_planned: int
    mean_ages_s: Mapping[str, float]  # by DAO, of its models so far: the summary's `aoi_mean_s` is their mean
    user_ages_s: Mapping[str, float]
    members: Mapping[str, str]  # by user, its DAO
    user_means: Sequence[UserMeans]
    phases_s: Mapping[str, Mapping[str, float]]  # by DAO, of its present minting
    books: Sequence[Book]
    beliefs: Sequence[Belief]
    flows: Sequence[Flow]
    blocks: Sequence[BlockLine]
    pots: Sequence[str] = field(default_factory=tuple)  # a sentence each, where promises are sold
    sells_first: bool = False  # whether promises are sold before anybody trains
    happenings: Sequence[Happening] = field(default_factory=tuple)

    def figure(self, name: str) -> Figure | None:
        """The agent of that name."""
        return next((figure for figure in self.figures if figure.name == name), None)

    def states(self, dao: str = EVERY_DAO) -> Counter[str]:
        """How many users are in which state."""
        if self.crowd is not None:
            return Counter(self.crowd.states)
        own = (f for f in self.figures if f.role == "user" and dao in (EVERY_DAO, self.members.get(f.name)))
        return Counter(figure.activity for figure in own)


def records(table: pd.DataFrame) -> list[Row]:
    """The rows of a table, one dictionary each."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def seconds_by_phase(spans: pd.DataFrame) -> dict[str, Counter[str]]:
    """Seconds along the critical path by minting, and in it by phase."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    table = phase_breakdown(spans)
    columns = (table[name].tolist() for name in ("dao", "phase", "duration_s"))
    for minting, phase, seconds in zip(*columns, strict=True):
        if seconds > 0:
            found[minting][phase] += seconds
    return found


def summarise_kinds(kinds: Sequence[str]) -> str:
    """A block's transactions in words: "3 × bid, mint"."""
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    return ", ".join(kind if count == 1 else f"{count} × {kind}" for kind, count in counts.items())


def beside(area_m: tuple[float, float], number: int, count: int) -> tuple[float, float]:
    """Where the n-th of `count` providers is drawn: in columns of ten to the right of the area."""
    columns = -(-count // 10)
    rows = -(-count // columns)
    column, row = divmod(number, rows)
    return (1.18 + 0.13 * column) * area_m[0], area_m[1] * (rows - row - 0.5) / rows


def density(places_m: Floats, area_m: tuple[float, float], cells: int = 24) -> list[list[int]]:
    """How many of (n, 2) places lie in each cell of a grid over the area: rows from south to north."""
    rows = max(1, round(cells * area_m[1] / area_m[0]))
    counts, _, _ = np.histogram2d(
        places_m[:, 1], places_m[:, 0], bins=(rows, cells), range=((0, area_m[1]), (0, area_m[0]))
    )
    return [[int(count) for count in row] for row in counts]
