"""Shared by all tests: one thread per process, data that may be absent, and a line with each test file's time."""

import os
import signal
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers share two cores
os.environ.setdefault("MPLBACKEND", "Agg")

# A script's background jobs (`.ci/run &`) are started with Ctrl-C ignored, and hand that on; the tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Examples are the same in every run: a check that passes by luck on one machine must not fail on the next.
settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The source tree."""
    return ROOT


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """A directory with MNIST and CIFAR-10, or a skip that says what to do."""
    folder = os.environ.get("FLNFT_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir() or not (Path(folder) / "cifar10").is_dir():
        pytest.skip("set FLNFT_DATA to a directory with mnist/ and cifar10/ to run this on real data")
    return Path(folder)


# A worker has a whole file: begun last, one of these would keep one worker busy while the other waits.
LONGEST = (
    "tests/viz/test_browser.py",
    "tests/paper/test_quick_reproduction.py",
    "tests/scenario/test_extremes.py",
    "tests/sweeps/test_sweep_killed.py",
    "tests/paper/test_quick_rest.py",
    "tests/figures/test_drawing.py",
    "tests/test_contracts.py",
    "tests/results/test_hostile_folders.py",
    "tests/figures/test_figures.py",
    "tests/end_to_end/test_tutorial.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; `--no-loadscope-reorder` leaves them there."""
    ranks = {ROOT / path: rank for rank, path in enumerate(LONGEST)}
    for path in ranks:
        if not path.is_file():
            raise pytest.UsageError(f"{path} is not there; mend LONGEST in tests/conftest.py")
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how long each test file took, longest first."""
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.split("::")[0]] += report.duration
    terminalreporter.section("seconds by test file")
    for path, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        terminalreporter.write_line(f"{spent:8.1f}  {path}")
