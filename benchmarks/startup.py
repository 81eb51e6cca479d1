"""The first minute: what a user waits for, as ratios to the bare imports of the libraries in the same run.

    python -m benchmarks startup

Every line is a fresh interpreter, warm files, bytecode and kernels, turns interleaved, medians. Waiting is wall time
and needs an idle machine; processor time (all processes of the line) tells how much of it another program's load is to
blame for.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks._figure import Figure
from flnft_sim.machine import cores

_TURNS = 5
# Modules are compiled once, by whoever installs or first imports them, unless this variable forbids keeping them.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
_BARE = "import numpy, pandas, matplotlib.pyplot, mesa, simpy"
# The program itself, with a stop-watch on training and on the wait for figures, set once the drawing process starts.
_WATCHED = """
import json, sys, time
from pathlib import Path
from flnft_sim.cli import main
from flnft_sim.figures.drawing import Drawer

seconds = {}
enter = Drawer.__enter__

def watch(owner, method, name):
    plain = getattr(owner, method)
    def timed(*args, **named):
        begun = time.perf_counter()
        try:
            return plain(*args, **named)
        finally:
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - begun
    setattr(owner, method, timed)

def start(self):
    drawer = enter(self)
    from flnft_sim.learning.learners import FederatedLearner
    from flnft_sim.results.run_result import RunResult
    watch(FederatedLearner, "train", "training")
    watch(RunResult, "save_figures", "figures")
    return drawer

Drawer.__enter__ = start
report = Path(sys.argv.pop())
try:
    main()
finally:
    report.write_text(json.dumps(seconds))
"""


@dataclass(frozen=True)
class _Line:
    """One thing a user waits for, and its goal: at most so many times the bare imports, or so many seconds."""

    name: str
    code: str = "from flnft_sim.cli import main; main()"
    words: tuple[str, ...] = ()
    less: str = ""  # this part of it is not counted
    only: str = ""  # only this part of it is counted
    ratio: float | None = None
    seconds: float | None = None

    def measure(self, folder: Path) -> tuple[float, float]:
        """Seconds waited and seconds of processor time, this once."""
        report = folder / "seconds.json"
        watched = [str(report)] if self.code == _WATCHED else []
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", self.code, *self.words, *watched],
            cwd=folder,
            env=_ENVIRONMENT,
            capture_output=True,
            check=False,
        )
        waited, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise SystemExit(f"{self.name} failed:\n{done.stderr.decode()}")
        parts = json.loads(report.read_text()) if watched else {}
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return parts[self.only] if self.only else waited - parts.get(self.less, 0.0), processor

    def goal(self, waited: float, bare: float) -> str:
        """The goal, and what remains to it."""
        if self.ratio is None and self.seconds is None:
            return ""
        aim, text = (
            (self.seconds, f"{self.seconds} s") if self.ratio is None else (self.ratio * bare, f"{self.ratio} ×")
        )
        return f"goal {text}: " + ("reached" if waited <= aim else f"{waited - aim:.2f} s too long")


_LINES = (
    _Line("bare imports", _BARE),
    _Line("python alone", ""),
    _Line("flnft run tiny", _WATCHED, ("run", "tiny", "--force"), ratio=1.8),
    _Line("flnft run roblox10, but for training", _WATCHED, ("run", "roblox10", "--force"), less="training", ratio=2.0),
    _Line("  of it waiting for figures", _WATCHED, ("run", "roblox10", "--force"), only="figures", seconds=1.2),
    _Line("loading a scenario", "from flnft_sim import load_scenario; load_scenario('roblox10')", seconds=0.3),
    _Line("flnft scenarios", words=("scenarios",)),
    _Line("flnft --help", words=("--help",), seconds=0.2),
    _Line("flnft --version", words=("--version",), seconds=0.2),
)


def summary() -> Iterator[Figure]:
    """What a user waits for, beside the bare imports of the libraries."""
    lines = [line for line in _LINES if line.name == "bare imports" or line.ratio]
    (bare, _), *waits = _medians(lines, turns=3)
    for line, (waited, _) in zip(lines[1:], waits, strict=True):
        yield Figure(what=line.name, share=bare / waited, limit="the libraries' bare imports")


def _medians(lines: Sequence[_Line], turns: int) -> list[tuple[float, float]]:
    """Medians of seconds waited and seconds of processor time, turns interleaved."""
    with tempfile.TemporaryDirectory() as folder:
        for line in lines:
            line.measure(Path(folder))  # files into memory, kernels compiled
        found = [[line.measure(Path(folder)) for line in lines] for _ in range(turns)]
    return [(median(turn[i][0] for turn in found), median(turn[i][1] for turn in found)) for i in range(len(lines))]


def main() -> None:
    """Print each line: seconds waited, ratio to the bare imports, processor time, what remains to the goal."""
    print(f"{platform.machine()}, {cores()} cores, Python {platform.python_version()}; medians of {_TURNS}; ", end="")
    print(f"load {os.getloadavg()[0]:.1f} (waiting is worth reading at 0)" if hasattr(os, "getloadavg") else "")
    medians = _medians(_LINES, _TURNS)
    bare, bare_processor = medians[0]
    print(f"{'':38} {'waited':>8} {'ratio':>8} {'processor':>10} {'ratio':>8}")
    for line, (waited, processor) in zip(_LINES, medians, strict=True):
        shown = "" if line.only or line.less else f"{processor:8.2f} s {processor / bare_processor:6.2f} ×"
        print(f"{line.name:38} {waited:6.2f} s {waited / bare:6.2f} × {shown:>19}   {line.goal(waited, bare)}".rstrip())


if __name__ == "__main__":
    main()
