"""Calls at exact instants on SimPy's clock, which only knows delays."""

import simpy
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.clock.calls import call_at, call_when

instants = st.lists(st.floats(0.0, 1e7), min_size=1, max_size=30)


@given(instants)
def test_calls_come_at_the_very_instant(times_s: list[float]) -> None:
    """One after the other, each asked for at the one before: the sums of delays do not drift."""
    env, heard = simpy.Environment(), []
    queue = sorted(times_s)

    def ring(_event: simpy.Event) -> None:
        heard.append(env.now)
        if len(heard) < len(queue):
            call_at(env, queue[len(heard)], ring)

    call_at(env, queue[0], ring)
    env.run()
    # A tie between two floats can round the other way: then the call is one rounding off, never more.
    assert all(abs(now_s - due_s) <= 2e-16 * due_s for now_s, due_s in zip(heard, queue, strict=True))


def test_the_past_is_now() -> None:
    env, heard = simpy.Environment(initial_time=5.0), []
    call_at(env, 3.0, lambda _event: heard.append(env.now))
    env.run()
    assert heard == [5.0]


def test_what_has_happened_calls_back_at_once() -> None:
    env, heard = simpy.Environment(), []
    event = env.event()
    call_when(event, lambda done: heard.append(done.value))
    event.succeed("first")
    env.run()
    call_when(event, lambda done: heard.append(done.value))
    assert heard == ["first", "first"]
