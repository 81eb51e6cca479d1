"""Sweeps end with the same bytes however they are run, interrupted or extended."""

import errno
import json
import os

import pandas as pd
import pytest
from sweep_toys import Toy

from flnft_sim.errors import InputError
from flnft_sim.sweeps import Reporter, SweepOptions, run_sweep, sweep
from flnft_sim.sweeps.journal import DiskFullError, Journal, JournalError
from flnft_sim.sweeps.tables import MetricError

PLAN = {"scenario": "toy", "grid": {"x": [1, 2.5], "kind": ["plain", "broken"]}, "seeds": 3}
TABLES = ("runs.csv", "summary.csv")


class Interrupted(Exception):
    pass


class StopAfter(Reporter):
    """Stops a sweep after some runs, as Ctrl-C would."""

    def __init__(self, runs):
        self.left = runs

    def update(self, progress):
        if self.left == 0:
            raise Interrupted
        self.left -= 1


class Notes(Reporter):
    def __init__(self):
        self.notes, self.last = [], None

    def note(self, text):
        self.notes.append(text)

    def update(self, progress):
        self.last = (progress.done, progress.total, progress.failed)


def read(folder):
    return {name: (folder / name).read_bytes() for name in TABLES}


@pytest.fixture
def whole(tmp_path):
    """The tables of an uninterrupted serial sweep."""
    run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path / "whole", simulator=Toy())
    return read(tmp_path / "whole")


def test_a_row_per_run_in_plan_order_with_failures_as_rows(tmp_path):
    table = sweep(PLAN, out=tmp_path, serial=True, simulator=Toy())
    assert list(table.columns) == ["point", "x", "kind", "seed", "z", "pair", "status", "error"]
    assert list(table.seed) == [0, 1, 2] * 4
    assert list(table.x) == [1] * 6 + [2.5] * 6
    broken = table[table.kind == "broken"]
    assert set(broken.status) == {"failed"}
    assert set(broken.error) == {"ValueError: cannot run <object object at 0x…>"}
    assert broken.z.isna().all()
    plain = table[table.kind == "plain"]
    assert set(plain.status) == {"ok"} and plain.error.isna().all()
    assert (plain.pair == plain.z * plain.x).all()  # floats come back exactly


@pytest.mark.parametrize("stop", [0, 1, 5, 11])
def test_an_interrupted_sweep_resumes_and_runs_nothing_twice(tmp_path, whole, stop):
    log = tmp_path / "log"
    for _ in range(30):
        try:
            run_sweep(
                PLAN,
                SweepOptions(serial=True),
                out=tmp_path / "out",
                reporter=StopAfter(stop + 1),
                simulator=Toy(log=str(log)),
            )
            break
        except Interrupted:
            continue
    else:
        pytest.fail("30 sessions did not finish the sweep")
    assert read(tmp_path / "out") == whole
    runs = log.read_text().splitlines()
    assert len(runs) == len(set(runs)) == 6


@pytest.mark.parametrize("torn", [1, 20, 150])
def test_a_line_torn_by_a_crash_is_cut_off_and_its_run_redone(tmp_path, whole, torn):
    run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path / "out", simulator=Toy())
    journal = tmp_path / "out" / "journal.jsonl"
    os.truncate(journal, journal.stat().st_size - torn)
    run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path / "out", simulator=Toy())
    assert read(tmp_path / "out") == whole
    assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_a_damaged_line_inside_the_journal_is_named(tmp_path):
    run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path, simulator=Toy())
    lines = (tmp_path / "journal.jsonl").read_bytes().splitlines(keepends=True)
    lines[3] = b"\0" * 40 + b"\n"
    (tmp_path / "journal.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match=rf"line 4 \(at byte {sum(map(len, lines[:3])):,}\) is damaged"):
        run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path, simulator=Toy())


def test_two_sweeps_cannot_share_a_folder(tmp_path):
    with (
        Journal(tmp_path / "journal.jsonl", version="v1"),
        pytest.raises(JournalError, match="in use by another sweep"),
    ):
        Journal(tmp_path / "journal.jsonl", version="v1")


