"""One round of a crowd, all its users at once: training, the shared uplink, finality by batches; no event per user.

It gives the instants that the event timeline gives (`flnft_sim.clock.crowd`), for crowds whose cell nobody else uses
and whose uploads do not disturb one another: the floor in the benchmarks, and what tests hold the timeline to.
"""

from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.checks import not_negative, positive
from flnft_sim.clock.crowd import CrowdTask, close_round
from flnft_sim.clock.work import Work
from flnft_sim.network.shares import rate_alone


def crowd_round(
    task: CrowdTask,
    snrs: Floats,
    *,
    bandwidth_hz: float,
    batch_latency_s: Callable[[], float],
    batch_every_s: float = 0.0,
    started_s: float = 0.0,
) -> Work:
    """One round without events. `snrs` (n,) are the users' full-band SNRs (see `Links`).

    `batch_latency_s()` gives the consensus latency of one batch of updates, asked once a batch in their order; batches
    begin at least `batch_every_s` apart.
    """
    trained_s = started_s + task.train_s
    sends = ~task.dropping()
    uploaded_s, final_s = np.full(len(task), np.nan), np.full(len(task), np.nan)
    uploaded_s[sends] = upload_ends(trained_s[sends], task.bits, snrs[sends], bandwidth_hz=bandwidth_hz)
    final_s[sends] = batch_finality(
        uploaded_s[sends], batch_latency_s, every_s=batch_every_s, until_s=started_s + task.deadline_s
    )
    return close_round(task, started_s, trained_s, uploaded_s, final_s)


def upload_ends(start_s: Floats, bits: float, snrs: Floats, *, bandwidth_hz: float) -> Floats:
    """When uploads through a shared band without cross-talk end: (n,) instants for (n,) starts and SNRs.

    `SharedUplink`'s virtual clock in one sweep over the starts, O(n log n): an upload ends when the clock, which runs
    at 1/(uploads under way), has grown by the time it needs alone.
    """
    not_negative("start_s", start_s, "s")
    positive("snrs", snrs, "(ratio)")
    not_negative("bits", bits, "bit")
    positive("bandwidth_hz", bandwidth_hz, "Hz")
    order = np.argsort(start_s, kind="stable")
    ends_s = np.empty(len(start_s))
    under_way: list[tuple[float, int]] = []  # (end on the virtual clock, user)
    clock, now_s = 0.0, 0.0
    for user, begins_s, snr in zip(order.tolist(), start_s[order].tolist(), snrs[order].tolist(), strict=True):
        while under_way:
            finish, first = under_way[0]
            end_s = now_s + (finish - clock) * len(under_way)
            if end_s > begins_s:
                clock += (begins_s - now_s) / len(under_way)
                break
            heappop(under_way)
            ends_s[first] = now_s = end_s
            clock = finish
        else:
            clock = 0.0  # the band was idle: an upload alone is free of the past's rounding
        now_s = begins_s
        heappush(under_way, (clock + bits / rate_alone(bandwidth_hz, snr), user))
    while under_way:
        finish, first = under_way[0]
        ends_s[first] = now_s = now_s + (finish - clock) * len(under_way)
        clock = finish
        heappop(under_way)
    return ends_s


def batch_finality(
    ready_s: Floats, latency_s: Callable[[], float], *, every_s: float = 0.0, until_s: float = np.inf
) -> Floats:
    """When updates that are ready at (n,) instants become final, where one batch is agreed on at a time.

    A batch takes in all that is ready when it begins. The next begins when that one is final and something is ready,
    but not before `every_s` have passed since it began. Batches that would begin after `until_s` are left out (NaN).
    """
    not_negative("every_s", every_s, "s")
    order = np.argsort(ready_s, kind="stable")
    queue_s = ready_s[order]
    final_s = np.full(len(ready_s), np.nan)
    first, free_s = 0, -np.inf
    while first < len(queue_s) and (begins_s := max(free_s, queue_s[first])) <= until_s:
        after = int(np.searchsorted(queue_s, begins_s, side="right"))
        agreed_s = begins_s + latency_s()
        final_s[order[first:after]] = agreed_s
        first, free_s = after, max(agreed_s, begins_s + every_s)
    return final_s
