"""The game's speed, and how many times faster than a straightforward loop over the same formulas.

    python -m benchmarks game

Five questions: an equilibrium of 10⁶ users and 10³ providers (also settled, with freshness answering epochs), decisions
of few by compiled loops, a contest of 10⁶ users for a pot that does not pay all of them, one belief update at 5 states
and 12 levels, and the beliefs about 40 providers over 100 auctions, updates and refits.
"""

import math
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from statistics import median

import numpy as np

from benchmarks._figure import Figure
from flnft_sim.game import BidBelief, DecisionProblem, decision_steps
from flnft_sim.game.beliefs.fitting import fresh_start
from flnft_sim.game.beliefs.forward import ForwardFilter, HmmParameters
from flnft_sim.game.contest import ContestTerms, settled_contest
from flnft_sim.game.engines import GameEngine
from flnft_sim.game.problem import DecisionStep

USERS, PROVIDERS = 10**6, 10**3
LOOP_USERS = 20_000  # the loop is timed on these, and its time scaled up
SIGMA = 0.5
SETTLED = 1e-6  # gap of the settled decision that is timed


def main() -> None:
    """Print every figure with its size, median of repeats, and ratio."""
    cores = len(os.sched_getaffinity(0))
    print(f"game: {platform.processor() or platform.machine()}, {cores} cores, Python {platform.python_version()}")
    _equilibrium()
    _few()
    _contest()
    _one_update()
    _forty_providers()


def summary() -> Iterator[Figure]:
    """A decision beside a loop, and beliefs beside computing all anew."""
    market, small = _market(USERS, PROVIDERS), _market(LOOP_USERS, PROVIDERS)
    announced = next(decision_steps(small))
    turns = []
    for _ in range(3):
        once = _seconds(lambda: next(decision_steps(market)), repeats=1)
        loop = _seconds(lambda: _loop_answers(small, announced), repeats=1) * USERS / LOOP_USERS
        settled = _seconds(lambda: _settle(market), repeats=1)
        turns.append((loop / once, once / settled))
    ratio, share = (median(column) for column in zip(*turns, strict=True))
    what = f"a decision of {USERS:,} users × {PROVIDERS:,} providers"
    yield Figure(what=what, ratio=ratio, peer="a loop over the users alone")
    yield Figure(what=f"… settled to {SETTLED:.0e}", share=share, limit="one exchange of prices and answers")
    update, anew = _update_and_anew()
    yield Figure(what="a belief's update", ratio=anew / update, peer="the forward pass over 100 bids")


def _equilibrium() -> None:
    market = _market(USERS, PROVIDERS)
    once = _seconds(lambda: next(decision_steps(market)), repeats=5)
    settled = _seconds(lambda: _settle(market), repeats=3)
    busy = _seconds(lambda: _settle(market), repeats=3, clock=time.process_time)
    steps = _settle(market).iteration
    small = _market(LOOP_USERS, PROVIDERS)
    announced = next(decision_steps(small))
    loop = _seconds(lambda: _loop_answers(small, announced), repeats=3) * USERS / LOOP_USERS
    size = f"{USERS:,} users, {PROVIDERS:,} providers"
    print(f"  equilibrium, both stages once ({size}): {once:.3f} s; a loop over users alone: {loop:.2f} s")
    print(f"    ratio loop / ours: {loop / once:.1f}")
    print(
        f"  equilibrium settled to a gap of {SETTLED:.0e} ({size}): {settled:.2f} s in {steps} exchanges, "
        f"{busy:.2f} s of processor time"
    )


