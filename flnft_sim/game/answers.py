"""Users' answers to announced prices, each foreseeing the age that its own epochs lead to.

At prices per unit of satisfaction a user is paid δ(k) = A + p·θ^F(k): A for its quality, p for each unit of freshness
that it brings, and its freshness falls as it trains longer (Eq. 12, 13). Nobody else's answer enters, so N users are N
scalar problems.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from flnft_sim.arrays import Floats, Ints
from flnft_sim.game.responses import unchecked_answer
from flnft_sim.game.roots import MOST_STEPS, at_least, increasing_roots, newton_step

BLOCK = 1 << 20  # table entries (users × epochs) that are looked at together
SHORTEST_S = 1e-9  # of an age
BLOCK_USERS = 1 << 14  # users whose roots are searched for together: a dozen arrays of them fit a second-level cache
ARRIVED = 1e-7  # relative step after which an answer has no error left that a double can hold
WORTH_SORTING = 0.6  # share of a block still on its way below which the others are left out


@dataclass(frozen=True, kw_only=True)
class UserTerms:
    """What N users weigh at announced prices: arrays (N,), money for the whole minting, seconds; σ is one number.

    The freshness price is one for all, or one each; so are the ends of `privacy_range`.
    """

    quality_rewards: Floats
    freshness_price: float | Floats
    fixed_age_s: Floats
    seconds_per_epoch: Floats
    compute_costs: Floats
    privacy_costs: Floats
    most_epochs: Floats
    fairness: float
    privacy_range: tuple[float | Floats, float | Floats]
    freshness_horizon_s: float

    def ages(self, epochs: Floats) -> Floats:
        """T (Eq. 11) in seconds, at least a nanosecond: an age of 0 would be infinitely fresh."""
        return at_least(SHORTEST_S, self.fixed_age_s + self.seconds_per_epoch * epochs)

    def freshness(self, epochs: Floats) -> Floats:
        """θ^F (Eq. 12 with a reference age)."""
        return self._freshness_at(self.ages(epochs))

    def _freshness_at(self, ages: Floats) -> Floats:
        return at_least(0.0, np.log(self.freshness_horizon_s / ages))

    def rewards(self, epochs: Floats) -> Floats:
        """δ(k) = A + p·θ^F(k)."""
        return self.quality_rewards + self.freshness_price * self.freshness(epochs)

    def _rewards_and_decay(self, ages: Floats) -> tuple[Floats, Floats]:
        """δ(k), and −dδ/dk = p·s/T(k), which is 0 where the update is worth nothing for freshness any more."""
        decay = self._decay_per_age / ages
        if ages.max(initial=0.0) >= self.freshness_horizon_s:
            decay = np.where(ages < self.freshness_horizon_s, decay, 0.0)
        return self.quality_rewards + self.freshness_price * self._freshness_at(ages), decay

    @cached_property
    def _decay_per_age(self) -> Floats:
        return self.freshness_price * self.seconds_per_epoch

    def privacy(self, rewards: Floats) -> Floats:
        """ε* at a reward, within its range (Eq. 22)."""
        low, high = self.privacy_range
        return np.minimum(np.maximum(unchecked_answer(rewards, self.privacy_costs, self.fairness), low), high)

    def best_privacy(self, epochs: Floats) -> Floats:
        """ε* at k and its own δ(k)."""
        return self.privacy(self.rewards(epochs))

    def utilities(self, epochs: Floats, privacy: Floats | None = None) -> Floats:
        """Φ (Eq. 14) at k and its own δ(k); with the best ε for it unless one is given."""
        rewards, rest = self.rewards(epochs), 1.0 - self.fairness
        privacy = self.privacy(rewards) if privacy is None else privacy
        benefit = (epochs**rest + privacy**rest) / rest
        return rewards * benefit - self.compute_costs * epochs - self.privacy_costs * privacy

    def of(self, users: slice | Ints) -> "UserTerms":
        """The terms of some users."""
        arrays = ("quality_rewards", "fixed_age_s", "seconds_per_epoch", "compute_costs", "privacy_costs")
        price = self.freshness_price if np.ndim(self.freshness_price) == 0 else np.asarray(self.freshness_price)[users]
        part = {name: getattr(self, name)[users] for name in (*arrays, "most_epochs")}
        low, high = (end if np.ndim(end) == 0 else np.asarray(end)[users] for end in self.privacy_range)
        return replace(self, freshness_price=price, privacy_range=(low, high), **part)

    def price_taking_epochs(self, start: Floats) -> Floats:
        """The k in [1, k_max] that is the answer to the very reward it leads to: k = (δ(k)/C)^(1/σ) (Eq. 22).

        The user takes its δ as given, but the δ that it will be paid. `start` (N,) is where the search begins; users
        are searched for in blocks whose numbers stay in the cache.
        """
        ends = range(0, start.size, BLOCK_USERS)
        if len(ends) <= 1:
            return self._price_takers(start)
        blocks = (slice(at, at + BLOCK_USERS) for at in ends)
        return np.concatenate([self.of(block)._price_takers(start[block]) for block in blocks])

    def _price_takers(self, start: Floats) -> Floats:
        """Newton's method on C·k^σ − δ(k), which rises and is concave: a tangent never leads beyond the root.

        So no bracket is needed, and a step of a part x of k leaves an error of at most x²/2. Who has arrived is asked
        no more; who bears no cost starts at the lowest answer, as all of them may be equal.
        """
        least, most = np.ones_like(start), self.most_epochs
        place = np.minimum(np.maximum(np.where(self.compute_costs > 0, start, 1.0), least), most)
        for _ in range(MOST_STEPS):
            value, slope = self._excess(place)
            target = np.minimum(np.maximum(place - newton_step(value, slope), least), most)
            moving = np.abs(target - place) > ARRIVED * target
            left, place = np.count_nonzero(moving), target
            if left < WORTH_SORTING * place.size:
                break
        if left > 0:
            still = np.flatnonzero(moving)
            place[still] = self.of(still)._price_takers(place[still])
        return place

    def _excess(self, epochs: Floats) -> tuple[Floats, Floats]:
        """C·k^σ − δ(k), which is 0 where Eq. 22 holds, and its slope in k."""
        rewards, decay = self._rewards_and_decay(self.ages(epochs))
        demanded = self.compute_costs * epochs**self.fairness
        return demanded - rewards, self.fairness * demanded / epochs + decay

    @cached_property
    def own_age_epochs(self) -> Ints:
        """The whole k in [1, k_max] that is best when a user counts what its own age costs it: all are tried."""
        most = int(self.most_epochs.max())
        block = max(1, BLOCK // most)
        if block >= self.most_epochs.size:
            return self._best_of_all(most)
        best = [self.of(slice(at, at + block))._best_of_all(most) for at in range(0, self.most_epochs.size, block)]
        return np.concatenate(best)

    @cached_property
    def own_age_privacy(self) -> Floats:
        """ε* at the best whole k."""
        return self.best_privacy(self.own_age_epochs.astype(np.float64))

    @cached_property
    def own_age_utilities(self) -> Floats:
        """Φ at the best whole k and its best ε."""
        return self.utilities(self.own_age_epochs.astype(np.float64))

    def _best_of_all(self, most: int) -> Ints:
        epochs = np.arange(1.0, most + 1.0)[:, None]
        utilities = np.where(epochs <= self.most_epochs, self.utilities(epochs), -np.inf)
        return utilities.argmax(axis=0) + 1

    def own_age_peaks(self, whole: Ints) -> Floats:
        """The real k beside the best whole one at which Φ(k) peaks, for foreseeing; the whole one where it has none.

        dΦ/dk = −decay·(h(k) + h(ε)) + δ·k^(−σ) − C, ε being best throughout (envelope theorem).
        """
        sigma, rest = self.fairness, 1.0 - self.fairness

        def descent(epochs: Floats) -> tuple[Floats, Floats]:
            ages = self.ages(epochs)
            rewards, decay = self._rewards_and_decay(ages)
            privacy = self.privacy(rewards)
            inside = (privacy > self.privacy_range[0]) & (privacy < self.privacy_range[1])
            effort, marginal = privacy**rest, epochs**-sigma
            benefit = (epochs**rest + effort) / rest
            fall = decay * benefit - rewards * marginal + self.compute_costs
            moved = np.divide(effort * decay**2, sigma * rewards, out=np.zeros_like(fall), where=inside)
            curve = decay * self.seconds_per_epoch / ages * benefit + moved
            slope = 2.0 * decay * marginal + sigma * rewards * epochs ** (-sigma - 1.0) - curve
            return fall, slope

        middle = whole.astype(np.float64)
        there = descent(middle)
        rising = there[0] < 0
        low = np.where(rising, middle, np.maximum(1.0, middle - 1.0))
        high = np.where(rising, np.minimum(self.most_epochs, middle + 1.0), middle)
        return increasing_roots(descent, low, high, middle, there)
