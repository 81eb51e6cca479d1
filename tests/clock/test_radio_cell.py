"""The radio cell on SimPy's clock, against the closed form and the pure link."""

import math
from collections.abc import Generator

import numpy as np
import pytest
import simpy

from flnft_sim.clock.radio_cell import RadioCell, UploadReceipt
from flnft_sim.errors import InputError
from flnft_sim.network import (
    TRACE_POINTS,
    Links,
    RadioSettings,
    RandomWaypoint,
    SharedUplink,
    WalkSettings,
    random_positions,
    uplink_rate,
)

BITS = 159_010 * 32.0


def cell_of(env: simpy.Environment, settings: RadioSettings | None = None) -> RadioCell:
    return RadioCell(env, Links(settings or RadioSettings(), TRACE_POINTS, rng=np.random.default_rng(1)))


def test_alone_takes_exactly_the_closed_form() -> None:
    env = simpy.Environment()
    cell = cell_of(env)
    receipts = []

    def one_after_the_other() -> Generator[simpy.Event, UploadReceipt, None]:
        for user in range(10):
            yield env.timeout(1.7)
            receipts.append((yield cell.upload(user, BITS)))

    env.process(one_after_the_other())
    env.run()
    for receipt, snr in zip(receipts, cell.links.mean_snrs(), strict=True):
        assert receipt.seconds == pytest.approx(BITS / uplink_rate(20e6, snr), rel=1e-12)
        assert receipt.sinr_db == pytest.approx(10 * math.log10(snr))
        assert receipt.bits / receipt.seconds == pytest.approx(uplink_rate(20e6, snr))


@pytest.mark.parametrize("cross_talk", [0.0, 1e-3])
def test_overlapping_uploads_end_as_on_the_pure_link(cross_talk: float) -> None:
    rng = np.random.default_rng(3)
    starts, sizes = rng.uniform(0.0, 1.0, 10), rng.uniform(0.1, 2.0, 10) * BITS
    env = simpy.Environment()
    cell = cell_of(env, RadioSettings(cross_talk=cross_talk))
    ends: dict[int, float] = {}

    def user(i: int) -> Generator[simpy.Event, UploadReceipt, None]:
        yield env.timeout(starts[i])
        receipt = yield cell.upload(i, sizes[i])
        ends[i] = receipt.start_s + receipt.seconds
        assert env.now == pytest.approx(ends[i], rel=1e-12)

    for i in range(10):
        env.process(user(i))
    env.run()
    link: SharedUplink[int] = SharedUplink(20e6, cross_talk=cross_talk)
    for i in np.argsort(starts).tolist():
        link.start(i, sizes[i], cell.links.mean_snrs()[i], starts[i])
    assert ends == pytest.approx({done.key: done.end_s for done in link.advance(1e9)}, rel=1e-9)


def test_a_failed_link_pauses_the_upload() -> None:
    env = simpy.Environment()
    cell = cell_of(env)
    alone_s = cell.links.upload_alone_s(BITS)[0]
    event = cell.upload(0, BITS)
    env.run(until=alone_s / 2)
    cell.fail(0)
    assert cell.is_uploading(0) and cell.active == 0
    env.run(until=100.0)
    assert not event.triggered
    cell.repair(0)
    assert env.run(event).seconds == pytest.approx(100.0 + alone_s / 2, rel=1e-9)
    assert not cell.is_uploading(0)


def test_an_upload_begun_on_a_failed_link_waits() -> None:
    env = simpy.Environment()
    cell = cell_of(env)
    cell.fail(3)
    event = cell.upload(3, BITS)
    assert cell.active == 0
    env.run(until=5.0)
    cell.repair(3)
    assert env.run(event).seconds == pytest.approx(5.0 + cell.links.upload_alone_s(BITS)[3])


def test_abort_gives_back_what_is_left_and_frees_the_band() -> None:
    env = simpy.Environment()
    cell = cell_of(env, RadioSettings(cross_talk=0.0))
    alone_s = cell.links.upload_alone_s(BITS)
    given_up, kept = cell.upload(0, 100 * BITS), cell.upload(1, BITS)
    env.run(until=alone_s[1])
    left = cell.abort(0)
    assert left == pytest.approx(100 * BITS - alone_s[1] / 2 * uplink_rate(20e6, cell.links.mean_snrs()[0]))
    assert env.run(kept).seconds == pytest.approx(1.5 * alone_s[1])
    env.run()
    assert not given_up.triggered
    cell.upload(0, BITS)  # free to begin anew


