"""The users' links to the base station: what each one's signal is worth when it arrives there."""

import numpy as np

from flnft_sim.errors import InputError
from flnft_sim.network.draws import DrawTable
from flnft_sim.network.mobility import Fixed, Mobility
from flnft_sim.network.placement import Area, distances_m
from flnft_sim.network.radio import dbm_to_w, noise_power_w, path_loss_db, uplink_rate
from flnft_sim.settings.radio import RadioSettings


class Links:
    """SNR of every user's link: path loss of where it stands, log-normal shadowing of its own, fading per upload.

    Shadowing is drawn once a user, in dB, N(0, `shadowing_db`²). With `rayleigh` the k-th upload of user i has the
    power gain |h|² ~ Exp(1), from row k of a table: the same whatever the order in which users upload.
    """

    def __init__(
        self,
        settings: RadioSettings,
        users: Mobility | np.ndarray,
        *,
        rng: np.random.Generator,
        station_m: np.ndarray | None = None,
    ) -> None:
        self.settings = settings
        self.mobility: Mobility = Fixed(users) if isinstance(users, np.ndarray) else users
        self.station_m = Area().base_station_m if station_m is None else np.asarray(station_m, dtype=float)
        shadowing_rng, fading_rng = rng.spawn(2)  # switching fading on leaves the shadows where they are
        self.count = len(self.mobility.positions_m(0.0))
        self._shadowing_db = settings.shadowing_db * shadowing_rng.standard_normal(self.count)
        self._fading = DrawTable(lambda: fading_rng.standard_exponential(self.count))
        self._noise_w = noise_power_w(settings.bandwidth_hz, settings.noise_figure_db)
        self._known: tuple[float, np.ndarray] | None = None  # the last answer of mean_snrs: time and values

    def distances_m(self, time_s: float = 0.0) -> np.ndarray:
        """Distance on the ground of every user to the station: (n,) metres."""
        return distances_m(self.mobility.positions_m(time_s), self.station_m)

    def mean_snrs(self, time_s: float = 0.0) -> np.ndarray:
        """SNR of every user over the whole band, fading averaged out: (n,) ratios.

        Raises `InputError` where a user stands on the base station.
        """
        if self._known is None or (self.mobility.moves and self._known[0] != time_s):
            s = self.settings
            loss_db = path_loss_db(
                self.distances_m(time_s),
                carrier_ghz=s.carrier_ghz,
                base_height_m=s.base_height_m,
                user_height_m=s.user_height_m,
            )
            gain = 10.0 ** (-(loss_db + self._shadowing_db) / 10.0)
            self._known = (time_s, dbm_to_w(s.power_dbm) * gain / self._noise_w)
        return self._known[1]

    def fading(self, user: int, upload: int) -> float:
        """Power gain |h|² of a user's upload number `upload`; 1 without fading."""
        return float(self._fading.row(upload)[user]) if self.settings.rayleigh else 1.0

    def snr(self, user: int, upload: int, time_s: float) -> float:
        """SNR of one upload over the whole band (a ratio)."""
        if not 0 <= user < self.count:
            raise InputError(f"user {user}: this cell has users 0 to {self.count - 1}")
        return float(self.mean_snrs(time_s)[user]) * self.fading(user, upload)

    def upload_alone_s(self, bits: float, time_s: float = 0.0) -> np.ndarray:
        """Seconds each user's upload takes with the band to itself and no fading: (n,); T^l of Eq. 11."""
        return bits / np.asarray(uplink_rate(self.settings.bandwidth_hz, self.mean_snrs(time_s)))
