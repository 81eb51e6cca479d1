"""The contract every measure of contributions keeps; a measure of your own inherits its tests:

class TestMyMeasure(ContributionContract):
    measure = "my-measure"
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.game.contribution import Arrivals, Measured, facts_of, measure


def sample_arrivals(seed: int, count: int = 10, most: int = 10) -> Iterator[Arrivals]:
    """Draw rounds of one to `most` users, some of whom do harm: v(S) is how near the average of S comes to a point."""
    rng = np.random.default_rng(seed)
    for index in range(count):
        n, length = 1 + index % most, int(rng.integers(2, 9))
        aim, sizes = rng.standard_normal(length), rng.integers(1, 50, n)
        updates = (rng.choice([1.0, 1.0, 1.0, -1.0], (n, 1)) * aim + rng.standard_normal((n, length))).astype(
            np.float32
        )
        yield Arrivals(
            shard_sizes=sizes,
            losses=rng.uniform(0, 3, n),
            updates=updates,
            step=np.average(updates, axis=0, weights=sizes).astype(np.float32),
            worth=Nearness(updates, sizes, aim),
            rng=np.random.default_rng(index),
        )


class Nearness:
    """v(S) = ‖aim‖² − ‖aim − average of S‖², a game without training."""

    def __init__(self, updates: np.ndarray, sizes: Ints, aim: Floats) -> None:
        self.updates, self.sizes, self.aim = updates.astype(float), sizes, aim

    def __call__(self, masks: Bools) -> Floats:
        """Return the worth (m,) of coalitions (m, n); 0 of nobody."""
        shares = masks * self.sizes / np.maximum((masks * self.sizes).sum(axis=1, keepdims=True), 1)
        return np.array(self.aim @ self.aim - ((self.aim - shares @ self.updates) ** 2).sum(axis=1))

    def of(self, order: Ints) -> "Nearness":
        """Return the same game with its users in another order."""
        return Nearness(self.updates[order], self.sizes[order], self.aim)


class ContributionContract:
    """Subclass it in a test module, set `measure` to a registered name, and pytest runs the rest."""

    measure: str

    def measured(self, arrived: Arrivals) -> Measured:
        """Measure a round, with the same draws every time."""
        return measure(self.measure, replace(arrived, rng=np.random.default_rng(7)))

    def test_every_user_has_a_finite_value_and_an_error_that_is_none_or_above(self) -> None:
        """Arrays (n,), the round left as it was."""
        for arrived in sample_arrivals(1):
            kept = [part.copy() for part in (arrived.shard_sizes, arrived.losses, arrived.updates, arrived.step)]
            found = self.measured(arrived)
            assert found.values.shape == found.errors.shape == (len(arrived),)
            assert np.isfinite(found.values).all() and (found.errors >= 0).all()
            after = (arrived.shard_sizes, arrived.losses, arrived.updates, arrived.step)
            for before, now in zip(kept, after, strict=True):
                np.testing.assert_array_equal(before, now)

    def test_the_same_round_gives_the_same_bytes(self) -> None:
        """A measure draws from the round's generator alone."""
        for arrived in sample_arrivals(2):
            one, other = self.measured(arrived), self.measured(arrived)
            np.testing.assert_array_equal(one.values, other.values)
            np.testing.assert_array_equal(one.errors, other.errors)

    def test_who_does_the_same_has_the_same(self) -> None:
        """Twins differ by no more than their errors allow."""
        for arrived in sample_arrivals(3):
            twice = np.append(np.arange(len(arrived)), 0)
            found = self.measured(_taken(arrived, twice))
            assert abs(found.values[0] - found.values[-1]) <= 1e-9 + 5 * np.hypot(found.errors[0], found.errors[-1])

    def test_the_order_of_users_says_nothing(self) -> None:
        """Values move with their users, up to their errors."""
        rng = np.random.default_rng(4)
        for arrived in sample_arrivals(4):
            order = rng.permutation(len(arrived))
            one, other = self.measured(arrived), self.measured(_taken(arrived, order))
            allowed = 1e-9 + 5 * np.hypot(one.errors[order], other.errors)
            assert (np.abs(one.values[order] - other.values) <= allowed).all()

    def test_it_asks_only_for_what_it_says_it_needs(self) -> None:
        """Without updates, or without validation data, a measure that says it needs none gives the same."""
        facts = facts_of(self.measure)
        for arrived in sample_arrivals(5):
            blind = arrived
            if not facts.sees_updates:
                blind = replace(blind, updates=np.empty((len(arrived), 0), np.float32))
            if not facts.validates:
                blind = replace(blind, worth=_none_there)
            np.testing.assert_array_equal(self.measured(blind).values, self.measured(arrived).values)


def _taken(arrived: Arrivals, order: Ints) -> Arrivals:
    """Return the round with its users in another order, or some of them twice."""
    assert isinstance(arrived.worth, Nearness)
    return replace(
        arrived,
        shard_sizes=arrived.shard_sizes[order],
        losses=arrived.losses[order],
        updates=arrived.updates[order],
        worth=arrived.worth.of(order),
    )


def _none_there(masks: Bools) -> Floats:
    raise AssertionError(f"a measure that says that it needs no validation data has asked of {len(masks)} coalitions")
