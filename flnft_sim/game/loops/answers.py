# mypy: disallow-untyped-defs=False
"""One user's answer to announced prices (`flnft_sim.game.answers`), its utility, and how it rounds."""

from math import copysign, floor, inf, log, sqrt

from flnft_sim.game.answers import ARRIVED, SHORTEST_S
from flnft_sim.game.loops.kept import (
    COMPUTE,
    EPOCH_S,
    FIXED_S,
    KEPT,
    LEAST_PRIVACY,
    MOST,
    MOST_PRIVACY,
    PRIVACY,
)
from flnft_sim.game.roots import LAST_BITS, MOST_STEPS


@KEPT.inner
def power(base, exponent):
    """As NumPy's, which takes roots and squares for what they are."""
    if exponent == 0.5:
        return sqrt(base)
    return base * base if exponent == 2.0 else base**exponent


@KEPT.inner
def age(users, i, epochs):
    return max(SHORTEST_S, users[FIXED_S, i] + users[EPOCH_S, i] * epochs)


@KEPT.inner
def freshness(users, i, epochs, horizon_s):
    return max(0.0, log(horizon_s / age(users, i, epochs)))


@KEPT.inner
def unrounded_answer(reward, cost, sigma):
    if cost > 0:
        return power(reward / cost, 1.0 / sigma)
    return inf if reward > 0 else 0.0


@KEPT.inner
def best_privacy(users, i, reward, sigma):
    wished = unrounded_answer(reward, users[PRIVACY, i], sigma)
    return min(max(wished, users[LEAST_PRIVACY, i]), users[MOST_PRIVACY, i])


@KEPT.inner
def utility(users, i, reward, epochs, privacy, sigma):
    rest = 1.0 - sigma
    benefit = (power(epochs, rest) + power(privacy, rest)) / rest
    return reward * benefit - users[COMPUTE, i] * epochs - users[PRIVACY, i] * privacy


@KEPT.inner
def own_age_answer(users, i, quality_reward, price, sigma, horizon_s):
    """The best whole k, with its ε and its Φ: all k are tried."""
    best_epochs, best, best_utility = 1.0, users[LEAST_PRIVACY, i], -inf
    for k in range(1, int(users[MOST, i]) + 1):
        reward = quality_reward + price * freshness(users, i, float(k), horizon_s)
        privacy = best_privacy(users, i, reward, sigma)
        height = utility(users, i, reward, float(k), privacy, sigma)
        if height > best_utility:
            best_epochs, best, best_utility = float(k), privacy, height
    return best_epochs, best, best_utility


@KEPT.inner
def descent(users, i, epochs, quality_reward, price, sigma, horizon_s):
    """−dΦ/dk and its slope in k."""
    rest, seconds = 1.0 - sigma, age(users, i, epochs)
    decay = price * users[EPOCH_S, i] / seconds if seconds < horizon_s else 0.0
    reward = quality_reward + price * freshness(users, i, epochs, horizon_s)
    privacy = best_privacy(users, i, reward, sigma)
    effort, marginal = power(privacy, rest), epochs**-sigma
    benefit = (power(epochs, rest) + effort) / rest
    fall = decay * benefit - reward * marginal + users[COMPUTE, i]
    curve = decay * users[EPOCH_S, i] / seconds * benefit
    if users[LEAST_PRIVACY, i] < privacy < users[MOST_PRIVACY, i]:
        curve += effort * decay**2 / (sigma * reward)
    return fall, 2.0 * decay * marginal + sigma * reward * marginal / epochs - curve


@KEPT.inner
def newton_step(value, slope):
    if slope > 0:
        return value / slope
    return 0.0 if value == 0 else copysign(inf, value)


@KEPT.inner
def own_age_peak(users, i, whole, quality_reward, price, sigma, horizon_s):
    """The real k beside the best whole one at which Φ peaks, by the safeguarded search of `increasing_roots`."""
    place = whole
    value, slope = descent(users, i, place, quality_reward, price, sigma, horizon_s)
    lower, upper = (place, min(users[MOST, i], place + 1.0)) if value < 0 else (max(1.0, place - 1.0), place)
    seen_lower = seen_upper = False
    for _ in range(MOST_STEPS):
        if value < 0:
            lower, seen_lower = place, True
        elif value > 0:
            upper, seen_upper = place, True
        target = place - newton_step(value, slope)
        if target < lower:
            target = (lower + upper) / 2.0 if seen_lower else lower
        elif target > upper:
            target = (lower + upper) / 2.0 if seen_upper else upper
        arrived = abs(target - place) <= LAST_BITS * abs(target)
        place = target
        if arrived:
            break
        value, slope = descent(users, i, place, quality_reward, price, sigma, horizon_s)
    return place


@KEPT.inner
def price_taking_answer(users, i, start, quality_reward, price, sigma, horizon_s):
    """The real k that is the answer to the very reward it leads to: Newton's method on C·k^σ − δ(k)."""
    most = users[MOST, i]
    place = min(max(start if users[COMPUTE, i] > 0 else 1.0, 1.0), most)
    for _ in range(MOST_STEPS):
        seconds = age(users, i, place)
        decay = price * users[EPOCH_S, i] / seconds if seconds < horizon_s else 0.0
        demanded = users[COMPUTE, i] * power(place, sigma)
        value = demanded - (quality_reward + price * freshness(users, i, place, horizon_s))
        target = min(max(place - newton_step(value, sigma * demanded / place + decay), 1.0), most)
        moving = abs(target - place) > ARRIVED * target
        place = target
        if not moving:
            break
    return place


@KEPT.inner
def rounded_epochs(users, i, reward, sigma):
    """The better integer beside x*, the smaller of equals."""
    rest, most, cost = 1.0 - sigma, users[MOST, i], users[COMPUTE, i]
    wished = unrounded_answer(reward, cost, sigma)
    below = most if wished >= most else max(1.0, float(floor(wished)))
    above = min(below + 1.0, most)
    gain = reward * (power(above, rest) - power(below, rest)) / rest - cost * (above - below)
    return above if gain > 0 else below
