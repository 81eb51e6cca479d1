"""What users were promised of their records' privacy in a minting, and how much of it has been used up.

A user's contract is signed when it first trains: its ε at δ, and from it σ, at which as many steps as are planned are
(ε, δ)-private by the accountant. Neither changes afterwards, nor the sampling rate. So in which rounds a user trains,
how long, and whose uploads are lost may depend on all that is public or was released: the run is post-processing of at
most that many equal steps. A step counts once it is taken, for its upload may have been seen even where it was lost.
"""

from functools import lru_cache
from importlib.metadata import version

import numpy as np
import pandas as pd

from flnft_sim.arrays import Floats, Ints
from flnft_sim.errors import InputError
from flnft_sim.learning.accounting import dp_epsilon, dp_epsilon_renyi, dp_noise_multiplier
from flnft_sim.settings.learning import PrivacySettings

NOBODY = 0  # the round in which a user stopped that did not


class BudgetError(InputError):
    """A privacy budget that is spent, or was never there."""


def accountant() -> str:
    """Name what accounts the steps, with its version."""
    return f"dp-accounting {version('dp-accounting')} by PLD"


class Contracts:
    """The contracts of N users for one minting, arrays (N,): of `planned_epochs` epochs, which must be given."""

    def __init__(self, users: int, settings: PrivacySettings) -> None:
        if settings.planned_epochs is None:
            raise BudgetError("planned_epochs: say for how many epochs a user's ε is to last")
        self.settings = settings
        self.steps_per_epoch = round(1 / settings.sampling_rate)
        self.steps_allowed = settings.planned_epochs * self.steps_per_epoch
        self.epsilon = np.full(users, np.nan)  # NaN before a contract is signed
        self.noise_multiplier = np.full(users, np.nan)  # σ: the noise's deviation over the bound of a record
        self.steps_taken = np.zeros(users, dtype=np.int64)
        self.stopped_in_round = np.full(users, NOBODY)

    @property
    def epochs_left(self) -> Ints:
        """How many whole epochs each user may still train: (N,)."""
        return (self.steps_allowed - self.steps_taken) // self.steps_per_epoch

    def sign(self, users: Ints, epsilons: Floats) -> None:
        """Bind who has not signed yet to its ε (n,), ∞ for none; who has stays bound to what it signed."""
        for user, epsilon in zip(users.tolist(), epsilons.tolist(), strict=True):
            if np.isnan(self.epsilon[user]):
                self.epsilon[user], self.noise_multiplier[user] = epsilon, self._noise_for(epsilon)

    def spend(self, users: Ints, epochs: Ints, round_index: int) -> Ints:
        """Book that users (n,) train for `epochs` (n,); return the steps (n,). Who has none left then, has stopped.

        Raises `BudgetError` for more than is left.
        """
        short = epochs > self.epochs_left[users]
        if short.any():
            user = users[short][0]
            raise BudgetError(
                f"user {user} is asked for {epochs[short][0]} epochs and has {self.epochs_left[user]} of "
                f"{self.settings.planned_epochs} planned ones left; its ε would not hold for more: plan more"
            )
        steps = epochs * self.steps_per_epoch
        self.steps_taken[users] += steps
        self.stopped_in_round[users[self.epochs_left[users] == 0]] = round_index
        return steps

    def table(self) -> pd.DataFrame:
        """Return one row a user: what was contracted, what of it was used, and what holds (see docs/tables.md)."""
        return pd.DataFrame([self._row(user) for user in range(len(self.epsilon))])

    def _noise_for(self, epsilon: float) -> float:
        private = self.settings
        if np.isinf(epsilon):
            return 0.0
        return _noise(private.sampling_rate, epsilon, self.steps_allowed, private.delta)

    def _epsilons(self, user: int) -> tuple[float, float, float]:
        """ε at the steps allowed, by PLD and by Rényi accounting, and by PLD at the steps taken."""
        private, noise = self.settings, float(self.noise_multiplier[user])
        if np.isnan(noise):
            return np.nan, np.nan, 0.0
        if noise == 0.0:
            return np.inf, np.inf, np.inf
        steps = (self.steps_allowed, int(self.steps_taken[user]))
        allowed, taken = (_epsilon(private.sampling_rate, noise, count, private.delta) for count in steps)
        return allowed, _renyi(private.sampling_rate, noise, self.steps_allowed, private.delta), taken

    def _row(self, user: int) -> dict[str, object]:
        private, noise = self.settings, float(self.noise_multiplier[user])
        allowed, renyi, taken = self._epsilons(user)
        return {
            "user": user,
            "mechanism": private.mechanism,
            "unit": "one record",
            "neighbours": "add or remove one record" + ("; their number shows" if private.trusted_sizes else ""),
            "delta": private.delta,
            "epsilon_contracted": float(self.epsilon[user]),
            "noise_multiplier": noise,
            "clip_l2": private.clip_l2,
            "sampling_rate": private.sampling_rate,
            "steps_allowed": self.steps_allowed,
            "steps_taken": int(self.steps_taken[user]),
            "epsilon_guaranteed": allowed,
            "epsilon_rdp": renyi,
            "epsilon_spent": taken,
            "stopped_in_round": int(self.stopped_in_round[user]),
            "assumptions": _assumptions(private),
            "guarantee": _guarantee(noise),
        }


def _guarantee(noise: float) -> str:
    if np.isnan(noise):
        return "nothing was released"
    return "none: no noise was asked for" if noise == 0.0 else "(ε, δ)-DP of each record over the minting"


def _assumptions(private: PrivacySettings) -> str:
    """Say what the guarantee rests on, who is meant to see what, and what stays outside."""
    sees = "everybody sees updates, ledger and model"
    if private.mechanism == "dp-secagg":
        sees = f"everybody sees sums, ledger and model, of the members at most {private.colluders} collude or drop out"
    sizes = "sizes are public" if private.trusted_sizes else "sizes are as declared"
    return (
        f"Poisson lots, a coin of {private.sampling_rate:g} a record; {sees}; {sizes}; outside: how settings and the "
        "scaling of inputs were chosen, when devices are on, seeds and rounding of the simulated noise"
    )


_noise = lru_cache(maxsize=4096)(dp_noise_multiplier)
_renyi = lru_cache(maxsize=4096)(dp_epsilon_renyi)


@lru_cache(maxsize=4096)
def _epsilon(rate: float, noise: float, steps: int, delta: float) -> float:
    return dp_epsilon([(rate, noise, steps)], delta)