def test_abort_at_the_very_end_finds_the_upload_done() -> None:
    rehearsal = simpy.Environment()
    end_s = rehearsal.run(cell_of(rehearsal).upload(0, BITS)).seconds
    env = simpy.Environment()
    cell = cell_of(env)
    deadline = env.timeout(end_s)  # rings at the instant of the cell's own call, and before it
    event = cell.upload(0, BITS)
    env.run(deadline)
    assert not event.triggered
    assert cell.abort(0) == 0.0
    assert event.triggered


@pytest.mark.parametrize("cross_talk", [0.0, 1e-3])
def test_superseded_wake_ups_do_not_pile_up(cross_talk: float) -> None:
    env = simpy.Environment()
    count = 2000
    rng = np.random.default_rng(5)
    links = Links(RadioSettings(cross_talk=cross_talk), random_positions(count, rng), rng=rng)
    cell = RadioCell(env, links)
    events = [cell.upload(user, size) for user, size in enumerate(rng.uniform(0.1, 1.0, count) * 1e6)]
    # Only a new earliest end asks for a call, and the k-th arrival is the earliest with chance 1/k: about ln 2000 = 8.
    assert len(env._queue) < 40
    env.run(simpy.AllOf(env, events))
    assert len(env._queue) < 40


def test_fading_is_the_same_whatever_the_order_of_uploads() -> None:
    def sinrs(order: list[int]) -> dict[int, float]:
        env = simpy.Environment()
        cell = cell_of(env, RadioSettings(rayleigh=True))
        found = {}
        for user in order:
            found[user] = env.run(cell.upload(user, BITS)).sinr_db
        return found

    assert sinrs([0, 1, 2, 3]) == sinrs([3, 1, 0, 2])


def test_movement_renews_the_rates() -> None:
    """A user that walks while it uploads: the bits are the integral of the rate at each tick's position."""
    env = simpy.Environment()
    walk = WalkSettings(speed_m_s=(20.0, 20.0))
    mobility = RandomWaypoint(TRACE_POINTS[:1], np.random.default_rng(2), settings=walk)
    links = Links(RadioSettings(), mobility, rng=np.random.default_rng(1))
    cell = RadioCell(env, links, movement_tick_s=0.5)
    size = 20.0 * 20e6
    receipt = env.run(cell.upload(0, size))
    again = RandomWaypoint(TRACE_POINTS[:1], np.random.default_rng(2), settings=walk)
    same = Links(RadioSettings(), again, rng=np.random.default_rng(1))
    sent, tick = 0.0, 0
    while sent + 0.5 * (rate := float(uplink_rate(20e6, same.mean_snrs(0.5 * tick)[0]))) < size:
        sent, tick = sent + 0.5 * rate, tick + 1
    assert tick > 3
    assert receipt.seconds == pytest.approx(0.5 * tick + (size - sent) / rate, rel=1e-9)
    env.run()  # nothing ticks on when nobody uploads
    assert env.now < receipt.seconds + 1.0


def test_looking_at_positions_changes_nothing() -> None:
    def seconds(look: bool) -> float:
        env = simpy.Environment()
        mobility = RandomWaypoint(TRACE_POINTS, np.random.default_rng(2))
        cell = RadioCell(env, Links(RadioSettings(), mobility, rng=np.random.default_rng(1)))
        if look:
            for instant in (0.3, 7.7, 400.2):
                env.run(until=instant)
                cell.positions_m()
        env.run(until=500.0)
        return env.run(cell.upload(4, BITS)).seconds

    assert seconds(look=True) == seconds(look=False)


def test_bad_input_is_named() -> None:
    env = simpy.Environment()
    cell = cell_of(env)
    for bits in (-1.0, math.nan):
        with pytest.raises(InputError, match="bits"):
            cell.upload(0, bits)
    with pytest.raises(InputError, match="user 10"):
        cell.upload(10, BITS)
    cell.upload(0, BITS)
    with pytest.raises(InputError, match="still uploading"):
        cell.upload(0, BITS)
    with pytest.raises(InputError, match="nothing to abort"):
        cell.abort(1)
    on_the_station = np.array([[600.0, 600.0], [500.0, 600.0]])
    with pytest.raises(InputError, match=r"user 1 .*overlap"):
        RadioCell(env, Links(RadioSettings(), on_the_station, rng=np.random.default_rng(0)))
