"""A second process draws the same bytes, and whatever befalls it, every figure is drawn."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from synthetic_episode import episode

from flnft_sim.figures import FIGURES, Drawer, drawing, render_all
from flnft_sim.formats import FORMATS
from flnft_sim.results import RunResult

FEW = ("accuracy", "age", "beliefs", "winners")


@pytest.fixture
def few(monkeypatch):
    """A family of four figures, quick to draw; a test may add its own."""
    monkeypatch.setattr(FIGURES, "_homes", {name: f"flnft_sim.figures.run.{name}" for name in FEW})
    monkeypatch.setattr(FIGURES, "_parts", {name: FIGURES.get(name) for name in FEW})


@pytest.fixture
def pictures(few):
    return list(render_all(episode()))


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(drawing, "cores", lambda: 2)


@pytest.mark.parametrize("format", FORMATS)
def test_the_second_process_draws_the_same_bytes_in_the_same_order(format, two_cores):
    expected = list(render_all(episode(), format))
    with Drawer() as drawer:
        process = drawer._process
        assert list(drawer.render_all(episode(), format)) == expected
        assert process.wait() == 0, "it has drawn everything"
    assert len(expected) == len(FIGURES.names())


def test_an_empty_run_has_nothing_to_show(two_cores):
    with Drawer() as drawer:
        assert list(drawer.render_all(RunResult())) == []


def test_no_process_is_left_whether_it_has_drawn_or_not(two_cores):
    with Drawer() as drawer:
        process = drawer._process
        assert process.poll() is None
    assert process.poll() is not None and drawer._process is None


def living(group):
    """The processes of a group that are no mere entries of processes gone."""
    stats = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # just gone
            stats.append(file.read_text().rpartition(")")[2].split())
    return [stat for stat in stats if int(stat[2]) == group and stat[0] not in "ZX"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it has no copy")
def test_its_copy_goes_with_it(few, two_cores):
    with Drawer() as drawer:
        group = drawer._process.pid
        drawer.begin(episode())
        while len(living(group)) < 2:
            assert drawer._process.poll() is None
    for _ in range(100):
        if not living(group):
            return
        time.sleep(0.1)
    raise AssertionError("the copy still lives")


def test_what_is_begun_before_it_is_asked_for_has_the_same_bytes(pictures, two_cores):
    with Drawer() as drawer:
        drawer.begin(episode())
        assert list(drawer.render_all(episode())) == pictures


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a pipe's size cannot be chosen")
def test_all_of_a_run_is_drawn_though_nobody_reads_yet(few, two_cores, monkeypatch):
    """A pipe of the usual size holds one or two pictures; of a size that is too small, drawing waits to be read."""
    with Drawer() as drawer:
        drawer.begin(episode())
        assert drawer._process.wait(timeout=60) == 0
    monkeypatch.setattr(drawing, "_PIPE", 2**16)
    with Drawer() as drawer:
        drawer.begin(episode())
        with pytest.raises(subprocess.TimeoutExpired):
            drawer._process.wait(timeout=2)


@pytest.mark.parametrize("begun", ["before it died", "after"])
def test_when_it_dies_with_a_run_to_draw_all_is_drawn_here(begun, pictures, two_cores):
    with Drawer() as drawer:
        if begun == "before it died":
            drawer.begin(episode())
        drawer._process.kill()
        drawer._process.wait()
        if begun == "after":
            drawer.begin(episode())
        assert list(drawer.render_all(episode())) == pictures


@pytest.mark.parametrize("drawn", [1, 2])
def test_when_it_dies_the_rest_is_drawn_here(drawn, pictures, two_cores):
    with Drawer() as drawer:
        found = []
        for picture in drawer.render_all(episode()):
            found.append(picture)
            if len(found) == drawn:
                drawer._process.kill()
    assert found == pictures


def test_when_it_dies_before_the_run_ends_all_is_drawn_here(pictures, two_cores):
    with Drawer() as drawer:
        drawer._process.kill()
        drawer._process.wait()
        assert list(drawer.render_all(episode())) == pictures


def test_a_figure_it_does_not_know_is_drawn_here(pictures, two_cores):
    FIGURES.register("zebra")(FIGURES.get("accuracy"))
    with Drawer() as drawer:
        assert list(drawer.render_all(episode())) == [*pictures, ("zebra", dict(pictures)["accuracy"])]


def test_what_goes_wrong_in_a_figure_is_said_as_if_it_were_drawn_here(few, two_cores):
    def broken(_result):
        raise ZeroDivisionError("by a figure")

    FIGURES.register("broken")(broken)
    with Drawer() as drawer, pytest.raises(ZeroDivisionError, match="by a figure"):
        list(drawer.render_all(episode()))


@pytest.mark.parametrize("reason", ["not wanted", "one core", "no interpreter", "cannot be started", "large"])
def test_without_a_second_process_everything_is_drawn_here(reason, pictures, two_cores, monkeypatch):
    if reason == "one core":
        monkeypatch.setattr(drawing, "cores", lambda: 1)
    elif reason == "no interpreter":
        monkeypatch.setattr(sys, "executable", "")
    elif reason == "cannot be started":
        monkeypatch.setattr(sys, "executable", os.devnull)
    elif reason == "large":
        monkeypatch.setattr(drawing, "_LARGEST", 10)
    with Drawer(wanted=reason != "not wanted") as drawer:
        assert (drawer._process is None) == (reason != "large")
        assert list(drawer.render_all(episode())) == pictures


def test_what_is_printed_there_does_not_get_between_the_pictures():
    """Without a run, the second process ends quietly; its standard output is for pictures alone."""
    code = f"import sys; print('said'); sys.stdout.flush(); {drawing._PROGRAM}; print('said later')"
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(sys.path)], input=b"", capture_output=True, check=True
    )
    assert done.stdout == b"said\n" and done.stderr == b"said later\n"
