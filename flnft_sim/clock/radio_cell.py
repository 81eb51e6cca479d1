"""The radio cell on the clock: uploads as events, with failures of links and movement of users."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import simpy

from flnft_sim.checks import not_negative, positive
from flnft_sim.clock.calls import call_at
from flnft_sim.clock.rate_log import RateLog
from flnft_sim.errors import InputError
from flnft_sim.network.links import Links
from flnft_sim.network.uplink import SharedUplink
from flnft_sim.spool import Spool


class UploadReceipt(NamedTuple):
    """How an upload went. `sinr_db` is the one it last began to send with; `seconds` includes pauses of its link."""

    user: int
    start_s: float
    seconds: float
    bits: float
    sinr_db: float


_MOST_LOGGED = 100
"""Users whose rates are kept: each change tells all who send, so among many it would cost more than the uploads do."""


@dataclass(slots=True)
class _Upload:
    event: simpy.Event
    user: int
    number: int  # counts this user's uploads, for the fading table
    bits: float
    start_s: float
    waiting_bits: float  # what was left when the link last went down, or all of it
    sinr: float = 0.0


class RadioCell:
    """One base station's uplink. A process waits for its upload: `receipt = yield cell.upload(user, bits)`.

    Rates change whenever an upload starts or ends. The cell keeps its wake-up calls on a stack, each earlier than the
    one below: it asks for a new call only when the next end comes before all that are pending, and otherwise looks
    again when one of them rings. So superseded calls are used, not left to pile up.

    Users that move (see `Mobility`) are looked at once every `movement_tick_s`, and only while anyone uploads.
    """

    def __init__(
        self,
        env: simpy.Environment,
        links: Links,
        *,
        movement_tick_s: float = 1.0,
        logs_rates: bool = True,
        spool: Spool | None = None,
    ) -> None:
        self._env, self.links = env, links
        positive("movement_tick_s", movement_tick_s, "s")
        self.movement_tick_s = movement_tick_s
        settings = links.settings
        self._uplink: SharedUplink[int] = SharedUplink(settings.bandwidth_hz, cross_talk=settings.cross_talk)
        self._uploads: dict[int, _Upload] = {}  # by user, as in the uplink
        self._begun_by = [0] * links.count  # how many uploads each user has begun
        self._down: set[int] = set()
        self._wake_ups_s: list[float] = []
        self._rearming = False
        self._ticking = False
        self.rate_log = RateLog(spool=spool) if logs_rates and links.count <= _MOST_LOGGED else None
        links.mean_snrs(env.now)  # a user on the base station's spot is an error now, not at its first upload

    def upload(self, user: int, bits: float) -> simpy.Event:
        """Begin an upload; the event succeeds with its `UploadReceipt`. One at a time a user.

        On a failed link it waits for the repair. Raises `InputError` for negative or NaN bits, an unknown user, and
        a user whose upload is still under way.
        """
        if not 0.0 <= bits < math.inf:  # one test for the good case: this is a hot path
            not_negative("bits", bits, "bit")
        self._check_user(user)
        if user in self._uploads:
            self._settle()
        if user in self._uploads:
            raise InputError(f"user {user} is still uploading: wait for it or abort it first")
        upload = _Upload(self._env.event(), user, self._begun_by[user], bits, self._env.now, bits)
        self._begun_by[user] += 1
        self._uploads[user] = upload
        if user not in self._down:
            self._send(upload)
        return upload.event

    def abort(self, user: int) -> float:
        """Give up a user's upload; the bits it had left. Its event never happens, unless it ended this very instant."""
        if user not in self._uploads:
            raise InputError(f"user {user} is not uploading: nothing to abort")
        self._settle()
        upload = self._uploads.pop(user, None)
        if upload is None:
            return 0.0
        return self._take_off(user) if user in self._uplink else upload.waiting_bits

    def fail(self, user: int) -> None:
        """Take a user's link down: its upload pauses and keeps what it has sent."""
        self._check_user(user)
        self._settle()
        self._down.add(user)
        if user in self._uplink:
            self._uploads[user].waiting_bits = self._take_off(user)

    def repair(self, user: int) -> None:
        """Bring a user's link back: its upload goes on."""
        self._check_user(user)
        self._settle()
        self._down.discard(user)
        upload = self._uploads.get(user)
        if upload is not None and user not in self._uplink:
            self._send(upload)

    def positions_m(self) -> np.ndarray:
        """Where users are, as of the last movement tick: (n, 2) metres. Looking changes nothing."""
        return self.links.mobility.positions_m(self._looked_at_s())

    def is_uploading(self, user: int) -> bool:
        """Whether an upload of that user has begun and not ended (paused ones included)."""
        return user in self._uploads

    @property
    def active(self) -> int:
        """Uploads that send at present (paused ones do not)."""
        return len(self._uplink)

    def sinr_db(self, user: int) -> float | None:
        """Present SINR of a user's upload in dB; None where it sends nothing."""
        return _db(self._uplink.sinr(user)) if user in self._uplink else None

    def rates_bps(self) -> dict[int, float]:
        """Present rate of every user that sends."""
        rates = self._uplink.rates()
        return {user: rates[user] for user in self._uploads if user in rates}

    def _check_user(self, user: int) -> None:
        if not 0 <= user < self.links.count:
            raise InputError(f"user {user}: this cell has users 0 to {self.links.count - 1}")

    def _send(self, upload: _Upload) -> None:
        snr = self.links.snr(upload.user, upload.number, self._looked_at_s())
        self._uplink.start(upload.user, upload.waiting_bits, snr, self._env.now)
        upload.sinr = self._uplink.sinr(upload.user)
        self._log_rates()
        self._set_wake_up()
        if self.links.mobility.moves and not self._ticking:
            self._ticking = True
            call_at(self._env, self._env.now + self.movement_tick_s, self._tick)

    def _take_off(self, user: int) -> float:
        left = self._uplink.abort(user, self._env.now)
        self._log_rates()
        if not self._rearming:  # many may give up at one instant, each bringing the next end forward: ask once
            self._rearming = True
            call_at(self._env, self._env.now, self._rearm)
        return left

    def _settle(self) -> None:
        """Tell those whose upload has ended by now."""
        ended = self._uplink.advance(self._env.now)
        for user, end_s in ended:
            upload = self._uploads.pop(user)
            seconds = end_s - upload.start_s
            upload.event.succeed(UploadReceipt(user, upload.start_s, seconds, upload.bits, _db(upload.sinr)))
        if ended:
            self._log_rates()

    def _log_rates(self) -> None:
        if self.rate_log is not None:
            self.rate_log.note(self._env.now, dict.fromkeys(self._uploads, 0.0) | self._uplink.rates())

    def _set_wake_up(self) -> None:
        upcoming = self._uplink.next_completion()
        if upcoming is None or (self._wake_ups_s and self._wake_ups_s[-1] <= upcoming[0]):
            return
        self._wake_ups_s.append(upcoming[0])
        call_at(self._env, upcoming[0], self._wake_up)

    def _rearm(self, _event: simpy.Event) -> None:
        self._rearming = False
        self._set_wake_up()

    def _wake_up(self, _event: simpy.Event) -> None:
        self._wake_ups_s.pop()
        self._settle()
        self._set_wake_up()

    def _tick(self, _event: simpy.Event) -> None:
        """Renew the rates of those who send, from where they are now."""
        self._settle()
        self._ticking = self.active > 0
        if self._ticking:
            now_s = self._looked_at_s()
            snrs = {
                user: self.links.snr(user, upload.number, now_s)
                for user, upload in self._uploads.items()
                if user in self._uplink
            }
            self._uplink.set_snrs(snrs, self._env.now)
            self._log_rates()
            self._set_wake_up()
            call_at(self._env, self._env.now + self.movement_tick_s, self._tick)

    def _looked_at_s(self) -> float:
        """The last full tick: positions are looked at once a tick, not once an upload."""
        return self.movement_tick_s * (self._env.now // self.movement_tick_s) if self.links.mobility.moves else 0.0


def _db(ratio: float) -> float:
    return 10.0 * math.log10(ratio)
