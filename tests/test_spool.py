"""What a run has finished with lies on the disk, reads back as it was, and is gone with its holder."""

import gc
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.spool import CHUNK, Rows, Spool, SpoolFull


@dataclass(slots=True)
class Row:
    name: str
    value: float | None


def rows_and_list(count, *, spooled=True):
    rows = Rows(attrgetter("name", "value"), Row, names=("name", "value"), spool=Spool() if spooled else None)
    plain = [Row(f"row-{number}", None if number % 7 == 0 else number / 3) for number in range(count)]
    rows.extend(Row(each.name, each.value) for each in plain)
    return rows, plain


LONG, PLAIN = rows_and_list(5 * CHUNK + 17)


@given(st.slices(len(PLAIN)))
def test_a_slice_is_that_of_a_list(cut):
    cut = slice(cut.start, cut.stop, (cut.step or 1) * 97)
    assert LONG[cut] == PLAIN[cut]


@given(st.integers(-len(PLAIN), len(PLAIN) - 1))
def test_a_row_is_that_of_a_list(place):
    assert LONG[place] == PLAIN[place]


@pytest.mark.parametrize("spooled", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2 * CHUNK - 1, 2 * CHUNK, 3 * CHUNK + 5])
def test_all_rows_come_in_their_order_from_both_ends(count, spooled):
    rows, plain = rows_and_list(count, spooled=spooled)
    assert len(rows) == count and list(rows) == plain and list(reversed(rows)) == plain[::-1]
    told = [list(zip(*columns, strict=True)) for columns in rows.so_far()()]
    assert [row for some in told for row in some] == [(row.name, row.value) for row in plain]
    with pytest.raises(IndexError):
        rows[count]


def test_rows_in_memory_stop_growing_with_a_spool_and_not_without():
    held = [rows_and_list(count * CHUNK)[0].in_memory for count in (4, 16)]
    assert max(held) < 2 * CHUNK
    assert rows_and_list(16 * CHUNK, spooled=False)[0].in_memory == 16 * CHUNK


def test_what_is_amended_reads_as_amended_wherever_it_lies_and_not_in_what_was_so_far():
    rows, _ = rows_and_list(3 * CHUNK)
    before = rows.so_far()
    for number in (0, CHUNK - 1, CHUNK, 3 * CHUNK - 1):
        rows.amend(number, "value", -1.0)
    assert [number for number, row in enumerate(rows) if row.value == -1.0] == [0, CHUNK - 1, CHUNK, 3 * CHUNK - 1]
    assert -1.0 not in [value for _, values in before() for value in values]
    assert [value for _, values in rows.so_far()() for value in values].count(-1.0) == 4


@pytest.mark.parametrize("spool", [None, Spool()])
def test_what_was_promised_is_made_when_it_is_read_and_stands_where_it_was_promised(spool):
    made = []

    def promised(first):
        for number in range(first, first + 3):
            made.append(number)
            yield Row(f"row-{number}", float(number))

    rows = Rows(attrgetter("name", "value"), Row, names=("name", "value"), spool=spool)
    rows.append(Row("row-0", 0.0))
    for first in (1, 4):
        rows.promise(lambda first=first: rows.columns(promised(first)), 3)
    rows.amend(5, "value", -1.0)
    assert len(rows) == 7 and made == ([] if spool is None else [1, 2, 3, 4, 5, 6])
    rows.append(Row("row-7", 7.0))
    rows.amend(7, "value", -2.0)
    assert [row.name for row in rows] == [f"row-{number}" for number in range(8)]
    assert [row.value for row in rows] == [0.0, 1.0, 2.0, 3.0, 4.0, -1.0, 6.0, -2.0]
    assert made == [1, 2, 3, 4, 5, 6]


def test_what_was_so_far_stays_when_more_comes():
    rows, plain = rows_and_list(2 * CHUNK + 3)
    before = rows.so_far()
    rows.extend(Row("late", 0.0) for _ in range(4 * CHUNK))
    assert [name for names, _ in before() for name in names] == [row.name for row in plain]


def test_a_spool_has_no_name_and_no_file_before_it_is_needed(tmp_path):
    spool = Spool(tmp_path)
    assert not spool._file
    piece = spool.put(b"over")
    assert spool.put(b"and out") != piece and spool.get(piece) == b"over" and len(spool) == 11
    assert os.name != "posix" or not list(tmp_path.iterdir())
    handle = spool._file.fileno()
    del spool
    gc.collect()
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(handle)


@pytest.mark.skipif(os.name != "posix", reason="a file without a name is POSIX's")
def test_a_run_that_is_killed_leaves_nothing(tmp_path):
    code = "import os, sys; from flnft_sim.spool import Spool; Spool(sys.argv[1]).put(b'x'); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    assert not list(tmp_path.iterdir())


def test_a_disk_that_takes_no_more_is_said_in_a_sentence(tmp_path):
    with pytest.raises(SpoolFull, match=r"cannot put aside .* make room on the disk of .*missing"):
        Spool(tmp_path / "missing").put(b"x")


def test_rows_put_aside_lie_there_as_they_were():
    rows, plain = rows_and_list(2 * CHUNK)
    names, values = pickle.loads(rows._spool.get(rows._aside[0]))
    assert list(names) == [row.name for row in plain[:CHUNK]] and list(values) == [row.value for row in plain[:CHUNK]]
