"""Play, step, jump: moves the shows of one browser session on one clock, and sends their page what has changed."""

import queue
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from flnft_sim.errors import FlnftError
from flnft_sim.viz.parts import Parts, agent_of, parts_of
from flnft_sim.viz.scene import EVERY_DAO
from flnft_sim.viz.show import Jump, Show
from flnft_sim.viz.strip import Strip

SPEEDS = {"0.1 ×": 0.1, "1 ×": 1.0, "5 ×": 5.0, "20 ×": 20.0, "100 ×": 100.0, "max": float("inf")}
"""Simulated seconds per second of wall time."""

FRAME_S = 0.1  # wall seconds between two frames while it plays
_SCAN_FRAMES = 200  # of a playback at the highest speed

type Send = Callable[[list[Parts], bool], None]


class Pane:
    """One show with what its viewer has chosen to look at."""

    def __init__(self, show: Show) -> None:
        self.show, self.dao, self.selected = show, EVERY_DAO, "user-0"
        self._strip: Strip | None = None
        self._spans_sent = 0

    def parts(self) -> Parts:
        """All parts as they are now; of the strip what came since last time."""
        scene = self.show.scene()
        parts = parts_of(scene, self.dao)
        parts["agent"] = agent_of(scene, self.show, self.selected)
        parts["daos"], parts["dao"], parts["name"] = [*scene.daos], self.dao, self.show.name
        if self._strip is None:
            self._strip, self._spans_sent = Strip(scene, self.dao), 0
            parts["spans"] = []
        fresh = self.show.spans(self._spans_sent)
        self._spans_sent += len(fresh)
        parts["lanes"] = self._strip.lanes
        parts["more_spans"] = self._strip.rows(fresh, end_s=self.show.end_s)
        parts["present"] = self._strip.rows(self.show.present())
        return parts

    def choose(self, what: str, name: str) -> None:
        """Look at another agent, or at another DAO."""
        if what == "select":
            self.selected = name
        elif name in (EVERY_DAO, *self.show.scene().daos):
            self.dao = name
            self.begin_anew()

    def begin_anew(self) -> None:
        """Send the whole strip next time."""
        self._strip = None