def test_a_grown_plan_runs_only_what_is_new(tmp_path):
    log = tmp_path / "log"
    plan = {"scenario": "toy", "grid": {"x": [1, 2]}, "seeds": 2}
    sweep(plan, out=tmp_path / "out", serial=True, simulator=Toy(log=str(log)))
    notes = Notes()
    grown = plan | {"grid": {"x": [2, 3, 1]}, "seeds": 3}
    table = sweep(grown, out=tmp_path / "out", serial=True, simulator=Toy(log=str(log)), progress=notes)
    assert list(table.x) == [2, 2, 2, 3, 3, 3, 1, 1, 1]
    assert len(log.read_text().splitlines()) == 9
    assert notes.notes[0].startswith("4 of 9 runs are in")
    assert notes.last == (9, 9, 0)


def test_two_points_of_a_sample_that_meet_run_once_and_are_two_rows(tmp_path):
    log = tmp_path / "log"
    ranges = {"x": {"low": 4, "high": 4.5, "integer": True}}
    plan = {"scenario": "toy", "sample": {"method": "latin-hypercube", "n": 2, "ranges": ranges}}
    table = sweep(plan, out=tmp_path / "out", serial=True, simulator=Toy(log=str(log)))
    assert len(table) == 2 and list(table.x) == [4, 4] and table.z[0] == table.z[1]
    assert len(log.read_text().splitlines()) == 1


@pytest.mark.parametrize("lists", [{"grid": {"x": [4, 1, 4]}}, {"zip": {"x": [4, 4], "y": [2, 2]}}])
def test_two_points_of_lists_that_resolve_alike_are_refused_before_anything_is_written(tmp_path, lists):
    with pytest.raises(InputError, match=r"points 0 \(x=4.*\) and \d \(x=4.*\) are one scenario; list it once"):
        sweep({"scenario": "toy", **lists}, out=tmp_path / "out", serial=True, simulator=Toy())
    assert not (tmp_path / "out").exists()


def test_failed_runs_stay_until_they_are_retried(tmp_path):
    log = tmp_path / "log"
    run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path / "out", simulator=Toy())
    again = run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path / "out", simulator=Mended(log=str(log)))
    assert (again.failed, log.exists()) == (6, False)
    options = SweepOptions(serial=True, retry_failed=True)
    assert run_sweep(PLAN, options, out=tmp_path / "out", simulator=Mended(log=str(log))).failed == 0
    assert len(log.read_text().splitlines()) == 6  # the six that had failed, not the others
    assert set(pd.read_csv(tmp_path / "out" / "runs.csv").status) == {"ok"}


class Mended(Toy):
    """The toy, after what was broken is mended."""

    def run(self, resolved):
        return super().run({**resolved, "kind": "plain"})


def test_a_journal_of_another_version_is_refused_unless_accepted(tmp_path, whole, monkeypatch):
    log = tmp_path / "log"
    with monkeypatch.context() as patch:
        for module in ("batch", "job"):
            patch.setattr(f"flnft_sim.sweeps.{module}.code_version", lambda: "0.0+older")
        with pytest.raises(Interrupted):
            run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path / "out", reporter=StopAfter(2), simulator=Toy())
    with pytest.raises(JournalError, match=r"code version 0\.0\+older, this is .*--accept-version"):
        run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path / "out", simulator=Toy(log=str(log)))
    options = SweepOptions(serial=True, accept_version=True)
    run_sweep(PLAN, options, out=tmp_path / "out", simulator=Toy(log=str(log)))
    assert len(log.read_text().splitlines()) == 5  # of the six good runs; kept are the first point's, and a failed one
    assert read(tmp_path / "out") == whole
    run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path / "out", simulator=Toy(log=str(log)))  # accepted once
    assert len(log.read_text().splitlines()) == 5


