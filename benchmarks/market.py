"""The market's speed: clearing a million bids, sealing and opening bids, auditing rules, sharing out receipts."""

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np
from nacl.public import PrivateKey, SealedBox
from nacl.signing import SigningKey

from benchmarks._figure import Figure
from flnft_sim.market import RULES, Bid, SealedBids, clear, seal, share_out
from flnft_sim.market.clearing import clear_stack

REPEATS = 5


def median_s(work: Callable[[], object]) -> float:
    """Median seconds of one call, after one that does not count."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def summary() -> Iterator[Figure]:
    """Clearing beside a plain loop and sorting, sealed bids beside the bare library, stacks beside one by one."""
    bids, asks = _bids_and_asks()
    ours_s = median_s(lambda: clear("pms-am", bids, asks, reserve=0.5))
    sort_s, plain_s = median_s(lambda: np.sort(bids)), median_s(_plain_loop(bids, asks))
    yield Figure(
        what="clearing 1,000,000 bids by pms-am",
        ratio=plain_s / ours_s,
        peer="a loop in plain Python",
        share=sort_s / ours_s,
        limit="sorting them by NumPy",
    )
    sealing = _sealing(500)
    bare_s = sealing.bare_seal_s + sealing.bare_open_s
    yield Figure(
        what="sealing and opening a bid", share=bare_s / (sealing.seal_s + sealing.open_s), limit="PyNaCl alone"
    )
    stacked_s, single_s = _stacked("pms-am")
    yield Figure(what="clearing in a stack, for audits", ratio=single_s / stacked_s, peer="one market after another")


def _bids_and_asks() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random(1_000_000), rng.random(1_000)


def _plain_loop(bids: np.ndarray, asks: np.ndarray) -> Callable[[], float]:
    listed, prices = bids.tolist(), asks.tolist()

    def plain() -> float:
        price = min(sorted(prices)[1], 0.5)
        return sum(price for bid in sorted(listed, reverse=True) if bid >= price)

    return plain


def clearing() -> None:
    """A million bids against 1,000 asks by every rule, beside sorting them and beside a loop in plain Python."""
    bids, asks = _bids_and_asks()
    sort_s, plain_s = median_s(lambda: np.sort(bids)), median_s(_plain_loop(bids, asks))
    print(f"clearing 1,000,000 bids, 1,000 asks (np.sort alone {sort_s:.3f} s, plain Python loop {plain_s:.3f} s)")
    for rule in RULES:
        seconds = median_s(lambda rule=rule: clear(rule, bids, asks, reserve=0.5))
        print(f"  {rule:15} {seconds:.3f} s   {plain_s / seconds:4.1f} × plain loop   {seconds / sort_s:4.1f} sorts")


@dataclass(frozen=True)
class Sealing:
    """Seconds a bid, and its size."""

    seal_s: float
    repeat_s: float
    open_s: float
    bare_seal_s: float
    bare_open_s: float
    size: int


def sealing(count: int = 2000) -> None:
    """Seal, then open and verify; beside the bare library calls, which check nothing about the bid."""
    took = _sealing(count)
    print(f"sealed bids, {count} of one auction, {took.size} bytes each")
    print(
        f"  sign and seal             {1 / took.seal_s:8,.0f}/s   {took.bare_seal_s / took.seal_s:4.0%} of bare PyNaCl"
    )
    print(f"  … repeatably (entropy)    {1 / took.repeat_s:8,.0f}/s   {took.bare_seal_s / took.repeat_s:4.0%}")
    print(f"  open, verify and check    {1 / took.open_s:8,.0f}/s   {took.bare_open_s / took.open_s:4.0%}")
    print(f"  seal + open               {1 / (took.seal_s + took.open_s):8,.0f}/s")


def _sealing(count: int) -> Sealing:
    signer = SigningKey(bytes(32))
    recipient = PrivateKey(bytes(range(32)))
    message = bytes(180)
    signed = signer.sign(message).signature

    def auctioneer() -> SealedBids:
        return SealedBids(
            "auction",
            private_key=bytes(range(32)),
            verify_keys={"ann": bytes(signer.verify_key)},
            budgets={"ann": 10**9},
        )

    key = auctioneer().public_key
    bids = [Bid("auction", "ann", 1.0, 1.0, 5, nonce) for nonce in range(count)]
    sealed = [seal(bid, signer, key) for bid in bids]

    def open_all() -> None:
        box = auctioneer()
        for ciphertext in sealed:
            box.open(ciphertext)

    def bare_seal() -> None:
        box = SealedBox(recipient.public_key)
        for _ in bids:
            box.encrypt(message + signer.sign(message).signature)

    boxes = [SealedBox(recipient.public_key).encrypt(message) for _ in bids]

    def bare_open() -> None:
        box = SealedBox(recipient)
        for ciphertext in boxes:
            signer.verify_key.verify(box.decrypt(ciphertext), signed)

    def each_s(work: Callable[[], object]) -> float:
        return median_s(work) / count

    return Sealing(
        each_s(lambda: [seal(bid, signer, key) for bid in bids]),
        each_s(lambda: [seal(bid, signer, key, entropy=bytes(32)) for bid in bids]),
        each_s(open_all),
        each_s(bare_seal),
        each_s(bare_open),
        len(sealed[0]),
    )


def auditing() -> None:
    """Clearings a second in a stack, as the audit does them, beside one call of `clear` each."""
    print("stacked clearings of 5 bids and 3 asks (20,000 markets a stack)")
    for rule in ("pms-am", "mcafee"):
        stacked_s, single_s = _stacked(rule)
        print(f"  {rule:15} {1 / stacked_s:10,.0f}/s   {single_s / stacked_s:4.0f} × one by one")


def _stacked(rule: str) -> tuple[float, float]:
    """Seconds a market, in a stack and one by one."""
    rng = np.random.default_rng(0)
    bids, asks, reserve = rng.random((20_000, 5)), rng.random((20_000, 3)), np.full(20_000, 0.6)
    stacked_s = median_s(lambda: clear_stack(rule, bids, asks, reserve, seed=0)) / 20_000
    return stacked_s, median_s(lambda: [clear(rule, bids[i], asks[i], reserve=0.6) for i in range(500)]) / 500


def sharing() -> None:
    """Exact largest-remainder shares of 10⁵ members."""
    weights = np.random.default_rng(0).random(100_000).tolist()
    print(f"sharing out among 100,000 members exactly: {median_s(lambda: share_out(10**12, weights)):.3f} s")


def main() -> None:
    """Print all of it, medians of five."""
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, one used; Python", end=" ")
    print(f"{platform.python_version()}, NumPy {np.__version__}; medians of {REPEATS}")
    clearing()
    sealing()
    auditing()
    sharing()


if __name__ == "__main__":
    main()
