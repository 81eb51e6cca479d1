"""How a decision settles: exchanges of prices and answers, one after another, towards the point that both agree on."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from flnft_sim.arrays import Bools, Floats
from flnft_sim.game.exchange import exchange, foreseen_freshness, of_candidates, wished_epochs
from flnft_sim.game.leadership import anticipated
from flnft_sim.game.pricing import Marginal
from flnft_sim.game.problem import DecisionProblem, DecisionStep
from flnft_sim.game.roots import at_least
from flnft_sim.game.utilities import fair_benefit

DAMPING = 0.8  # of incentives without a closed form, unless the problem says its own
SHORTEST_PART = 0.05  # of the longest: nobody freezes
LEADING = 0.7  # of the way that marginal costs move once a decision has settled at them
SETTLING = 1e-3  # gap at which a decision is looked at by leaders who are still far from settled
SETTLED = 1e-9  # mismatch below which numbers are taken as they are
SAFETY = 3.0  # what a reward may still change by, in mismatches of the freshness that it was priced for


def decide(problem: DecisionProblem, *, tolerance: float = 1e-6, most_steps: int = 200) -> DecisionStep:
    """The first step whose gap is at most `tolerance`, or step number `most_steps`: a decision without a clock."""
    steps = decision_steps(problem)
    step = next(steps)
    while step.gap > tolerance and step.iteration < most_steps:
        step = next(steps)
    return step


def decision_steps(problem: DecisionProblem) -> Iterator[DecisionStep]:
    """Exchange prices and answers for ever; the caller stops at a small gap or when its time is up.

    A user takes part where its best utility is at least 0. Of those whom it does not pay, the worse half leaves for
    good and the others are asked again, because each leaving raises the others' shares; whoever cannot finish one
    epoch in time is out from the start.
    """
    if problem.leadership == "anticipating":
        return _anticipating_steps(problem)
    if problem.damping is None and problem.incentives is None:
        return _settling_steps(problem)
    return _damped_steps(problem, problem.damping or DAMPING)


def _anticipating_steps(problem: DecisionProblem) -> Iterator[DecisionStep]:
    """Settle at the marginal costs of the last settled step's prices, until these stay as well.

    It begins with the simultaneous decision. A change of marginal costs is damped, more so where they swing: they and
    the prices answer one another in turn.
    """
    marginal = Marginal(np.ones(problem.providers.budgets.size), np.ones(problem.providers.budgets.size))
    moved, part, iterations, last = np.inf, LEADING, count(1), None
    while True:
        for step in _settling_steps(problem, marginal, last):
            yield step.noted(iteration=next(iterations), gap=max(step.gap, moved))
            if step.gap <= max(SETTLED, min(SETTLING, 0.01 * moved)):
                break
        last, wanted, before = step, anticipated(step), moved
        moved = max(float(np.abs(new - old).max()) for old, new in zip(marginal, wanted, strict=True))
        part = part if moved < 0.7 * before else max(SHORTEST_PART, 0.5 * part)
        marginal = Marginal(*(old + part * (new - old) for old, new in zip(marginal, wanted, strict=True)))


def _settling_steps(
    problem: DecisionProblem, marginal: Marginal | None = None, last: DecisionStep | None = None
) -> Iterator[DecisionStep]:
    """In each step providers price a foreseen freshness, and users answer with epochs whose own age they foresee.

    Announced prices are per unit, so users' answers are N separate problems (`game.answers`), and all that links one
    exchange to the next is one number, the freshness F that answers add up to: the decision has settled where
    F'(F) = F. The secant through the last two exchanges leads there, inside the bracket that is known. Nobody is sent
    away on numbers that may still turn: refusals count once no utility can change its sign any more.
    """
    candidates = problem.users.epochs_max >= 1.0
    foreseen = np.clip(problem.users.last_epochs, 1.0, np.maximum(1.0, problem.users.epochs_max))
    if last is not None:
        candidates, foreseen = last.takes_part, last.foreseen_epochs
    search = _FixedPoint(_total_freshness(problem, candidates, foreseen))
    previous: DecisionStep | None = None
    for iteration in count(1):
        step = exchange(problem, candidates, search.place, foreseen, answers=True, marginal=marginal)
        gap = np.inf if previous is None else max(_gap(previous, step), _mismatch(step))
        previous = step.noted(iteration=iteration, gap=gap)
        yield previous
        foreseen = step.foreseen_epochs
        refusing = candidates & ~step.takes_part
        if refusing.any() and _certain(step, candidates):
            candidates = candidates & ~_worse_half(step.utilities, refusing)
            search = _FixedPoint(_total_freshness(problem, candidates, foreseen))
        else:
            search = search.told(step.answered_freshness)


@dataclass(frozen=True)
class _FixedPoint:
    """The search for F'(F) = F of a continuous F' ≥ 0: where it looks next, and what it has seen."""

    place: float
    lower: float = 0.0  # F'(F) ≥ F here …
    upper: float = np.inf  # … and F'(F) ≤ F here
    last: tuple[float, float] | None = None  # (F, F') of the exchange before

    def told(self, answer: float) -> "_FixedPoint":
        """The search after F'(place) = `answer`."""
        lower = self.place if answer >= self.place else self.lower
        upper = self.place if answer <= self.place else self.upper
        target = answer
        if self.last is not None and self.place != self.last[0]:
            slope = (answer - self.last[1]) / (self.place - self.last[0])
            target = self.place + (answer - self.place) / (1.0 - slope) if slope < 1.0 else np.nan
        if not lower <= target <= upper:
            target = (lower + upper) / 2.0 if np.isfinite(upper) else answer
        return _FixedPoint(target, lower, upper, (self.place, answer))


