"""`pow`: proof of work. Blocks are found at exponential intervals; miners who hear late build on old blocks."""

import copy
import itertools
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np

from flnft_sim.knobs import Knob
from flnft_sim.ledger.consensus.base import PROTOCOLS, BlockSlot, Consensus
from flnft_sim.settings.consensus import MiningSettings

_CHUNK = 64  # blocks drawn at a time
_STRETCH = 16_384  # mean intervals in a stretch of time; each has a random stream of its own


@dataclass(frozen=True, kw_only=True)
class PowSettings(MiningSettings):
    """A block reaches each other miner after `propagation_s`: exactly (`fixed`) or on the mean (`exponential`)."""

    propagation: Annotated[Literal["fixed", "exponential"], Knob("how the time to reach a miner is drawn")] = "fixed"


class Chunk(NamedTuple):
    """Blocks as they are found: when, by whom, and when each miner hears of each (blocks, miners)."""

    found_s: np.ndarray
    finder: np.ndarray
    heard_s: np.ndarray


class Discoveries:
    """Who finds a block when: a Poisson stream on the absolute clock, the same wherever one begins to look.

    Time is cut into stretches, each drawn from a stream of its own: finding is memoryless, so what was found in one
    stretch says nothing of the next, and a stretch can be drawn without those before it.
    """

    def __init__(self, settings: PowSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self._rng = copy.deepcopy(rng)  # as it is now: the first stretch may be drawn again
        self._seed = np.random.SeedSequence(rng.integers(2**63, size=2).tolist())

    @property
    def stretch_s(self) -> float:
        """How long a stretch is."""
        return _STRETCH * self.settings.block_interval_s

    def stretch_of(self, time_s: float) -> int:
        """The number of the stretch that an instant lies in."""
        return math.floor(time_s / self.stretch_s)

    def from_stretch(self, first: int) -> Iterator[Chunk]:
        """All blocks from the start of a stretch on, without end."""
        for stretch in itertools.count(first):
            yield from self.of(stretch)

    def of(self, stretch: int) -> Iterator[Chunk]:
        """The blocks of one stretch."""
        settings, end_s, start_s = self.settings, (stretch + 1) * self.stretch_s, stretch * self.stretch_s
        rng = self._generator(stretch)
        while start_s < end_s:
            found_s = start_s + np.cumsum(rng.exponential(settings.block_interval_s, _CHUNK))
            finder = rng.integers(settings.miners, size=_CHUNK)
            if settings.propagation == "fixed":
                delay_s = np.full((_CHUNK, settings.miners), settings.propagation_s)
            else:
                delay_s = rng.exponential(settings.propagation_s, (_CHUNK, settings.miners))
            delay_s[np.arange(_CHUNK), finder] = 0.0
            inside, start_s = found_s < end_s, float(found_s[-1])
            yield Chunk(found_s[inside], finder[inside], (found_s[:, None] + delay_s)[inside])

    def _generator(self, stretch: int) -> np.random.Generator:
        if stretch == 0:
            return copy.deepcopy(self._rng)
        return np.random.default_rng(np.random.SeedSequence(self._seed.entropy, spawn_key=(stretch,)))


@PROTOCOLS.register("pow")
class ProofOfWork(Consensus):
    """A Poisson stream of blocks on the absolute clock, drawn as far as someone asks and the same for whoever asks.

    Blocks that nobody asks about are never events: finding is memoryless, so leaving empty ones out is exact. Nor are
    they walked through: where the next question lies more than a stretch ahead, the race begins anew at the last moment
    before it at which all miners agree, which is exact too (only where blocks travel for many intervals no such moment
    may be near; the race then begins at least a stretch ahead of the question).
    """

    Settings: ClassVar[type] = PowSettings
    on_demand: ClassVar[bool] = False

    def __init__(self, settings: PowSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self._discoveries = Discoveries(settings, rng)
        self._race = MiningRace(settings, self._discoveries.from_stretch(0))
        self._valid_from_s = 0.0

    @property
    def expected_s(self) -> float:
        """The mean of the Erlang distribution of the confirmations, as if no block were stale."""
        return self.settings.confirmations * self.settings.block_interval_s

    @property
    def expected_block_s(self) -> float:
        """The mean of the exponential distribution of one block."""
        return self.settings.block_interval_s

    def next_block(self, after_s: float) -> BlockSlot:
        """The first block found after `after_s`, stale or not."""
        race = self._race_at(after_s)
        while not race.settled_s or race.settled_s[-1] <= after_s:
            race.run()
        block = bisect_right(race.settled_s, after_s)
        time_s, stale = race.settled_s[block], not race.canonical[block]
        return BlockSlot(
            proposed_s=time_s,
            time_s=time_s,
            final_s=math.inf if stale else self._confirmed_s(block),
            producer=f"miner-{race.finder[block]}",
            stale=stale,
        )

    def _race_at(self, after_s: float) -> "MiningRace":
        """The race, moved to `after_s` where walking there would be long or is impossible, for it lies behind."""
        wanted, reached = self._discoveries.stretch_of(after_s), self._discoveries.stretch_of(self._race.reached_s)
        if wanted > max(reached, 1) + 1 or after_s < self._valid_from_s:
            blocks = self._discoveries.from_stretch(max(wanted - 1, 0))
            if wanted > 1:
                self._valid_from_s = _last_agreement(self._discoveries.from_stretch(wanted - 1), after_s)
                blocks = _from(blocks, self._valid_from_s)
            else:
                self._valid_from_s = 0.0
            self._race = MiningRace(self.settings, blocks)
        return self._race

    def _confirmed_s(self, block: int) -> float:
        """When the last of the block's confirmations is found."""
        missing = self.settings.confirmations - 1
        while missing:
            block += 1
            while block >= len(self._race.settled_s):
                self._race.run()
            missing -= self._race.canonical[block]
        return self._race.settled_s[block]


def _last_agreement(blocks: Iterator[Chunk], before_s: float) -> float:
    """When, up to `before_s`, a block was found that all heard of before the next, with all having heard of all before.

    Such a block is the one tip of the chain to every miner: what was before it makes no difference any more. Where
    there is none it is the first block's time.
    """
    found_s, known_s = np.zeros(0), np.zeros(0)
    while found_s.size < 3 or found_s[-3] <= before_s:
        chunk = next(blocks)
        found_s = np.append(found_s, chunk.found_s)
        known_s = np.append(known_s, chunk.heard_s.max(axis=1))
    all_known_s = np.maximum.accumulate(known_s)
    agreed = (all_known_s[:-2] <= found_s[1:-1]) & (known_s[1:-1] <= found_s[2:]) & (found_s[1:-1] <= before_s)
    places = np.flatnonzero(agreed)
    return float(found_s[places[-1] + 1 if places.size else 0])


def _from(blocks: Iterator[Chunk], start_s: float) -> Iterator[Chunk]:
    """The blocks found at `start_s` or later."""
    for chunk in blocks:
        later = chunk.found_s >= start_s
        yield Chunk(chunk.found_s[later], chunk.finder[later], chunk.heard_s[later])


class MiningRace:
    """Who builds on what: every miner extends the longest chain it knows, the first heard among equals.

    `settled_s` and `canonical` list the blocks, in the order found, whose fate can no longer change; `finder` lists all
    that were found. `blocks` are found one after another, or, given a generator, drawn from the start of time.
    """

    def __init__(self, settings: PowSettings, blocks: Iterator[Chunk] | np.random.Generator) -> None:
        self.settings = settings
        self.settled_s: list[float] = []
        self.canonical: list[bool] = []
        self.finder: list[int] = []
        if isinstance(blocks, np.random.Generator):
            blocks = Discoveries(settings, blocks).from_stretch(0)
        self._blocks = blocks
        self._found_s: list[float] = []
        self._heard_s: dict[int, list[float]] = {}  # of live blocks, by miner
        self._parent: list[int] = []
        self._height: list[int] = []
        self._live: list[int] = []  # blocks that some miner builds on or may yet come to build on

    @property
    def reached_s(self) -> float:
        """When the last block was found that has been looked at."""
        return self._found_s[-1] if self._found_s else 0.0

    def run(self) -> None:
        """Find a chunk of blocks, then settle whatever lies below the live blocks' common ancestor."""
        chunk = next(self._blocks)
        self.finder += chunk.finder.tolist()
        for found_s, heard_s in zip(chunk.found_s.tolist(), chunk.heard_s.tolist(), strict=True):
            self._attach(found_s, heard_s)
        if self._live:
            self._settle()

    def _attach(self, now_s: float, heard_s: list[float]) -> None:
        block = len(self._found_s)
        miner = self.finder[block]
        heard = [each for each in self._live if self._heard_s[each][miner] <= now_s]
        parent = max(heard, key=lambda each: (self._height[each], -self._heard_s[each][miner]), default=-1)
        self._found_s.append(now_s)
        self._heard_s[block] = heard_s
        self._parent.append(parent)
        self._height.append(self._height[parent] + 1 if parent >= 0 else 1)
        self._live.append(block)
        # A block that all know rules out every lower one, now and for good.
        known = (self._height[each] for each in self._live if max(self._heard_s[each]) <= now_s)
        least = max(known, default=0)
        for each in self._live:
            if self._height[each] < least:
                del self._heard_s[each]
        self._live = [each for each in self._live if self._height[each] >= least]

    def _settle(self) -> None:
        tips = set(self._live)
        while len(tips) > 1:  # a child stands behind its parent in the list, so this meets at the common ancestor
            youngest = max(tips)
            tips.remove(youngest)
            tips.add(self._parent[youngest])
        ancestor = tips.pop()
        if ancestor < 0:
            return
        first = len(self.settled_s)
        # Blocks beyond the ancestor in the order found may still descend from it; those up to it are decided.
        decided = [False] * (ancestor + 1 - first)
        while ancestor >= first:
            decided[ancestor - first] = True
            ancestor = self._parent[ancestor]
        self.canonical += decided
        self.settled_s += self._found_s[first : first + len(decided)]
