"""`pbft`: practical Byzantine fault tolerance among a DAO's replicas, one instance a proposal."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.checks import positive, whole
from flnft_sim.errors import InputError
from flnft_sim.ledger.consensus.base import PROTOCOLS, BlockSlot, Consensus
from flnft_sim.ledger.consensus.pbft_latency import PbftOutcome, pbft_latencies, quorum
from flnft_sim.ledger.consensus.request import RequestHop
from flnft_sim.ledger.errors import ConsensusStalled
from flnft_sim.settings.consensus import ReplicaSettings

DelaySource = Callable[[np.random.Generator], Floats]
"""Draws the (3, n, n) delays of one instance's messages, in seconds, as `pbft_latency` wants them."""

_TOGETHER, _TOGETHER_DELAYS = 32, 2**16  # instances that are run ahead, and delays that they may have together
_EXPECTATION_REPLICAS = 64  # sampled for `expected_s`, over as many instances as that takes


@dataclass(frozen=True, kw_only=True)
class PbftSettings(ReplicaSettings):
    """n replicas; every message's delay is normal (cut off at 0), unless `delays` draws it (a topology's, say).

    `slow` multiplies the delays of all messages from and to a replica. `timeout_s` is the first view's. `hop` tells how
    long a request takes to the primary; None: it is there at once, as where the primary submits itself.
    """

    replicas: int = 4
    crashed: tuple[int, ...] = ()
    slow: Mapping[int, float] = field(default_factory=dict)
    delays: DelaySource | None = None
    hop: RequestHop | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        n = whole("consensus pbft: replicas", self.replicas, least=1)
        for replica in self.crashed:
            whole("consensus pbft: a crashed replica", replica, most=n - 1)
        for replica, factor in self.slow.items():
            whole("consensus pbft: a slow replica", replica, most=n - 1)
            positive(f"consensus pbft: slow[{replica}]", factor)