def _mismatch(step: DecisionStep) -> float:
    """How far the answers' freshness is from the one that was priced, as a share of the larger."""
    larger = max(step.freshness, step.answered_freshness)
    return abs(step.freshness - step.answered_freshness) / larger if larger > 0 else 0.0


def _certain(step: DecisionStep, candidates: Bools) -> bool:
    """Whether no candidate's utility can change its sign: dΦ = dδ·(h(k) + h(ε)), by the envelope theorem."""
    if _mismatch(step) <= SETTLED:
        return True
    fairness = step.problem.fairness
    benefit = fair_benefit(step.epochs, fairness=fairness) + fair_benefit(step.privacy, fairness=fairness)
    turning = SAFETY * _mismatch(step) * step.total_rewards * benefit
    return bool(np.all(np.abs(step.utilities[candidates]) > turning[candidates]))


def _total_freshness(problem: DecisionProblem, candidates: Bools, epochs: Floats) -> float:
    return float(of_candidates(candidates, foreseen_freshness(problem, epochs)).sum())


def _damped_steps(problem: DecisionProblem, damping: float) -> Iterator[DecisionStep]:
    """In each step users answer the rewards of the epochs foreseen so far, and foresee a part of the way to the answer.

    More epochs make an older update, hence a lower freshness reward, hence fewer epochs: undamped, answers swing for
    ever. So a user's foreseen epochs move only a part of the way to its answer: `damping` at first and at most, then
    the part that would have been right the step before (the secant).
    """
    most_epochs = np.maximum(1.0, problem.users.epochs_max)
    candidates = problem.users.epochs_max >= 1.0
    foreseen = np.clip(problem.users.last_epochs, 1.0, most_epochs)
    part, move = np.full(foreseen.shape, damping), np.zeros(foreseen.shape)
    previous: DecisionStep | None = None
    for iteration in count(1):
        step = exchange(problem, candidates, _total_freshness(problem, candidates, foreseen), foreseen, answers=False)
        previous = step.noted(iteration=iteration, gap=np.inf if previous is None else _gap(previous, step))
        yield previous
        if (refusing := candidates & ~step.takes_part).any():
            candidates = candidates & ~_worse_half(step.utilities, refusing)
        last_move, move = move, wished_epochs(step) - foreseen
        part = _secant_part(part, last_move, move, most=damping)
        foreseen = foreseen + part * move


def _secant_part(part: Floats, last_move: Floats, move: Floats, *, most: float) -> Floats:
    """part·m'/(m' − m): moving this part of m' would have led to a move of 0, were moves linear in the epochs."""
    change = last_move - move
    shrinks = last_move * change > 0  # otherwise the line has no zero ahead, and the longest part is taken
    secant = np.divide(part * last_move, change, out=np.full(part.shape, float(most)), where=shrinks)
    return np.clip(secant, SHORTEST_PART * most, most)


def _gap(previous: DecisionStep, step: DecisionStep) -> float:
    """Largest relative change of any price or answer; a change of who takes part, or an open one, counts as 1."""
    hesitating = (step.quality_shares > 0) & ~step.takes_part
    if hesitating.any() or not np.array_equal(previous.takes_part, step.takes_part):
        return 1.0
    names = ("quality_prices", "freshness_prices", "foreseen_epochs", "privacy")
    return max(_relative_change(getattr(previous, name), getattr(step, name)) for name in names)


def _relative_change(old: Floats, new: Floats) -> float:
    """Largest |new − old| as a share of the larger of the two, neither being negative; 0 where both are 0."""
    change, scale = new - old, at_least(np.finfo(np.float64).tiny, np.maximum(old, new))
    np.abs(change, out=change)
    change /= scale
    return float(change.max())


def _worse_half(utilities: Floats, refusing: Bools) -> Bools:
    """Of the users who refuse, the half (rounded up) of the lowest utility; ties fall to the order of users."""
    leaves = np.zeros_like(refusing)
    who = np.flatnonzero(refusing)
    theirs, half = utilities[who], (who.size + 1) // 2
    last = np.partition(theirs, half - 1)[half - 1]
    worse, tied = who[theirs < last], who[theirs == last]
    leaves[worse] = leaves[tied[: half - worse.size]] = True
    return leaves