def test_a_version_that_computed_no_run_is_not_named(tmp_path, monkeypatch):
    run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path, simulator=Toy())
    before = (tmp_path / "journal.jsonl").read_bytes()
    for module in ("batch", "job"):
        monkeypatch.setattr(f"flnft_sim.sweeps.{module}.code_version", lambda: "9.9+newer")
    accepting = SweepOptions(serial=True, accept_version=True)
    run_sweep(PLAN, accepting, out=tmp_path, simulator=Toy())
    assert (tmp_path / "journal.jsonl").read_bytes() == before
    run_sweep(PLAN | {"seeds": 5}, accepting, out=tmp_path, simulator=Toy())
    named = [line for line in (tmp_path / "journal.jsonl").read_text().splitlines() if "code_version" in line]
    assert len(named) == 2 and "9.9+newer" in named[1]


def test_chosen_metrics_need_no_new_runs_and_keep_their_order(tmp_path):
    log = tmp_path / "log"
    sweep(PLAN, out=tmp_path / "out", serial=True, simulator=Toy(log=str(log)))
    table = sweep(PLAN | {"metrics": ["pair", "z"]}, out=tmp_path / "out", serial=True, simulator=Toy(log=str(log)))
    assert list(table.columns) == ["point", "x", "kind", "seed", "pair", "z", "status", "error"]
    assert len(log.read_text().splitlines()) == 6


def test_a_metric_that_no_run_produces_is_told_early_and_loses_nothing(tmp_path):
    notes = Notes()
    with pytest.raises(MetricError, match="metric 'pairs' is in no run's summary, did you mean 'pair'"):
        run_sweep(
            PLAN | {"metrics": ["pairs"]}, SweepOptions(serial=True), out=tmp_path, reporter=notes, simulator=Toy()
        )
    assert any("first run reports no 'pairs', did you mean 'pair'" in note for note in notes.notes)
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 13


def test_series_per_round_are_written_in_plan_order(tmp_path):
    plan = PLAN | {"per_round": ["loss"]}
    sweep(PLAN, out=tmp_path, serial=True, simulator=Toy())
    runs = sweep(plan, out=tmp_path, serial=True, simulator=Toy())  # runs without their series are run again
    rounds = pd.read_csv(tmp_path / "rounds.csv")
    assert list(rounds.columns) == ["point", "x", "kind", "seed", "dao", "round", "loss"]
    first = rounds[rounds["round"] == 0].reset_index(drop=True)
    good = runs[runs.status == "ok"].reset_index(drop=True)
    assert (first.loss == good.z).all() and (first.seed == good.seed).all()
    with pytest.raises(MetricError, match="'los' is in no run's rounds"):
        sweep(PLAN | {"per_round": ["los"]}, out=tmp_path, serial=True, simulator=Toy())


def test_parquet_holds_what_the_csv_holds(tmp_path):
    table = sweep(PLAN, out=tmp_path, serial=True, parquet=True, simulator=Toy())
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "runs.parquet"), table, check_dtype=False, check_exact=True, check_column_type=False
    )


@pytest.mark.parametrize("full_after", [0, 300, 1500])
def test_a_full_disk_stops_cleanly_and_resumes(tmp_path, whole, monkeypatch, full_after):
    real_write, written = os.write, 0

    def write(descriptor, data):
        nonlocal written
        if not bytes(data).startswith(b"{"):
            return real_write(descriptor, data)
        room = full_after - written
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = real_write(descriptor, data[:room])  # a disk that fills up takes a part of the line
        written += part
        return part

    with monkeypatch.context() as patch:
        patch.setattr("flnft_sim.sweeps.journal.os.write", write)
        with pytest.raises(DiskFullError, match="no space left"):
            run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path / "out", simulator=Toy())
    run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path / "out", simulator=Toy())
    assert read(tmp_path / "out") == whole


def test_a_disk_that_is_full_when_the_tables_are_written_is_told_too(tmp_path, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("flnft_sim.sweeps.tables.open_atomic", full)
    with pytest.raises(DiskFullError, match="start again"):
        run_sweep(PLAN, SweepOptions(serial=True), out=tmp_path, simulator=Toy())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"workers": 0}, "at least 1"),
        ({"scheduler": "tcp://127.0.0.1:1", "serial": True}, "leave out --serial"),
    ],
)
def test_contradictory_options_are_refused(tmp_path, options, sentence):
    with pytest.raises(InputError, match=sentence):
        sweep(PLAN, out=tmp_path, simulator=Toy(), **options)