def _few() -> None:
    for users, providers in ((4, 5), (10, 10), (100, 40), (1_000, 100)):
        believed = dict.fromkeys(("believed_quality_money", "believed_freshness_money"), 100.0)
        market = replace(_market(users, providers), user_reply="own-age", **believed)
        repeats = max(5, 2_000 // users)
        arrays, loops = (
            _seconds(
                partial(GameEngine(name).decide, market, tolerance=SETTLED, most_steps=60),
                repeats=repeats,
                clock=time.process_time,
            )
            for name in ("arrays", "compiled")
        )
        print(
            f"  a decision of {users:,} users and {providers} providers: {1e3 * loops:.3f} ms by compiled loops, "
            f"{1e3 * arrays:.2f} ms by arrays; ratio {arrays / loops:.1f}"
        )


def _contest() -> None:
    rng = np.random.default_rng(0)
    terms = ContestTerms(
        scores=rng.uniform(5, 60, USERS),
        compute_cost=rng.uniform(2, 30, USERS),
        privacy_cost=rng.uniform(0.2, 5, USERS),
        a=0.5,
        b=0.05,
        epochs_range=(1.0, 20.0),
        privacy_range=(1.0, 5.0),
    )
    for pot in (20.0 * USERS, 5_000.0 * USERS):
        takes_part = int(settled_contest(pot, terms).takes_part.sum())
        seconds = _seconds(lambda pot=pot: settled_contest(pot, terms), repeats=3)
        print(f"  contest of {USERS:,} users, of whom {takes_part:,} take part: {seconds:.2f} s")


def _one_update() -> None:
    update, whole = _update_and_anew()
    print(f"  one belief update and prediction (5 states, 12 levels): {update * 1e6:.1f} µs")
    print(f"    ratio of the forward pass over 100 bids anew, in a loop, to ours: {whole / update:.0f}")


def _update_and_anew() -> tuple[float, float]:
    """Seconds of one update, and of the forward pass over 100 bids."""
    rng = np.random.default_rng(0)
    history = rng.gamma(2.0, 100.0, 200)
    belief = BidBelief("hmm", states=5, levels=12, refit_every=10**6, min_history=100)
    for bid in history[:100]:
        belief.observe(bid)
    symbols = rng.integers(12, size=100).tolist()
    parameters = fresh_start(5, 12, rng)

    def ours() -> None:
        for bid in history[100:]:
            belief.observe(bid)
            belief.predict()

    update = _seconds(ours, repeats=20) / 100
    return update, _seconds(lambda: _forward_from_scratch(parameters, symbols), repeats=20)


def _forty_providers() -> None:
    bids = np.random.default_rng(1).gamma(2.0, 100.0, (100, 40))

    def beliefs(refit_every: int) -> None:
        for provider in range(40):
            belief = BidBelief("hmm", refit_every=refit_every, seed=provider)
            for bid in bids[:, provider]:
                belief.observe(bid)
                belief.predict()

    ours = _seconds(lambda: beliefs(10), repeats=3)
    every_time = _seconds(lambda: beliefs(1), repeats=1)
    print(f"  beliefs about 40 providers over 100 auctions (4 states, 6 levels, refit every 10): {ours:.2f} s")
    print(f"    ratio of refitting after every bid to ours: {every_time / ours:.1f}")


def _settle(market: DecisionProblem) -> DecisionStep:
    return next(step for step in decision_steps(market) if step.gap <= SETTLED)


def _market(users: int, providers: int) -> DecisionProblem:
    rng = np.random.default_rng(0)
    valuations = rng.uniform(300.0, 2000.0, providers)
    return DecisionProblem(
        quality_contributions=rng.uniform(5.0, 40.0, users),
        fixed_age_s=rng.uniform(0.5, 3.0, users),
        seconds_per_epoch=rng.uniform(0.1, 3.0, users),
        compute_costs=rng.uniform(200.0, 500.0, users) / users,
        privacy_costs=rng.uniform(50.0, 200.0, users) / users,
        epochs_max=20,
        valuations_quality=valuations / 2.0,
        valuations_freshness=valuations / 2.0,
        budgets=valuations,
        fairness=SIGMA,
    )


def _loop_answers(market: DecisionProblem, step: DecisionStep) -> list[tuple[int, float]]:
    """Each user's (k*, ε*) by the formulas of Eq. 22 and 23, one user after the other."""
    answers = []
    for reward, compute, privacy_cost in zip(
        step.total_rewards.tolist(), market.compute_costs.tolist(), market.privacy_costs.tolist(), strict=True
    ):
        wanted = (reward / compute) ** (1.0 / SIGMA)
        below = min(20, max(1, math.floor(wanted)))
        above = min(20, below + 1)
        rest = 1.0 - SIGMA
        gain = reward * (above**rest - below**rest) / rest - compute * (above - below)
        privacy = min(5.0, max(1.0, (reward / privacy_cost) ** (1.0 / SIGMA)))
        answers.append((above if gain > 0 else below, privacy))
    return answers


def _forward_from_scratch(parameters: HmmParameters, symbols: list[int]) -> np.ndarray:
    filtered = ForwardFilter(parameters)
    for symbol in symbols:
        filtered.observe(symbol)
    return filtered.predict()


def _seconds(work: Callable[[], object], *, repeats: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median time of one call, by the wall or another clock, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        started = clock()
        work()
        times.append(clock() - started)
    return median(times)


if __name__ == "__main__":
    main()
