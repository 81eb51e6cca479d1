"""What attacks on a contest for a pot earn: each by formula or search, at what its users play when all are honest.

Gains are cash over what the attackers keep honestly, as a part of the pot; who asks little to win kept nothing before.
Where a rule is to make an attack worthless, the gain with that rule stands beside the gain without it.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.checks import positive
from flnft_sim.game.contest.attestation import distinct_updates, one_name_each, uncaught_probability
from flnft_sim.game.contest.release import release_power, steep_release_power
from flnft_sim.game.contest.shortfall import PromisedContest, replied
from flnft_sim.game.contest.terms import ContestTerms
from flnft_sim.game.contest.whole import WholeContest, whole_contest, whole_replies

_PARTS = np.linspace(0.0, 1.0, 101)  # of the rounds of a minting that are skipped
_FINE = 400  # parts of everybody's effort
_ASKS = np.arange(0.25, 0.96, 0.05)  # as parts of the total ask
_NODES = 41  # of a quadrature over noise
_PAIRED = 10  # users whose pairs are tried
_MOST_MEMBERS = 60  # of a DAO whose low asks are tried: its members reply one after another


class Attack(NamedTuple):
    """One attack under one setting; `claimed` is the largest gain that is promised, None where none is."""

    attack: str
    setting: str
    attackers: int
    gain: float
    claimed: float | None


def contest_attacks(terms: ContestTerms, pot: float, promised_epochs: float, *, elasticity: float) -> list[Attack]:
    """All attacks on the contest for a pot in money that promises k⁰ epochs a user; η is the elasticity of delivery.

    Each is tried by the user, or the users, whom it serves best. Needs two participants; returns none without.
    """
    honest = _Honest(terms, float(positive("pot", pot)), promised_epochs)
    if np.count_nonzero(honest.played.takes_part) < 2:
        return []
    found: list[Attack] = []
    for attack in (_effort, _claims, _copies, _pairs, _all_together):
        found += attack(honest)
    return [
        *found,
        *_noisy_claims(honest, elasticity),
        *_low_asks(honest, elasticity),
        *_pots_at_will(honest, elasticity),
        *_evaluators(honest),
    ]


class _Honest:
    """What is played, and what each keeps."""

    def __init__(self, terms: ContestTerms, pot: float, promised_epochs: float) -> None:
        self.terms, self.pot, self.promised_epochs = terms, pot, promised_epochs
        self.played: WholeContest = whole_contest(pot, terms)
        self.scores = terms.score(self.played.epochs, self.played.privacy)
        self.cash = terms.cash(pot, self.played.epochs, self.played.privacy)
        self.users = np.flatnonzero(self.played.takes_part)

    def best(self, gain: Callable[[int], float]) -> float:
        """The largest gain of any participant, as a part of the pot."""
        return max(gain(int(user)) for user in self.users) / self.pot

    def rest(self, user: int) -> float:
        """Σc of the others."""
        return float(self.scores.sum() - self.scores[user])

    def share(self, user: int, times: float | Floats) -> Floats:
        """The share of a user whose score counts so many times over."""
        own = self.scores[user] * np.asarray(times)
        return np.asarray(own / (own + self.rest(user)))

    def costs(self, user: int) -> tuple[float, float]:
        """Money for its epochs, and for its ε."""
        played = self.played
        return (
            float(self.terms.compute[user] * played.epochs[user]),
            float(self.terms.privacy[user] * played.privacy[user]),
        )

    def inflated(self, user: int) -> float:
        """How many times its score a user has by claiming the most epochs."""
        most = float(self.terms.most_whole_epochs[user])
        return float((most / self.played.epochs[user]) ** float(self.terms.a))  # the age is measured, not claimed


def _effort(honest: _Honest) -> Iterator[Attack]:
    """Another k or ε, by leaving or coming in: nothing, where replies ended."""
    played = honest.played
    best = whole_replies(honest.pot, honest.terms, played.epochs, played.privacy).cash - honest.cash
    yield Attack("another effort", "k and ε as one likes", 1, float(max(0.0, best.max())) / honest.pot, 0.0)


def _claims(honest: _Honest) -> Iterator[Attack]:
    """Claim the most epochs and train none, or train none in a part of the rounds."""

    def skipped(user: int, *, sampled: int | None) -> float:
        parts = _PARTS if sampled is not None else np.ones(1)
        times = 1.0 - parts + parts * honest.inflated(user)
        compute, privacy = honest.costs(user)
        won = honest.pot * honest.share(user, times)
        if sampled:
            won = won * np.asarray(uncaught_probability(parts, sampled_rounds=sampled))
        return float(np.max(won - compute * (1.0 - parts) - privacy)) - float(honest.cash[user])

    yield Attack("claim and skip", "arrival", 1, honest.best(partial(skipped, sampled=None)), None)
    unpaid = honest.best(lambda user: -honest.costs(user)[1] - float(honest.cash[user]))
    yield Attack("claim and skip", "loss-drop, without noise", 1, max(0.0, unpaid), 0.0)
    for sampled in (1, 2, 3):
        gain = honest.best(partial(skipped, sampled=sampled))
        yield Attack("claim and skip some rounds", f"enclave, {sampled} sampled", 1, gain, None)


def _noisy_claims(honest: _Honest, elasticity: float) -> Iterator[Attack]:
    """Claim the most epochs where the fall of the loss is measured with noise: luck is counted, bad luck is less.

    The fall rises with epochs as k^η, and the noise is normal. It is held against claiming what is trained, under the
    same noise.
    """
    places, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()

    def kept(user: int, trained: Floats, claimed: float, noise: float) -> Floats:
        relative = trained[:, None] / honest.played.epochs[user]
        seen = np.maximum(0.0, relative**elasticity + noise * places)
        with np.errstate(over="ignore"):
            counted = np.minimum(seen ** (1.0 / elasticity), claimed / honest.played.epochs[user])
        won = honest.pot * honest.share(user, counted ** float(honest.terms.a)) @ weights
        compute, privacy = honest.costs(user)
        return np.asarray(won - compute * relative[:, 0] - privacy)

    def gain_of(user: int, *, noise: float) -> float:
        honestly, most = float(honest.played.epochs[user]), float(honest.terms.most_whole_epochs[user])
        fair = float(kept(user, np.array([honestly]), honestly, noise)[0])
        return float(kept(user, np.arange(most + 1.0), most, noise).max()) - fair

    for noise in (0.01, 0.05):
        gain = honest.best(partial(gain_of, noise=noise))
        yield Attack("claim the most, train as one likes", f"loss-drop, noise of {noise:.0%}", 1, gain, None)


def _copies(honest: _Honest) -> Iterator[Attack]:
    """One update under two names, and two names that train on the same data."""
    terms = honest.terms

    def sent(user: int, *, counted: int) -> float:
        k = np.arange(float(terms.least_epochs[user]), float(terms.most_whole_epochs[user]) + 1.0)
        relative = k / honest.played.epochs[user]
        compute, privacy = honest.costs(user)
        won = honest.pot * honest.share(user, counted * relative ** float(terms.a)) - compute * relative - privacy
        return float(won.max() - honest.cash[user])

    once = int(distinct_updates([[1.0, 0.0], [1.0, 0.0]]).sum())
    for setting, counted, claimed in (("both count", 2, None), ("near-identical ones count once", once, 0.0)):
        gain = honest.best(partial(sent, counted=counted))
        yield Attack("an update sent twice", setting, 1, gain, claimed)

    def named_twice(user: int, *, registered: bool) -> float:
        names = np.append(np.arange(len(terms)), user)
        names = names[one_name_each(names)] if registered else names
        more = terms.of(names)
        played = whole_contest(honest.pot, more)
        cash = more.cash(honest.pot, played.epochs, played.privacy)
        return float(cash[names == user].sum() - honest.cash[user])

    for setting, registered, claimed in (("both count", False, None), ("one name a data set", True, 0.0)):
        gain = honest.best(partial(named_twice, registered=registered))
        yield Attack("two names that both train on one data set", setting, 1, gain, claimed)


def _pairs(honest: _Honest) -> Iterator[Attack]:
    """Two users who choose their epochs together: they compete less with one another."""
    gain = max(_pair_gain(honest, *pair) for pair in combinations(honest.users[:_PAIRED].tolist(), 2))
    yield Attack("two users agree on their epochs", "others play on", 2, gain / honest.pot, None)


def _pair_gain(honest: _Honest, one: int, other: int) -> float:
    terms = honest.terms
    k = np.arange(0.0, float(terms.most_whole_epochs[[one, other]].max()) + 1.0)
    cash, scores = np.zeros((k.size, k.size)), np.zeros((k.size, k.size))
    for user, epochs in ((one, k[:, None]), (other, k[None, :])):
        scores = scores + honest.scores[user] * (epochs / honest.played.epochs[user]) ** float(terms.a)
        cash = cash - terms.compute[user] * epochs - honest.costs(user)[1] * (epochs > 0)
    others = float(honest.scores.sum() - honest.scores[one] - honest.scores[other])
    cash = cash + honest.pot * scores / np.maximum(scores + others, 1e-300)
    return float(cash.max() - honest.cash[one] - honest.cash[other])


def _all_together(honest: _Honest) -> Iterator[Attack]:
    """A pot that is paid whatever is delivered: all train one epoch and share it."""
    played = honest.played
    ones = np.where(played.takes_part, honest.terms.least_epochs, 0.0)
    gain = float(honest.terms.cash(honest.pot, ones, played.privacy).sum() - honest.cash.sum())
    yield Attack("all members train one epoch", "unconditional pot", honest.users.size, gain / honest.pot, None)


def _pots_at_will(honest: _Honest, elasticity: float) -> Iterator[Attack]:
    """All members agree on a part of their epochs, where what is released depends on it."""
    played, parts = honest.played, np.linspace(0.0, 1.0, _FINE)
    compute = float(honest.terms.compute @ played.epochs)
    delivered = min(1.0, float(played.epochs.sum()) / (honest.promised_epochs * len(honest.terms)))
    for name, power, claimed in _releases(honest, elasticity):
        kept = np.minimum(1.0, parts * delivered) ** power
        cash = honest.pot * (kept - delivered**power) + compute * (1.0 - parts)
        gain = float(cash.max()) / honest.pot
        yield Attack("all members train a part of what they promised", name, honest.users.size, gain, claimed)


def _releases(honest: _Honest, elasticity: float) -> list[tuple[str, float, float | None]]:
    """Ways to release a pot: name, power of Σk, and the gain that is promised by it."""
    members, a = len(honest.terms), float(honest.terms.a)
    power = release_power(a=a, users=members, promised_epochs=max(1.0, honest.promised_epochs))
    steep = max(power, steep_release_power(a=a, users=members))
    return [
        ("release in proportion", float(elasticity), None),
        (f"release schedule, m = {power:.3f}", power, 0.0),
        (f"steeper release, m = {steep:.3f}", steep, 0.0),
    ]


def _low_asks(honest: _Honest, elasticity: float) -> Iterator[Attack]:
    """Ask a part of the total ask and win what would not have been won: cash of all members, and what of it was due."""
    members = len(honest.terms)
    if members > _MOST_MEMBERS:
        return
    whole = np.asarray(honest.played.epochs)
    starts = (whole, np.maximum(whole - 1, np.minimum(whole, 1)), np.minimum(whole, 1))
    kept = -np.inf
    for name, power, claimed in _releases(honest, elasticity):
        short = 0.0
        for part in _ASKS:
            contest = PromisedContest(
                terms=honest.terms, pot=part * honest.pot, promised_epochs=honest.promised_epochs, power=power
            )
            for start in starts:
                end = replied(contest, start)
                cash = float(contest.cash(end.epochs, end.privacy).sum())
                if end.equilibrium and end.epochs.sum() < honest.promised_epochs * members:
                    short = max(short, cash)
                elif end.equilibrium:
                    kept = max(kept, cash)
        yield Attack("ask little, fall short", name, members, short / honest.pot, claimed)
    if np.isfinite(kept):
        yield Attack("ask little, deliver", "any release", members, kept / honest.pot, None)


def _evaluators(honest: _Honest) -> Iterator[Attack]:
    """Validators who say that all was delivered where nothing was: the median is what is released by."""
    for liars in (0.25, 0.49, 0.51):
        said = np.where(np.arange(100) < 100 * liars, 1.0, 0.0)
        released = float(np.median(said))
        claimed = 0.0 if liars < 0.5 else None
        yield Attack("evaluators lie for the DAO", f"{liars:.0%} of them", honest.users.size, released, claimed)
