"""Ledgers and consensus: `python -m benchmarks ledger`. Peers: message-by-message events, and bare Ed25519."""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import simpy

from benchmarks._figure import Figure
from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.ledger import Chain, KeyPair, make_consensus, pbft_latency, read_ledger, signature_holds
from flnft_sim.ledger.consensus import MiningRace, PowSettings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "ledger"))
from pbft_oracle import Instance  # the tests' message-level simulation is the peer

KEYS = [KeyPair.from_seed(bytes([number]) * 32) for number in range(10)]


def main() -> None:
    """Print medians and ratios of this machine."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"machine: {machine}; processor time of one core, medians")
    _pbft()
    _chain()
    _race()
    _dao()


def summary() -> Iterator[Figure]:
    """Consensus beside its messages, blocks beside their signatures."""
    arrays_s, events_s = _instance_s(_delays(31, np.random.default_rng(0)))
    yield Figure(what="a PBFT instance of 31 replicas", ratio=events_s / arrays_s, peer="an event a message")
    took = _blocks()
    signing, checking = "bare Ed25519 signatures", "bare Ed25519 checks"
    yield Figure(what="writing a block of one transaction", share=took.sign_s / took.write_s, limit=signing)
    yield Figure(what="reading it back, verified", share=took.check_s / took.read_s, limit=checking)


def _instance_s(delays: np.ndarray) -> tuple[float, float]:
    """Seconds of one instance by arrays, and message by message."""
    listed = delays.tolist()
    return (
        _seconds(lambda: pbft_latency(delays), repeats=21),
        _seconds(lambda: Instance(listed, (), None).run(), repeats=5),
    )


def _pbft() -> None:
    rng = np.random.default_rng(0)
    print("one PBFT instance                    arrays     events, message by message     ratio")
    for n in (10, 31, 100):
        arrays_s, events_s = _instance_s(_delays(n, rng))
        print(f"  n = {n:<5} {1e3 * arrays_s:27.3f} ms {1e3 * events_s:22.1f} ms {events_s / arrays_s:16.0f}")
    delays = _delays(1000, rng)
    print(f"  n = 1000  {1e3 * _seconds(lambda: pbft_latency(delays), repeats=21):27.3f} ms")


@dataclass(frozen=True)
class Blocks:
    """Seconds a block, and a bare signature and check."""

    write_s: float
    read_s: float
    sign_s: float
    check_s: float


def _blocks(count: int = 1000) -> Blocks:
    chain = Chain("public")

    def write() -> None:
        for number in range(count):
            key = KEYS[number % len(KEYS)]
            transaction = chain.sign(key, "update", {"round": number, "update": "ab" * 32})
            chain.append([transaction], time_s=chain.tip.time_s + 1.0, producer="replica-0")

    write_s = _seconds(write, repeats=3) / count
    text, message = chain.to_jsonl(), bytes(32)
    signature = KEYS[0].sign(message)

    def check() -> None:
        for _ in range(count):
            signature_holds(KEYS[0].public_key, message, signature)

    return Blocks(
        write_s,
        _seconds(lambda: read_ledger(text), repeats=3) / (len(chain) - 1),
        _seconds(lambda: [KEYS[0].sign(message) for _ in range(count)], repeats=5) / count,
        _seconds(check, repeats=5) / count,
    )


def _chain() -> None:
    took = _blocks()
    print(f"one block of one transaction, signed, hashed, linked {1e6 * took.write_s:8.0f} µs", end="")
    print(f" = {took.write_s / took.sign_s:.1f} bare Ed25519 signatures")
    print(f"read back and verified                               {1e6 * took.read_s:8.0f} µs", end="")
    print(f" = {took.read_s / took.check_s:.1f} bare Ed25519 checks")


def _race(blocks: int = 20_000) -> None:
    for delay_s in (0.42, 6.0):
        settings = PowSettings(propagation_s=delay_s)

        def race(settings: PowSettings = settings) -> None:
            miners = MiningRace(settings, np.random.default_rng(0))
            while len(miners.settled_s) < blocks:
                miners.run()

        each_s = _seconds(race, repeats=3) / blocks
        print(f"one proof-of-work block among 10 miners, delay {delay_s:4.2f} s {1e6 * each_s:8.1f} µs")


def _dao(users: int = 10, rounds: int = 100) -> None:
    def live() -> None:
        env = simpy.Environment()
        consensus = make_consensus("pbft", np.random.default_rng(0), replicas=users)
        ledger = PrivateLedger(env, consensus=consensus, chain=Chain("dao-0"))

        def user(key: KeyPair) -> object:
            for number in range(rounds):
                yield ledger.submit("update", key, {"round": number, "update": "ab" * 32})

        for key in KEYS[:users]:
            env.process(user(key))
        env.run()

    print(
        f"a DAO's ledger on the clock, {users} users × {rounds} rounds, n = {users}: {_seconds(live, repeats=3):.2f} s"
    )


def _delays(n: int, rng: np.random.Generator) -> np.ndarray:
    delays = np.maximum(rng.normal(0.25, 0.05, (3, n, n)), 0.0)
    delays[:, range(n), range(n)] = 0.0
    return delays


def _seconds(work: Callable[[], object], *, repeats: int) -> float:
    """The median of `repeats` timings, in seconds of processor time (all of it is single-threaded)."""
    timings = []
    for _ in range(repeats):
        start_s = process_time()
        work()
        timings.append(process_time() - start_s)
    return median(timings)


if __name__ == "__main__":
    main()
