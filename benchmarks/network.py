"""The radio and the crowd: `python -m benchmarks network`. Peers: a link that looks at every pair, bare processes."""

import gc
import math
import os
import platform
import tracemalloc
from collections.abc import Generator, Iterator
from statistics import median
from time import process_time

import numpy as np
import simpy

from benchmarks._figure import Figure
from benchmarks.crowd_without_events import crowd_round
from flnft_sim.clock.crowd import Crowd, CrowdTask
from flnft_sim.clock.radio_cell import RadioCell
from flnft_sim.network import Links, RadioSettings, SharedUplink, random_positions
from flnft_sim.simulation import FlnftModel

BAND_HZ = 20e6
BITS = 1e6
BATCH_S = 0.25
TURNS = 3


def main() -> None:
    """Print medians and ratios of this machine; all times are CPU seconds of one core."""
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; one core used")
    _uplink()
    _crowd()
    _mega()
    _without_events()


def summary() -> Iterator[Figure]:
    """The shared link beside one that looks at every pair, a crowd beside bare processes."""
    turns = [_pairwise_event_s(1000) / _event_s(1000, 1e-3) for _ in range(TURNS)]
    yield Figure(what="an event among 1,000 uploads", ratio=median(turns), peer="a link that looks at every pair")
    turns = [ours / bare for _, ours, bare in (_crowd_turn(100_000, 2e4) for _ in range(TURNS))]
    yield Figure(what="events of 100,000 users' round", ratio=median(turns), peer="bare SimPy processes")


# ---- the shared uplink ----------------------------------------------------------------------------------------------


def _uplink() -> None:
    print("cost of an event (start or end) with n uploads under way, and beside a link that looks at every pair")
    print("       n     no cross-talk: us    cross-talk: us    pair by pair: us    ratio to cross-talk")
    for n in (10, 100, 1000, 10_000):
        orthogonal, leaky = (1e6 * median(_event_s(n, cross_talk) for _ in range(TURNS)) for cross_talk in (0.0, 1e-3))
        pairs = 1e6 * _pairwise_event_s(n) if n <= 1000 else math.nan
        print(f"{n:8} {orthogonal:21.1f} {leaky:17.1f} {pairs:19.1f} {pairs / leaky:22.1f}")


