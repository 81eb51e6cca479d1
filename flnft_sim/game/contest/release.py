"""What becomes of an escrowed pot once delivery is measured: released, paid back, or out of everybody's reach.

Of a pot C the fraction min(1, δ^(m/η)) is released to who trained, winners get C·(1 − δ) back, and what is left of it
goes to a sink that no party benefits from. δ is what of the promise was delivered, η its elasticity in epochs k, so
that the released pot falls with epochs as (k/k⁰)^m. In proportion, a released C·δ would leave a DAO with cash that asks
little, wins and falls short, for δ falls more slowly than what is saved. With

    m = 1 + ln(1/(a·(1 − 1/n)))/ln k⁰

a contest of n equal users for a promise kept in part is unstable: at x = k/k⁰ < 1 a user's condition is
ρ·x^(m − 1)·(1 + m/(a·(n − 1))) = 1, where ρ is the pot as a part of the total ask. Its left side rises in x, so where
all work a little more all want to work more, up to k⁰, and where all work less, less. Where the condition has no such x
(ρ below 1/(1 + m/(a·(n − 1))), .75 for n = 10, a = .5, k⁰ = 5) efforts fall, and users leave. Unstable is not
impossible: from n = 6 on (a = .5, k⁰ = 5) such an x is a best reply to itself, hence an equilibrium that is short and
paid, though less than a promise kept at the same ask. `steep_release_power` is the least m that leaves none.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Ints
from flnft_sim.checks import finite, positive, whole, within
from flnft_sim.errors import InputError


class Release(NamedTuple):
    """Whole units of money: released to who trained, paid back to each winner (W,), and to the sink."""

    released: int
    refunds: Ints
    sink: int


def release_power(*, a: float, users: int, promised_epochs: float) -> float:
    """m, the power of k/k⁰ that a released pot falls with; infinite for a promise of one epoch."""
    within("a", a, above=0.0, at_most=1.0)
    whole("users", users, least=2)
    epochs = float(within("promised_epochs", promised_epochs, at_least=1.0))
    return float(1.0 - np.log(a * (1.0 - 1.0 / users)) / np.log(epochs)) if epochs > 1.0 else np.inf


def steep_release_power(*, a: float, users: int) -> float:
    """The least power m at which no promise kept in part is a best reply to itself among equal users.

    With s = 1/n and f = ln(x^m·s), a user's gain is concave in its own k at the condition above where f″ + f′² < 0, in
    units of k: (m/n + a(1 − s))² < m/n² + a(1 − s) + a²·s(1 − s). This m makes the two equal; a larger one leaves a
    stayer less after others drop out.
    """
    within("a", a, above=0.0, at_most=1.0)
    share = 1.0 / whole("users", users, least=2)
    rise = a * (1.0 - share)
    half = rise - 0.5 * share
    return float(users * (np.sqrt(half * half + rise * (1.0 + a * share - rise)) - half))


def release_exponent(*, a: float, users: int, promised_epochs: float, elasticity: float) -> float:
    """m/η, the power of δ that is released; at least 1, so that refunds and release never exceed the pot.

    `elasticity` is η > 0, of the delivered part in epochs (from the surrogate).
    """
    power = release_power(a=a, users=users, promised_epochs=promised_epochs)
    return max(1.0, power / float(positive("elasticity", elasticity)))


def release(payments_units: ArrayLike, delivered: float, *, exponent: float) -> Release:
    """Divide an escrowed pot, each winner's payment (W,) in whole units, by the part δ of the promise delivered.

    Refunds are p·(1 − δ) and the release C·δ^exponent, both rounded down; the sink has the rest, so that the three sum
    to the pot to the unit. With δ = 1 all is released, with δ = 0 (nothing minted) every winner has all of it back.
    Raises `InputError` for amounts that are no whole units of at least 0.
    """
    units = finite("payments_units", payments_units)
    if units.ndim != 1 or np.any(units < 0) or np.any(units != np.floor(units)):
        raise InputError("payments_units are not whole amounts of at least 0, one a winner; give whole units")
    kept = float(within("delivered", delivered, at_least=0.0, at_most=1.0))
    power = float(exponent) if np.isinf(exponent) else float(within("exponent", exponent, at_least=1.0))
    paid = np.asarray(payments_units, dtype=np.int64)
    refunds = np.floor(paid * (1.0 - kept)).astype(np.int64)
    pot = int(paid.sum())
    released = min(int(pot * kept**power), pot - int(refunds.sum()))
    return Release(released, refunds, pot - released - int(refunds.sum()))
