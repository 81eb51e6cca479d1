"""The round without events against the fluid link and against batches worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.crowd_without_events import batch_finality, upload_ends
from flnft_sim.clock.crowd import CrowdTask
from flnft_sim.errors import InputError
from flnft_sim.network import SharedUplink, uplink_rate

BAND_HZ = 1e6


@given(st.lists(st.tuples(st.floats(0.0, 50.0), st.floats(0.1, 1e4)), min_size=1, max_size=40), st.floats(1e3, 1e7))
def test_upload_ends_are_the_links(uploads: list[tuple[float, float]], bits: float) -> None:
    starts, snrs = np.array(uploads).T
    link: SharedUplink[int] = SharedUplink(BAND_HZ)
    for user in np.argsort(starts, kind="stable").tolist():
        link.start(user, bits, snrs[user], starts[user])
    ends = np.empty(len(starts))
    for done in link.advance(1e9):
        ends[done.key] = done.end_s
    np.testing.assert_allclose(upload_ends(starts, bits, snrs, bandwidth_hz=BAND_HZ), ends, rtol=1e-9)


def test_uploads_apart_take_the_closed_form() -> None:
    starts = np.array([30.0, 10.0, 20.0])
    snrs = np.array([1.0, 3.0, 7.0])
    ends = upload_ends(starts, 5e6, snrs, bandwidth_hz=BAND_HZ)
    np.testing.assert_allclose(ends, starts + 5e6 / uplink_rate(BAND_HZ, snrs), rtol=1e-15)


def test_one_batch_at_a_time() -> None:
    latencies = iter([1.0, 2.0, 0.5, 4.0])
    final = batch_finality(np.array([0.0, 0.5, 0.9, 1.0, 2.5, 10.0]), lambda: next(latencies))
    # [0.0] is agreed on in [0, 1]; [0.5, 0.9, 1.0] in [1, 3]; [2.5] in [3, 3.5]; then the ledger rests until 10.
    np.testing.assert_array_equal(final, [1.0, 3.0, 3.0, 3.0, 3.5, 14.0])


def test_batches_keep_their_distance() -> None:
    final = batch_finality(np.array([0.0, 0.5, 6.0, 7.0, 30.0]), lambda: 1.0, every_s=5.0)
    # [0.0] begins at 0; [0.5] at 5; [6.0, 7.0] at 10; [30.0] at 30.
    np.testing.assert_array_equal(final, [1.0, 6.0, 11.0, 11.0, 31.0])


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=50), st.floats(0.01, 5.0))
def test_finality_waits_for_at_most_two_batches(ready: list[float], latency_s: float) -> None:
    ready_s = np.array(ready)
    final = batch_finality(ready_s, lambda: latency_s)
    assert np.all(final >= ready_s + latency_s - 1e-9)
    assert np.all(final <= ready_s + 2 * latency_s + 1e-9)


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match=r"train_s\[1\] is nan"):
        CrowdTask(train_s=np.array([1.0, np.nan]), bits=1.0)
    with pytest.raises(InputError, match="bits"):
        CrowdTask(train_s=np.ones(2), bits=-1.0)
    for deadline_s in (0.0, np.nan):
        with pytest.raises(InputError, match="deadline_s"):
            CrowdTask(train_s=np.ones(2), bits=1.0, deadline_s=deadline_s)
    with pytest.raises(InputError, match="drops"):
        CrowdTask(train_s=np.ones(2), bits=1.0, drops=np.ones(3, dtype=bool))
    with pytest.raises(InputError, match="snrs"):
        upload_ends(np.zeros(1), 1.0, np.zeros(1), bandwidth_hz=BAND_HZ)
    with pytest.raises(InputError, match="bandwidth_hz"):
        upload_ends(np.zeros(1), 1.0, np.ones(1), bandwidth_hz=0.0)
