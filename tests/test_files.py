"""A file is the old one or the new one, whole; never a part, and nothing is left beside it."""

import os
import signal
import stat
import subprocess
import sys

import pytest

from flnft_sim.files import open_atomic, write_atomic

HALF = """
import sys, time
from pathlib import Path
from flnft_sim.files import open_atomic
with open_atomic(Path(sys.argv[1])) as file:
    file.write(b"half of it")
    file.flush()
    print("written", flush=True)
    time.sleep(600)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("content", ["", "grün 🌱\r\nα", b"\x00\xff"])
def test_what_is_written_is_read_and_replaces_what_was_there(tmp_path, content):
    path = tmp_path / "a.txt"
    for before in ("a longer text than what follows" * 9, content):
        write_atomic(path, before)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert names(tmp_path) == ["a.txt"]


def test_a_file_is_for_sharing_and_not_private(tmp_path):
    write_atomic(tmp_path / "a", "x")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_ends_early_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a"
    write_atomic(path, "old")
    with pytest.raises(error), open_atomic(path) as file:
        file.write(b"new")
        raise error
    assert path.read_text() == "old" and names(tmp_path) == ["a"]


def test_until_the_block_ends_the_old_file_stands(tmp_path):
    path = tmp_path / "a"
    write_atomic(path, "old")
    with open_atomic(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="kills a process at once")
def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    write_atomic(path, "old")
    writer = subprocess.Popen([sys.executable, "-c", HALF, str(path)], stdout=subprocess.PIPE)
    try:
        assert writer.stdout.readline() == b"written\n"
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    assert path.read_text() == "old"


def test_a_folder_that_is_not_there_is_said_and_not_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "nowhere" / "a", "x")
    assert names(tmp_path) == []
