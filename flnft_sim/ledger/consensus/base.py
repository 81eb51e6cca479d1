"""The one interface of all consensus protocols: ask for the next block, get its instants."""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from flnft_sim import families
from flnft_sim.errors import InputError, did_you_mean
from flnft_sim.registry import Registry


@dataclass(frozen=True)
class BlockSlot:
    """A chance to make a block. Its content is settled at `proposed_s`; it exists at `time_s`, is final at `final_s`.

    A stale slot's block loses the race: its transactions are pending again (`final_s` is infinite).
    """

    proposed_s: float
    time_s: float
    final_s: float
    producer: str
    stale: bool = False
    messages: int = 0
    views: int = 1


class Consensus(Protocol):
    """When blocks come about. Built as `Protocol(settings, rng)`; draws from `rng` alone, knows no event library.

    `Settings` is a frozen dataclass that checks itself (`InputError`). `on_demand` says whether an instance starts when
    someone asks (`pbft`, `instant`) or blocks come by a rhythm of their own (`pow`, `pos`).
    """

    Settings: ClassVar[type]
    on_demand: ClassVar[bool]

    def __init__(self, settings: Any, rng: np.random.Generator) -> None: ...

    def next_block(self, after_s: float) -> BlockSlot:
        """The next chance to make a block for whoever has transactions waiting at `after_s`.

        proposed_s ≤ time_s ≤ final_s, none before `after_s`. A rhythm's slot lies strictly after `after_s` and is the
        same however often, and in whatever order, instants are asked about: it does not hang on what is submitted.
        Raises `ConsensusStalled` where the participants that are left can never decide.
        """
        ...

    @property
    def expected_s(self) -> float:
        """About how long from a submission to finality where nothing contends, in seconds; draws nothing from `rng`."""
        ...


PROTOCOLS: Registry[type[Consensus]] = families.PROTOCOLS


def make_consensus(name: str, rng: np.random.Generator, **settings: Any) -> Consensus:
    """The protocol of that name with these settings (fields of its `Settings`), drawing from `rng`."""
    protocol = PROTOCOLS.get(name)
    known = [field.name for field in fields(protocol.Settings)] if is_dataclass(protocol.Settings) else []
    for key in settings:
        if key not in known:
            raise InputError(
                f"consensus protocol {name!r} has no setting {key!r}{did_you_mean(key, known)}; "
                f"known: {', '.join(known) or 'none'}"
            )
    return protocol(protocol.Settings(**settings), rng)
