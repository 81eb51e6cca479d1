"""Ledgers and consensus: `python -m benchmarks ledger`. Peers: message-by-message events, and bare Ed25519."""

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import simpy

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


def _pbft() -> None:
    rng = np.random.default_rng(0)
    print("one PBFT instance                    arrays     events, message by message     ratio")
    for n in (10, 31, 100):
        delays = _delays(n, rng)
        listed = delays.tolist()
        arrays_s = _seconds(lambda d=delays: pbft_latency(d), repeats=21)
        events_s = _seconds(lambda d=listed: Instance(d, (), None).run(), repeats=5)
        print(f"  n = {n:<5} {1e3 * arrays_s:27.3f} ms {1e3 * events_s:22.1f} ms {events_s / arrays_s:16.0f}")
    delays = _delays(1000, rng)
    print(f"  n = 1000  {1e3 * _seconds(lambda: pbft_latency(delays), repeats=21):27.3f} ms")


def _chain(count: int = 1000) -> None:
    chain = Chain("public")

    def write() -> None:
        for number in range(count):
            key = KEYS[number % len(KEYS)]
            transaction = chain.sign(key, "update", {"round": number, "update": "ab" * 32})
            chain.append([transaction], time_s=chain.tip.time_s + 1.0, producer="replica-0")

    write_s = _seconds(write, repeats=3) / count
    text = chain.to_jsonl()
    read_s = _seconds(lambda: read_ledger(text), repeats=3) / (len(chain) - 1)
    message = bytes(32)
    signature = KEYS[0].sign(message)
    sign_s = _seconds(lambda: [KEYS[0].sign(message) for _ in range(count)], repeats=5) / count
    check_s = _seconds(
        lambda: [signature_holds(KEYS[0].public_key, message, signature) for _ in range(count)], repeats=5
    )
    print(f"one block of one transaction, signed, hashed, linked {1e6 * write_s:8.0f} µs", end="")
    print(f" = {write_s / sign_s:.1f} bare Ed25519 signatures")
    print(f"read back and verified                               {1e6 * read_s:8.0f} µs", end="")
    print(f" = {read_s / (check_s / count):.1f} bare Ed25519 checks")


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
