# mypy: disallow-untyped-defs=False
"""A whole decision in one call: exchanges of prices and answers until they settle (`flnft_sim.game.decision`)."""

from math import inf, isfinite, nan

from flnft_sim.game.decision import SAFETY, SETTLED
from flnft_sim.game.loops.answers import (
    best_privacy,
    freshness,
    own_age_answer,
    own_age_peak,
    power,
    price_taking_answer,
    rounded_epochs,
    utility,
)
from flnft_sim.game.loops.equilibrium import equilibrium_prices
from flnft_sim.game.loops.kept import (
    BEST_EPOCHS,
    BEST_PRIVACY,
    CANDIDATE,
    COMPUTE,
    EPOCH_S,
    FIXED_S,
    FORESEEN,
    FORMER_F,
    FORMER_FORESEEN,
    FORMER_PRIVACY,
    FORMER_Q,
    FRESHNESS_SHARE,
    KEPT,
    LEAST_PRIVACY,
    MONEY_F,
    MONEY_Q,
    PRICE_F,
    PRICE_Q,
    PRIVACY,
    QUALITY,
    QUALITY_REWARD,
    QUALITY_SHARE,
    REWARD,
    RIVALS_F,
    RIVALS_Q,
    TAKES_PART,
    TOOK_PART,
    UTILITY,
)
from flnft_sim.game.loops.pricing import belief_prices, counted_money, insist_and_pay, satisfied

TINY = 2.2250738585072014e-308  # the smallest normal number


@KEPT.inner
def total_freshness(users, answers, who, horizon_s):
    """What the candidates' foreseen epochs add up to."""
    total = 0.0
    for i in range(users.shape[1]):
        if who[CANDIDATE, i]:
            total += freshness(users, i, answers[FORESEEN, i], horizon_s)
    return total


@KEPT.inner
def ageless(users, answers):
    """Whether somebody's update would take no time at all."""
    least_s = inf
    for i in range(users.shape[1]):
        least_s = min(least_s, users[FIXED_S, i] + users[EPOCH_S, i] * answers[FORESEEN, i])
    return least_s <= 0


@KEPT.inner
def announce(providers, quality, freshness, reserve, informed, in_money, prices):
    """Fill in prices and money; returns False where arrays must find them, or say which number is too large."""
    if not satisfied(providers, quality, freshness, prices):
        return False
    if informed:
        found = equilibrium_prices(providers, freshness, reserve, in_money, prices)
    else:
        found = belief_prices(providers, freshness, reserve, in_money, prices)
    insist_and_pay(providers, prices)
    return found


@KEPT.inner
def share_out(users, who, answers, quality, money):
    """What each user is paid for its quality."""
    for i in range(users.shape[1]):
        brings = users[QUALITY, i] if who[CANDIDATE, i] else 0.0
        answers[QUALITY_SHARE, i] = brings / quality if quality > 0 else 0.0
        answers[QUALITY_REWARD, i] = money * answers[QUALITY_SHARE, i]


@KEPT.inner
def answer(users, answers, who, price, own_age, sigma, horizon_s):
    """Let users answer; returns the freshness that their foreseen epochs add up to."""
    for i in range(users.shape[1]):
        paid = answers[QUALITY_REWARD, i]
        if own_age:
            whole, privacy, height = own_age_answer(users, i, paid, price, sigma, horizon_s)
            answers[BEST_EPOCHS, i], answers[BEST_PRIVACY, i], answers[UTILITY, i] = whole, privacy, height
            answers[FORESEEN, i] = own_age_peak(users, i, whole, paid, price, sigma, horizon_s)
        else:
            start = answers[FORESEEN, i]
            answers[FORESEEN, i] = price_taking_answer(users, i, start, paid, price, sigma, horizon_s)
    return total_freshness(users, answers, who, horizon_s)


@KEPT.inner
def reward(users, answers, who, answered, money, own_age, sigma, horizon_s):
    """Fill in shares, rewards and what is left to find of the answers to them."""
    for i in range(users.shape[1]):
        brings = freshness(users, i, answers[FORESEEN, i], horizon_s) if who[CANDIDATE, i] else 0.0
        answers[FRESHNESS_SHARE, i] = brings / answered if answered > 0 else 0.0
        paid = answers[QUALITY_REWARD, i] + money * answers[FRESHNESS_SHARE, i]
        answers[REWARD, i] = paid
        if not own_age:
            epochs, privacy = rounded_epochs(users, i, paid, sigma), best_privacy(users, i, paid, sigma)
            answers[BEST_EPOCHS, i], answers[BEST_PRIVACY, i] = epochs, privacy
            answers[UTILITY, i] = utility(users, i, paid, epochs, privacy, sigma)


@KEPT.inner
def choose(users, answers, who, sigma):
    """Who takes part: all where the least effort pays for each, else those whose utility is at least 0."""
    rest, surely = 1.0 - sigma, True
    for i in range(users.shape[1]):
        least = users[LEAST_PRIVACY, i]
        benefit = 1.0 / rest + power(least, rest) / rest
        paid = answers[REWARD, i] * benefit >= users[COMPUTE, i] + users[PRIVACY, i] * least
        surely = surely and (paid or not who[CANDIDATE, i])
    for i in range(users.shape[1]):
        who[TAKES_PART, i] = who[CANDIDATE, i] and (surely or answers[UTILITY, i] >= 0)


