"""A chain's own clock: it stands still while the chain is stalled."""

from collections.abc import Generator
from typing import Any

import simpy

from flnft_sim.errors import InputError

_INSTANT_S = 1e-9  # rounding of sums of seconds; anything shorter has passed


class ChainClock:
    """Simulated time less the time spent in stalls."""

    def __init__(self, env: simpy.Environment, chain: str) -> None:
        self.env, self.chain = env, chain
        self.stalled_s = 0.0  # in stalls that are over
        self._stalled_at_s: float | None = None
        self._resumed = env.event()

    @property
    def stalled(self) -> bool:
        """Whether the clock stands still now."""
        return self._stalled_at_s is not None

    @property
    def now_s(self) -> float:
        """What the clock shows."""
        return (self.env.now if self._stalled_at_s is None else self._stalled_at_s) - self.stalled_s

    def stall(self) -> None:
        """Stop the clock until `resume`."""
        if self.stalled:
            raise InputError(f"chain {self.chain!r} is stalled already; resume it first")
        self._stalled_at_s = self.env.now

    def resume(self) -> None:
        """Let a stopped clock go on."""
        if self._stalled_at_s is None:
            raise InputError(f"chain {self.chain!r} is not stalled; there is nothing to resume")
        self.stalled_s += self.env.now - self._stalled_at_s
        self._stalled_at_s = None
        self._resumed.succeed()
        self._resumed = self.env.event()

    def reach(self, time_s: float) -> Generator[simpy.Event, Any, None]:
        """Wait until the clock shows `time_s`, however often it is stopped meanwhile."""
        while self.stalled or time_s - self.now_s > _INSTANT_S:
            yield self._resumed if self.stalled else self.env.timeout(time_s - self.now_s)
