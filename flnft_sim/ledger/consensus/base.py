"""The one interface of all consensus protocols: ask for the next block, get its instants."""

from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from flnft_sim import families
from flnft_sim.errors import InputError
from flnft_sim.registry import Registry


class BlockSlot(NamedTuple):
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
    """When blocks come about: a subclass is built as `Mine(settings, rng)`, draws from `rng` alone, knows no clock.

    `Settings` is a frozen dataclass that checks itself (see `flnft_sim.knobs`). `on_demand` says whether an instance
    starts when someone asks (`pbft`, `instant`) or blocks come by a rhythm of their own (`pow`, `pos`).

    A protocol among replicas that can fail says so by `can_crash`; its settings are then told `replicas`, `delays`,
    `crashed`, `slow` and `hop`, as `PbftSettings` has them, and it has `primary` and `crash`.
    """

    Settings: ClassVar[type]
    on_demand: ClassVar[bool]
    can_crash: ClassVar[bool] = False

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

    @property
    def expected_block_s(self) -> float:
        """About how long from a submission to its block where nothing contends, final or not; draws nothing."""
        return self.expected_s

    @property
    def replicas(self) -> int:
        """How many keep a replica, numbered from 0."""
        return 1

    @property
    def primary(self) -> int:
        """The replica that proposes at present."""
        return 0

    def crash(self, *replicas: int) -> None:
        """These replicas send nothing any more, where `can_crash`."""

    def request_s(self, submitter: int | None) -> float:  # noqa: ARG002 - it is there at once
        """Draw how long a request takes to whoever proposes, from a replica's keeper (None: from anyone else)."""
        return 0.0

    def expected_request_s(self, submitter: int | None) -> float:  # noqa: ARG002
        """The mean of `request_s`; draws nothing."""
        return 0.0


PROTOCOLS: Registry[type[Consensus]] = families.PROTOCOLS


def make_consensus(name: str, rng: np.random.Generator, **settings: Any) -> Consensus:
    """The protocol of that name with these settings (fields of its `Settings`), drawing from `rng`."""
    protocol = PROTOCOLS.get(name)
    if Consensus not in protocol.__mro__:
        raise InputError(f"consensus protocol {name!r} does not say how it works; derive it from ledger.Consensus")
    return protocol(PROTOCOLS.settings(name, **settings), rng)
