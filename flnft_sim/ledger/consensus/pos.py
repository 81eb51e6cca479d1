"""`pos`: proof of stake as Ethereum's: fixed slots, some of them missed, finality by epochs (Casper FFG)."""

import copy
import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from flnft_sim.arrays import Bools, Ints
from flnft_sim.knobs import Knob
from flnft_sim.ledger.consensus.base import PROTOCOLS, BlockSlot, Consensus
from flnft_sim.settings.consensus import BlockSettings

_CHUNK = 1024  # slots drawn at a time; a slot's fate depends on its number alone, never on who asks when
_IN_ORDER = 16  # chunks drawn one after another from one stream; each later one has a stream of its own


@dataclass(frozen=True, kw_only=True)
class PosSettings(BlockSettings):
    """Slots of `block_interval_s`, each missed with probability `missed`, `slots_per_epoch` to an epoch.

    A block is final `finality_epochs` epochs after the first checkpoint (start of an epoch) that holds it. With
    Ethereum's 2, the votes of one epoch justify the checkpoint, those of the next finalise it: 64 to 95 slots after the
    block, 79.5 on the mean. (Ethereum's slots last 12 s.)
    """

    missed: Annotated[float, Knob("chance that a slot's proposer is not there", ge=0, lt=1)] = 0.01
    slots_per_epoch: Annotated[int, Knob("slots between two checkpoints", unit="slots", ge=1, le=100_000)] = 32
    finality_epochs: Annotated[int, Knob("epochs until a checkpoint is final", unit="epochs", ge=0, le=1000)] = 2
    validators: Annotated[int, Knob("who may be a slot's proposer", unit="count", ge=1, le=1_000_000_000)] = 32


@PROTOCOLS.register("pos")
class ProofOfStake(Consensus):
    """Blocks at the slots that were not missed; the mean wait for one is 1/2 + missed/(1 − missed) slots."""

    Settings: ClassVar[type] = PosSettings
    on_demand: ClassVar[bool] = False

    def __init__(self, settings: PosSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self._rng = rng
        self._seed = copy.deepcopy(rng).integers(2**63, size=2).tolist()
        self._chunks: dict[int, tuple[Bools, Ints]] = {}  # number -> missed, proposer

    @property
    def _slots_to_block(self) -> float:
        return 0.5 + self.settings.missed / (1 - self.settings.missed)

    @property
    def expected_block_s(self) -> float:
        """The mean over submissions at any time: half a slot, and those that are missed."""
        return self.settings.block_interval_s * self._slots_to_block

    @property
    def expected_s(self) -> float:
        """The mean over submissions at any time: for a slot, then for the ends of the epochs."""
        settings, to_slot = self.settings, self._slots_to_block
        to_final = settings.finality_epochs * settings.slots_per_epoch + (settings.slots_per_epoch - 1) / 2
        return settings.block_interval_s * (to_slot + to_final)

    def next_block(self, after_s: float) -> BlockSlot:
        """The first slot after `after_s` whose proposer is there."""
        settings = self.settings
        slot = math.floor(after_s / settings.block_interval_s) + 1
        while self._is_missed(slot):
            slot += 1
        checkpoint = math.ceil(slot / settings.slots_per_epoch)
        final_slot = (checkpoint + settings.finality_epochs) * settings.slots_per_epoch
        time_s = slot * settings.block_interval_s
        return BlockSlot(
            proposed_s=time_s,
            time_s=time_s,
            final_s=final_slot * settings.block_interval_s,
            producer=f"validator-{self._chunk(slot // _CHUNK)[1][slot % _CHUNK]}",
        )

    def _is_missed(self, slot: int) -> bool:
        return bool(self._chunk(slot // _CHUNK)[0][slot % _CHUNK])

    def _chunk(self, number: int) -> tuple[Bools, Ints]:
        """Who misses and who proposes in a chunk of slots; those far ahead are drawn without those before them."""
        if number >= _IN_ORDER and number not in self._chunks:
            self._chunks[number] = self._drawn(np.random.default_rng([*self._seed, number]))
        while number not in self._chunks:
            self._chunks[sum(each < _IN_ORDER for each in self._chunks)] = self._drawn(self._rng)
        return self._chunks[number]

    def _drawn(self, rng: np.random.Generator) -> tuple[Bools, Ints]:
        settings = self.settings
        return rng.random(_CHUNK) < settings.missed, rng.integers(settings.validators, size=_CHUNK)