@PROTOCOLS.register("pbft")
class Pbft(Consensus):
    """Instances run side by side, each with delays of its own; what they share is the view, so the primary.

    A view change holds for all: proposals made while one is under way wait for it, later ones go to the new primary.
    A crash or recovery counts from the next proposal on.
    """

    Settings: ClassVar[type] = PbftSettings
    on_demand: ClassVar[bool] = True
    can_crash: ClassVar[bool] = True

    def __init__(self, settings: PbftSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self._rng = rng
        self.crashed: tuple[int, ...] = ()
        """The replicas that are down."""
        self._view, self._view_since_s = 0, 0.0
        self._expected_s: dict[tuple[int, tuple[int, ...]], float] = {}  # by primary and who is down
        self._drawn = deque[Floats]()  # delays of the instances to come
        self._ahead = deque[PbftOutcome]()  # what comes of them in the view and with the crashes of `_ahead_for`
        self._ahead_for: tuple[int, tuple[int, ...]] | None = None
        self.crash(*settings.crashed)

    @property
    def replicas(self) -> int:
        """n."""
        return self.settings.replicas

    @property
    def primary(self) -> int:
        """The replica that proposes in the view reached so far."""
        return self._view % self.settings.replicas

    def crash(self, *replicas: int) -> None:
        """These replicas send nothing any more. With n < 4 none may crash (f would be 0): `InputError`."""
        n = self.settings.replicas
        for replica in replicas:
            whole("consensus pbft: a crashed replica", replica, most=n - 1)
            if n < 4:
                raise InputError(
                    f"consensus pbft: replicas is {n}; use 4 or more where replicas crash: fewer tolerate no fault"
                )
        self.crashed = tuple(sorted({*self.crashed, *replicas}))

    def recover(self, *replicas: int) -> None:
        """These replicas take part again."""
        self.crashed = tuple(each for each in self.crashed if each not in replicas)

    def request_s(self, submitter: int | None) -> float:
        """Draw how long a request takes to the present primary from a replica's keeper (None: from anyone else)."""
        hop = self.settings.hop
        return 0.0 if hop is None else hop.draw_s(submitter, self.primary)

    def expected_request_s(self, submitter: int | None) -> float:
        """The mean of `request_s`; draws nothing."""
        hop = self.settings.hop
        return 0.0 if hop is None else hop.expected_s(submitter, self.primary)

    @property
    def expected_s(self) -> float:
        """From a request's arrival on: the mean of a few instances among the replicas that are up.

        The timeout where they can never decide.
        """
        known = self.primary, self.crashed
        if known not in self._expected_s:
            self._expected_s[known] = self._mean_of_a_few()
        return self._expected_s[known]

    def _mean_of_a_few(self) -> float:
        rng = np.random.default_rng(0)  # one of its own: asking must not change what comes
        instances = max(1, _EXPECTATION_REPLICAS // self.settings.replicas)
        outcomes = self._run([self._delays(rng) for _ in range(instances)])
        seconds = [outcome.seconds for outcome in outcomes if outcome.committed]
        return float(np.mean(seconds)) if seconds else self.settings.timeout_s or 0.0

    def next_block(self, after_s: float) -> BlockSlot:
        """Run an instance that starts at `after_s`, or at the end of the view change that is under way then."""
        start_s = max(after_s, self._view_since_s)
        outcome = self._next_outcome()
        if not outcome.committed:
            raise ConsensusStalled(self._stall_reason(), self.settings.timeout_s or 0.0)
        final_s = start_s + outcome.seconds
        if outcome.views > 1:
            self._view, self._view_since_s = self._view + outcome.views - 1, final_s
        return BlockSlot(
            proposed_s=start_s,
            time_s=final_s,
            final_s=final_s,
            producer=f"replica-{self.primary}",
            messages=outcome.messages,
            views=outcome.views,
        )

    def _next_outcome(self) -> PbftOutcome:
        """Run the next instance; some are drawn and run ahead, as side by side they take a fraction of the time."""
        now = self._view, self.crashed
        if not self._drawn:
            together = min(_TOGETHER, max(1, _TOGETHER_DELAYS // (3 * self.settings.replicas**2)))
            self._drawn.extend(self._delays(self._rng) for _ in range(together))
        if not self._ahead or self._ahead_for != now:
            self._ahead, self._ahead_for = deque(self._run(self._drawn)), now
        self._drawn.popleft()
        return self._ahead.popleft()

    def _run(self, drawn: Iterable[Floats]) -> list[PbftOutcome]:
        """Instances of these delays in the present view."""
        n = self.settings.replicas
        order = (np.arange(n) + self._view) % n  # the view's primary first
        delays = np.stack(list(drawn))[:, :, order[:, None], order]
        crashed = [(replica - self._view) % n for replica in self.crashed]
        return pbft_latencies(delays, crashed=crashed, timeout=self.settings.timeout_s)

    def _delays(self, rng: np.random.Generator) -> Floats:
        settings, n = self.settings, self.settings.replicas
        if settings.delays is not None:
            delays = np.array(settings.delays(rng), dtype=np.float64)
            if delays.shape != (3, n, n):
                raise InputError(f"consensus pbft: delays have shape {delays.shape}; draw an array of (3, {n}, {n})")
        else:
            mean_s, sd_s = settings.delay_ms / 1e3, settings.delay_sd_ms / 1e3
            delays = np.maximum(rng.normal(mean_s, sd_s, (3, n, n)), 0.0)
            delays[:, range(n), range(n)] = 0.0
        for replica, factor in settings.slow.items():
            delays[:, replica, :] *= factor
            delays[:, :, replica] *= factor
        return delays

    def _stall_reason(self) -> str:
        n = self.settings.replicas
        down = ", ".join(str(replica) for replica in self.crashed)
        if n - len(self.crashed) < quorum(n):
            reason = f"fewer than the quorum of {quorum(n)} are left; recover some or use more replicas"
        else:
            reason = "the primary is down and there is no view change; set timeout_s"
        return f"PBFT stalls: of {n} replicas {down} are crashed, and {reason}"