class Player:
    """A thread of its own moves the shows; whoever presses a button only leaves a word."""

    def __init__(
        self,
        shows: Sequence[Show],
        send: Send,
        *,
        reset: Callable[[], Sequence[Show]],
        fail: Callable[[str], None],
    ) -> None:
        self.panes = [Pane(show) for show in shows]
        self._send, self._reset, self._fail = send, reset, fail
        self._words: queue.SimpleQueue[tuple[str, Any] | None] = queue.SimpleQueue()
        self._playing, self._speed, self._jump = False, "5 ×", ""
        self._drawn_at = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def do(self, what: str, value: Any = None) -> None:
        """Leave a word: play, step, reset, jump, speed, seek, select, dao, draw (all anew)."""
        self._words.put((what, value))

    def replace(self, shows: Sequence[Show]) -> None:
        """Show others instead, from their beginning."""
        self._words.put(("replace", shows))

    def close(self) -> None:
        """Stop listening, after what is under way."""
        self._words.put(None)

    # ---- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (word := self._next_word()) is not None:
            try:
                self._obey(*word)
            except FlnftError as error:
                self._stop(str(error))
                self._draw()
            except Exception as error:  # whatever it is: a page that says so and can be reset, not one that is dead
                traceback.print_exc()
                self._stop(f"this page's fault, not yours: {error!r}; reset, and please report it")

    def _stop(self, complaint: str) -> None:
        self._playing, self._jump = False, ""
        self._fail(complaint)

    def _next_word(self) -> tuple[str, Any] | None:
        """What was left, or, while it plays or jumps, that it is time for the next frame."""
        if self._jump:
            wait_s = 0.0
        elif self._playing:
            wait_s = max(0.0, self._drawn_at + FRAME_S - time.monotonic())
        else:
            return self._words.get()
        try:
            return self._words.get(timeout=wait_s) if wait_s else self._words.get_nowait()
        except queue.Empty:
            return ("frame", None)

    def _obey(self, what: str, value: Any) -> None:
        match what:
            case "frame":
                self._frame()
            case "play":
                self._playing, self._jump = not self._playing and not self._finished, ""
                self._drawn_at = time.monotonic()
            case "step":
                self._go_to(self._now_s + self.panes[0].show.step_s)
            case "jump":
                self._playing, self._jump = False, value
                self._aim(Jump(value))
            case "seek":
                self._go_to(float(value))
            case "speed" if value in SPEEDS:
                self._speed = value
            case "select" | "dao":
                self._pane(value["pane"]).choose(what, value["name"])
            case "reset" | "replace":
                self._playing, self._jump = False, ""
                self._show(self._reset() if what == "reset" else value)
            case "draw":
                self._show([pane.show for pane in self.panes])
        if what != "frame":
            self._draw(anew=what in ("draw", "reset", "replace"))

    def _frame(self) -> None:
        if self._jump:
            if self._pursue(FRAME_S):
                self._jump = ""
        else:
            self._play_on()
        self._playing = self._playing and not self._finished
        self._draw()

    def _play_on(self) -> None:
        """A frame's worth of simulated time, by the wall time since the last one."""
        show, speed = self.panes[0].show, SPEEDS[self._speed]
        if speed == float("inf") and show.end_s is None:
            show.aim(Jump.END)
            show.pursue(FRAME_S)
        else:
            wall_s = min(time.monotonic() - self._drawn_at, 5 * FRAME_S)
            most_s = float("inf") if self._end_s is None else self._end_s / _SCAN_FRAMES
            self._go_to(self._now_s + (most_s if speed == float("inf") else speed * wall_s))

    # ---- one clock for all panes -------------------------------------------------------------------------------------

    @property
    def _now_s(self) -> float:
        return max(pane.show.now_s for pane in self.panes)

    @property
    def _end_s(self) -> float | None:
        ends_s = [pane.show.end_s for pane in self.panes]
        return max((end_s for end_s in ends_s if end_s is not None), default=None)

    @property
    def _finished(self) -> bool:
        return all(pane.show.finished for pane in self.panes)

    def _pane(self, number: int) -> Pane:
        return self.panes[min(max(int(number), 0), len(self.panes) - 1)]

    def _go_to(self, time_s: float) -> None:
        for pane in self.panes:
            pane.show.go_to(time_s)

    def _aim(self, jump: Jump) -> None:
        for pane in self.panes:
            pane.show.aim(jump)

    def _pursue(self, budget_s: float) -> bool:
        """Of several shows the first to reach its goal sets the clock, but for the end, which all reach."""
        now_s = self._now_s
        reached = [pane.show.pursue(budget_s) for pane in self.panes]
        if len(self.panes) > 1:
            times_s = [pane.show.now_s for pane in self.panes if pane.show.now_s > now_s] or [now_s]
            self._go_to(max(times_s) if self._jump == Jump.END else min(times_s))
        return all(reached)

    def _show(self, shows: Sequence[Show]) -> None:
        for pane, show in zip(self.panes, shows, strict=True):
            pane.show = show
            pane.begin_anew()
            if pane.dao not in show.scene().daos:
                pane.dao = EVERY_DAO

    # ---- the page ----------------------------------------------------------------------------------------------------

    def _draw(self, *, anew: bool = False) -> None:
        self._drawn_at = time.monotonic()
        self._send([pane.parts() | {"controls": self._controls()} for pane in self.panes], anew)

    def _controls(self) -> Parts:
        end_s = self._end_s
        return {
            "playing": self._playing,
            "jump": self._jump,
            "jumps": [*Jump],
            "speed": self._speed,
            "speeds": [*SPEEDS],
            "finished": self._finished,
            "end_s": end_s,
            "step_s": self.panes[0].show.step_s,
        }
