"""Small helpers on SimPy's clock."""

import math
from collections.abc import Callable
from typing import Any

import simpy

_ROUNDINGS = 4  # in units in the last place, of instants that are sums of a handful of durations
_AFTER_ALL_ELSE = simpy.events.EventPriority(2)  # SimPy's own events have 0 (interrupts) or 1


def until(env: simpy.Environment, instant_s: float) -> simpy.Timeout:
    """An event at exactly that instant, or now if it has passed."""
    return env.timeout(_delay_to(env, instant_s))


def call_at(env: simpy.Environment, instant_s: float, callback: Callable[[simpy.Event], Any]) -> simpy.Timeout:
    """Call back at exactly that instant, or now if it has passed."""
    return call_after(env, _delay_to(env, instant_s), callback)


def call_after(env: simpy.Environment, delay_s: float, callback: Callable[[simpy.Event], Any]) -> simpy.Timeout:
    """Call back when so many seconds have passed."""
    timeout = env.timeout(delay_s)
    assert timeout.callbacks is not None  # it has not happened yet
    timeout.callbacks.append(callback)
    return timeout


class EndOfInstant(simpy.Event):
    """Happens at an instant, after everything else that happens there: what is done at a deadline is in time."""

    def __init__(self, env: simpy.Environment, instant_s: float) -> None:
        super().__init__(env)
        self._ok, self._value = True, None  # sure to happen, as a `simpy.Timeout` is, which has no priority to give
        env.schedule(self, priority=_AFTER_ALL_ELSE, delay=_delay_to(env, instant_s))


def closing_s(started_s: float, deadline_s: float) -> float:
    """The last instant of a round: what is final then is in time, what comes later is late.

    Sums of the same durations in another order differ by roundings, so an instant that lies a few units in the last
    place behind the deadline is still the deadline.
    """
    instant_s = started_s + deadline_s
    return instant_s + _ROUNDINGS * math.ulp(instant_s)


def call_when(event: simpy.Event, callback: Callable[[simpy.Event], Any]) -> None:
    """Call back when the event happens; at once if it has."""
    if event.callbacks is None:
        callback(event)
    else:
        event.callbacks.append(callback)


def _delay_to(env: simpy.Environment, instant_s: float) -> float:
    """The delay that hits an instant exactly; 0 if it has passed.

    SimPy adds delays to the present, and now + (instant − now) can miss the instant by a rounding; the nearest delay
    that hits it is used.
    """
    now_s = env.now
    delay_s = instant_s - now_s
    if delay_s <= 0.0:
        return 0.0
    if (reached_s := now_s + delay_s) != instant_s:
        return math.nextafter(delay_s, math.inf if reached_s < instant_s else 0.0)
    return delay_s
