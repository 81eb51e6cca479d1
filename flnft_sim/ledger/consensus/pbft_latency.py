"""How long one PBFT instance takes, given the delay of every message (Castro and Liskov, OSDI 1999)."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Bools, Floats
from flnft_sim.checks import whole
from flnft_sim.errors import InputError

PRE_PREPARE, PREPARE, COMMIT = 0, 1, 2


@dataclass(frozen=True)
class PbftOutcome:
    """One instance: seconds until n − f replicas have committed (inf: never), views it took (1: no change), messages.

    Messages count every send to another replica in the views that were run, 2·n·(n−1) without faults.
    """

    seconds: float
    committed: bool
    views: int
    messages: int


def faults_tolerated(replicas: int) -> int:
    """f = ⌊(n − 1)/3⌋."""
    return (replicas - 1) // 3


def quorum(replicas: int) -> int:
    """n − f, which is 2f + 1 at n = 3f + 1.

    Any two quorums share n − 2f ≥ f + 1 replicas. With 2f + 1 out of n = 5, 6, 8, 9 … they would not, and f + 1
    crashes would still commit.
    """
    return replicas - faults_tolerated(replicas)


def pbft_latency(delays: ArrayLike, *, crashed: Collection[int] = (), timeout: float | None = None) -> PbftOutcome:
    """Run one instance, message by message but in arrays: O(n²) time and memory per view.

    delays: (3, n, n) seconds, a matrix each for pre-prepare, prepare and commit, [sender, receiver], diagonal 0.
    crashed: replicas that send nothing; replica 0 is the first view's primary. timeout: seconds from the request to a
    replica's demand for a new view, doubling with every view; None: there is no view change.

    A replica prepares on the pre-prepare and n − f − 1 prepares of backups, its own included, and commits on n − f
    commits, its own included. It sends nothing more in a view once its timer has run out there, but goes on
    collecting. View v + 1's primary sends its new-view, which stands for the pre-prepare, on n − f view-changes; the
    timers of that view start where a replica holds as many. View-changes travel as the commits do, new-views as the
    pre-prepares.

    Raises `InputError` for another shape, delays that are negative or not finite, crashed replicas that do not exist,
    any crash at n < 4 (f would be 0), a timeout that is not positive.
    """
    links = _checked_delays(delays)
    n = links.shape[1]
    alive = _alive(n, crashed)
    _check_timeout(timeout)
    committed_s = np.full(n, math.inf)
    timer_start_s = np.zeros(n)
    proposed_s = 0.0
    views = messages = 0
    while True:
        expiry_s = timer_start_s + (math.inf if timeout is None else timeout * 2.0**views)
        in_view_s, senders = _run_view(links, alive, views % n, proposed_s, expiry_s)
        committed_s = np.minimum(committed_s, in_view_s)
        views += 1
        gave_up_s = np.where(alive & (committed_s > expiry_s), expiry_s, math.inf)
        messages += (senders + _count(gave_up_s)) * (n - 1)
        timer_start_s = _kth_message(gave_up_s, links[COMMIT], quorum(n))
        proposed_s = timer_start_s[views % n]
        seconds = float(np.partition(committed_s, quorum(n) - 1)[quorum(n) - 1])
        if seconds <= timer_start_s[alive].min(initial=math.inf):  # also where neither ever comes
            return PbftOutcome(seconds, seconds < math.inf, views, messages)


def pbft_latencies(
    delays: ArrayLike, *, crashed: Collection[int] = (), timeout: float | None = None
) -> list[PbftOutcome]:
    """Run K instances side by side: `pbft_latency` of each of the (K, 3, n, n) delays, in the same words."""
    links = _checked_delays(delays, stacked=True)
    n = links.shape[-1]
    alive, quorum_size = _alive(n, crashed), quorum(n)
    _check_timeout(timeout)
    again = partial(pbft_latency, crashed=crashed, timeout=timeout)
    if not alive[0]:  # the first view comes to nothing
        return [again(each) for each in links]
    expiry_s = math.inf if timeout is None else timeout
    received_s = np.where(alive, links[:, PRE_PREPARE, 0], math.inf)
    prepare_s = np.where(received_s <= expiry_s, received_s, math.inf)
    prepare_s[:, 0] = math.inf
    prepared_s = np.maximum(received_s, _kth_of_each(prepare_s, links[:, PREPARE], quorum_size - 1))
    commit_s = np.where(prepared_s <= expiry_s, prepared_s, math.inf)
    committed_s = np.maximum(prepared_s, _kth_of_each(commit_s, links[:, COMMIT], quorum_size))
    gave_up = (alive & (committed_s > expiry_s)).any(axis=1).tolist()
    seconds = np.partition(committed_s, quorum_size - 1, axis=1)[:, quorum_size - 1].tolist()
    sent = 1 + np.isfinite(prepare_s).sum(axis=1) + np.isfinite(commit_s).sum(axis=1)
    return [
        again(links[at]) if gave_up[at] else PbftOutcome(seconds[at], seconds[at] < math.inf, 1, each * (n - 1))
        for at, each in enumerate(sent.tolist())
    ]


def _kth_of_each(sent_s: Floats, delay_s: Floats, k: int) -> Floats:
    """`_kth_message` of each instance: sent (K, n), delays (K, n, n)."""
    if k == 0:
        return np.zeros(sent_s.shape)
    arrived_s = np.add(sent_s[:, None, :], delay_s.swapaxes(1, 2), order="C")
    arrived_s.partition(k - 1, axis=2)
    return arrived_s[:, :, k - 1]


def _run_view(links: Floats, alive: Bools, primary: int, proposed_s: float, expiry_s: Floats) -> tuple[Floats, int]:
    """When each replica commits in a view whose primary proposes at `proposed_s`, and how many broadcasts it takes."""
    quorum_size = quorum(len(alive))
    start_s = proposed_s if alive[primary] else math.inf
    received_s = np.where(alive, start_s + links[PRE_PREPARE, primary], math.inf)
    prepare_s = np.where(received_s <= expiry_s, received_s, math.inf)
    prepare_s[primary] = math.inf  # its pre-prepare stands for it
    prepared_s = np.maximum(received_s, _kth_message(prepare_s, links[PREPARE], quorum_size - 1))
    commit_s = np.where(prepared_s <= expiry_s, prepared_s, math.inf)
    committed_s = np.maximum(prepared_s, _kth_message(commit_s, links[COMMIT], quorum_size))
    return committed_s, int(start_s < math.inf) + _count(prepare_s) + _count(commit_s)


def _kth_message(sent_s: Floats, delay_s: Floats, k: int) -> Floats:
    """When each replica holds k of the messages broadcast at `sent_s`; at once for k = 0."""
    if _count(sent_s) < k:
        return np.full(len(sent_s), math.inf)
    if k == 0:
        return np.zeros(len(sent_s))
    arrived_s = np.add(sent_s, delay_s.T, order="C")  # a row a receiver, side by side in memory
    arrived_s.partition(k - 1, axis=1)
    return arrived_s[:, k - 1]


def _count(times_s: Floats) -> int:
    return int(np.isfinite(times_s).sum())


def _checked_delays(delays: ArrayLike, *, stacked: bool = False) -> Floats:
    links = np.asarray(delays, dtype=np.float64)
    phases, n = links.shape[-3:-2], links.shape[-1:]
    if links.ndim != 3 + stacked or phases != (3,) or links.shape[-2:-1] != n or 0 in links.shape:
        shape = "(K, 3, n, n)" if stacked else "(3, n, n)"
        raise InputError(f"PBFT delays have shape {links.shape}; give {shape}: one matrix a phase")
    if not (links.min() >= 0 and links.max() < math.inf):  # NaN is neither
        raise InputError("PBFT delays hold negative or infinite values; give seconds, and cut-off replicas as crashed")
    if np.diagonal(links, axis1=-2, axis2=-1).any():
        raise InputError("PBFT delays of a replica to itself must be 0 (the diagonals)")
    return links


def _check_timeout(timeout: float | None) -> None:
    if timeout is not None and not 0 < timeout < math.inf:
        raise InputError(f"PBFT timeout {timeout!r} s: give a positive number, or None for no view change")


def _alive(n: int, crashed: Collection[int]) -> Bools:
    alive = np.ones(n, dtype=bool)
    for replica in crashed:
        whole("PBFT crashed replica", replica, most=n - 1)
        alive[replica] = False
    if n < 4 and not alive.all():
        raise InputError(f"PBFT with {n} replicas tolerates no fault; use n ≥ 4 replicas, or crash none")
    return alive
