"""When blocks come, and how the replicas of a ledger reach one another."""

from dataclasses import dataclass
from typing import Annotated

from flnft_sim.knobs import Knob, Settings

TRAFFIC_GAS = 50_000  # of every one of other people's transactions on the public chain


@dataclass(frozen=True, kw_only=True)
class BlockSettings(Settings):
    """A chain whose blocks come by a rhythm of their own."""

    block_interval_s: Annotated[float, Knob("mean time between blocks", unit="s", ge=1e-3, le=1e6)] = 13.0


@dataclass(frozen=True, kw_only=True)
class MiningSettings(BlockSettings):
    """Equal miners who together find a block every `block_interval_s`, stale ones included.

    A block is final once `confirmations` blocks of the longest chain hold or follow it, itself counted: 1 is the block
    itself, known to last. Who sees only the chain needs 3: one more than the deepest fork in 200,000 blocks of these
    settings.
    """

    propagation_s: Annotated[float, Knob("time for a block to reach the other miners", unit="s", ge=0, le=1e6)] = 0.42
    miners: Annotated[int, Knob("equal miners", unit="count", ge=1, le=1000)] = 10
    confirmations: Annotated[int, Knob("blocks until a transaction counts as final", unit="blocks", ge=1, le=1000)] = 1


@dataclass(frozen=True, kw_only=True)
class ReplicaSettings(Settings):
    """Replicas that agree by messages, each of a normal delay (cut off at 0)."""

    delay_ms: Annotated[float, Knob("mean one-way delay of a link", unit="ms", ge=0, le=1e6)] = 50.0
    delay_sd_ms: Annotated[float, Knob("standard deviation of a message's delay", unit="ms", ge=0, le=1e6)] = 10.0
    timeout_s: Annotated[
        float | None,
        Knob(
            "a replica asks for a new view after this long; none: never, so that a primary that crashes stalls all",
            unit="s",
            ge=1e-3,
            le=1e6,
        ),
    ] = 2.0