def _event_s(n: int, cross_talk: float, events: int = 1000) -> float:
    """n uploads under way; whenever one ends, the next starts."""
    link, snrs = _busy_link(n, cross_talk)
    began = process_time()
    for number in range(events // 2):
        upcoming = link.next_completion()
        assert upcoming is not None
        link.advance(upcoming[0])
        link.start(n + number, BITS, snrs[number % n], upcoming[0])
    return (process_time() - began) / events


def _busy_link(n: int, cross_talk: float) -> tuple[SharedUplink[int], list[float]]:
    rng = np.random.default_rng(n)
    link: SharedUplink[int] = SharedUplink(BAND_HZ, cross_talk=cross_talk)
    snrs = rng.uniform(1.0, 1000.0, n).tolist()
    for number, size in enumerate((BITS * rng.random(n)).tolist()):
        link.start(number, size, snrs[number], 0.0)
    return link, snrs


def _pairwise_event_s(n: int, cross_talk: float = 1e-3) -> float:
    """One event of the plain way: every upload's rate from every other's power, and the earliest end."""
    rng = np.random.default_rng(n)
    snrs, left = rng.uniform(1.0, 1000.0, n).tolist(), (BITS * rng.random(n)).tolist()
    began = process_time()
    rates = []
    for i, own in enumerate(snrs):
        interference = sum(cross_talk * other for j, other in enumerate(snrs) if j != i)
        rates.append(BAND_HZ / n * math.log2(1.0 + own / (1.0 + interference)))
    min(bits / rate for bits, rate in zip(left, rates, strict=True))
    return process_time() - began


# ---- a crowd's round ------------------------------------------------------------------------------------------------


def _crowd(n: int = 100_000) -> None:
    print(f"a round of {n} users on the clock, beside bare SimPy processes that make as many events")
    print("  share of the band's time in use    users: us each    events/s    bare events/s    ratio")
    for bits, name in ((2e4, "about a half"), (6e4, "flooded: most upload at once")):
        turns = [_crowd_turn(n, bits) for _ in range(TURNS)]
        ours, bare = (median(turn[place] for turn in turns) for place in (1, 2))
        user_us = 1e6 * median(turn[0] for turn in turns) / n
        print(f"  {name:32} {user_us:16.1f} {ours:11.0f} {bare:16.0f} {ours / bare:8.2f}")
    print(f"  peak memory of the round: {_crowd_bytes(n) / n:.0f} bytes a user")


def _world(n: int, bits: float) -> tuple[simpy.Environment, RadioCell, CrowdTask]:
    rng = np.random.default_rng(0)
    env = simpy.Environment()
    links = Links(RadioSettings(cross_talk=0.0, bandwidth_mhz=BAND_HZ / 1e6), random_positions(n, rng), rng=rng)
    return env, RadioCell(env, links), CrowdTask(train_s=rng.uniform(10.0, 60.0, n), bits=bits)


def _crowd_turn(n: int, bits: float) -> tuple[float, float, float]:
    """Seconds of a round, its events a second, and those of bare processes for as many events, in turn."""
    env, cell, task = _world(n, bits)
    crowd = Crowd(env, cell, np.arange(n), lambda _batch: env.timeout(BATCH_S))
    began = process_time()
    env.run(crowd.work(task))
    seconds = process_time() - began
    events = next(env._eid)  # SimPy numbers its events
    return seconds, events / seconds, _bare_rate(n, events, task.train_s.tolist())


def _bare_rate(n: int, events: int, waits_s: list[float]) -> float:
    """Events a second of n processes that only wait; start and end of each are events as well."""
    env = simpy.Environment()

    def user(wait_s: float, times: int) -> Generator[simpy.Event, None, None]:
        for _ in range(times):
            yield env.timeout(wait_s)

    began = process_time()
    for number, wait_s in enumerate(waits_s):
        env.process(user(wait_s, events // n - 2 + (number < events % n)))
    env.run()
    return next(env._eid) / (process_time() - began)


def _crowd_bytes(n: int) -> int:
    gc.collect()
    tracemalloc.start()
    env, cell, task = _world(n, 2e4)
    crowd = Crowd(env, cell, np.arange(n), lambda _batch: env.timeout(BATCH_S))
    env.run(crowd.work(task))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def _mega(scenario: str = "mega") -> None:
    """The whole first round of the scenario: decision, training, uploads, consensus, aggregation, records."""
    turns = []
    for _ in range(TURNS):
        ended: list[float] = []
        model = FlnftModel(scenario, on_round=lambda _row, ended=ended: ended.append(process_time()))
        users, before = model.settings.population.users, next(model.env._eid)
        began = process_time()
        while not ended:
            model.env.step()
        seconds, events = ended[0] - began, next(model.env._eid) - before
        waits_s = np.random.default_rng(0).uniform(10.0, 60.0, users).tolist()
        turns.append((seconds, events / seconds, _bare_rate(users, events, waits_s)))
    seconds, ours, bare = (median(column) for column in zip(*turns, strict=True))
    print(f"one round of scenario {scenario}, {users} users, all of it: {seconds:.1f} s, {ours:.0f} events/s,")
    print(f"  bare SimPy processes {bare:.0f} events/s, ratio {ours / bare:.2f}")


def _without_events() -> None:
    print("the same round without events")
    for n in (100_000, 1_000_000):
        _, cell, task = _world(n, 2e9 / n)
        snrs = cell.links.mean_snrs()
        began = process_time()
        crowd_round(task, snrs, bandwidth_hz=BAND_HZ, batch_latency_s=lambda: BATCH_S)
        print(f"  {n:8} users: {process_time() - began:.2f} s")