@KEPT.inner
def mismatch(priced, answered):
    larger = max(priced, answered)
    return abs(priced - answered) / larger if larger > 0 else 0.0


@KEPT.inner
def changed(now, row, before, former, most):
    """The largest relative change of a row, or `most` if that is more; keeps the row as the former one."""
    for i in range(now.shape[1]):
        new, old = now[row, i], before[former, i]
        most = max(most, abs(new - old) / max(TINY, max(old, new)))
        before[former, i] = new
    return most


@KEPT.inner
def moved(answers, who, prices):
    """`_gap` to the exchange before, which this one then is."""
    most = changed(prices, PRICE_Q, prices, FORMER_Q, 0.0)
    most = changed(prices, PRICE_F, prices, FORMER_F, most)
    most = changed(answers, FORESEEN, answers, FORMER_FORESEEN, most)
    most = changed(answers, BEST_PRIVACY, answers, FORMER_PRIVACY, most)
    open_still = False
    for i in range(who.shape[1]):
        hesitating = answers[QUALITY_SHARE, i] > 0 and not who[TAKES_PART, i]
        open_still = open_still or hesitating or who[TAKES_PART, i] != who[TOOK_PART, i]
        who[TOOK_PART, i] = who[TAKES_PART, i]
    return 1.0 if open_still else most


@KEPT.inner
def certain(answers, who, apart, sigma):
    """Whether no candidate's utility can change its sign."""
    rest = 1.0 - sigma
    for i in range(who.shape[1]):
        benefit = (power(answers[BEST_EPOCHS, i], rest) + power(answers[BEST_PRIVACY, i], rest)) / rest
        turning = SAFETY * apart * answers[REWARD, i] * benefit
        if apart > SETTLED and who[CANDIDATE, i] and abs(answers[UTILITY, i]) <= turning:
            return False
    return True


@KEPT.inner
def refusing(who):
    count = 0
    for i in range(who.shape[1]):
        count += who[CANDIDATE, i] and not who[TAKES_PART, i]
    return count


@KEPT.inner
def send_away(answers, who, count):
    """Of those who refuse, the half (rounded up) of the lowest utility is no candidate any more."""
    for _ in range((count + 1) // 2):
        worst = -1
        for i in range(who.shape[1]):
            refuses = who[CANDIDATE, i] and not who[TAKES_PART, i]
            if refuses and (worst < 0 or answers[UTILITY, i] < answers[UTILITY, worst]):
                worst = i
        who[CANDIDATE, worst] = False


@KEPT.inner
def next_place(place, reply, lower, upper, last_place, last_reply):
    """Where to look next for F'(F) = F (`_FixedPoint.told`), inside the bracket known so far."""
    lower, upper = place if reply >= place else lower, place if reply <= place else upper
    target = reply
    if last_place >= 0 and place != last_place:
        slope = (reply - last_reply) / (place - last_place)
        target = place + (reply - place) / (1.0 - slope) if slope < 1.0 else nan
    if not lower <= target <= upper:
        target = (lower + upper) / 2.0 if isfinite(upper) else reply
    return target, lower, upper


@KEPT.exact
def settle(
    users,
    who,
    answers,
    providers,
    prices,
    informed,
    own_age,
    in_money,
    expected,
    sigma,
    horizon_s,
    reserve,
    tolerance,
    most_steps,
):
    """Exchange prices and answers until the gap is at most `tolerance`, `most_steps` times at most.

    `who` has the candidates and `answers` the epochs to begin with; both, and `prices`, are filled in as `kept` names
    their rows. Returns the number of the last exchange, its gap, quality, priced and answered freshness, and the price
    of a unit of freshness; number 0 where a budget binds at the equilibrium, or a formula has no finite value.
    """
    place, lower, upper = total_freshness(users, answers, who, horizon_s), 0.0, inf
    last_place = last_reply = -1.0
    if ageless(users, answers):
        return 0, inf, 0.0, 0.0, 0.0, 0.0
    for iteration in range(1, most_steps + 1):
        quality = 0.0
        for i in range(users.shape[1]):
            quality += users[QUALITY, i] if who[CANDIDATE, i] else 0.0
        if not announce(providers, quality, place, reserve, informed, in_money, prices):
            break
        for_quality = counted_money(prices, PRICE_Q, MONEY_Q, RIVALS_Q, expected)
        money = counted_money(prices, PRICE_F, MONEY_F, RIVALS_F, expected)
        if not isfinite(for_quality + money):
            break
        share_out(users, who, answers, quality, for_quality)
        price = money / place if place > 0 else 0.0
        answered = answer(users, answers, who, price, own_age, sigma, horizon_s)
        reward(users, answers, who, answered, money, own_age, sigma, horizon_s)
        choose(users, answers, who, sigma)
        apart = mismatch(place, answered)
        change = moved(answers, who, prices)
        gap = inf if iteration == 1 else max(change, apart)
        if gap <= tolerance or iteration == most_steps:
            return iteration, gap, quality, place, answered, price
        count = refusing(who)
        if count > 0 and certain(answers, who, apart, sigma):
            send_away(answers, who, count)
            place, lower, upper = total_freshness(users, answers, who, horizon_s), 0.0, inf
            last_place = last_reply = -1.0
        else:
            target, lower, upper = next_place(place, answered, lower, upper, last_place, last_reply)
            last_place, last_reply, place = place, answered, target
    return 0, inf, 0.0, 0.0, 0.0, 0.0
