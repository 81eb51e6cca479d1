"""No changed line of a journal comes into a table: it is refused by its number, or was torn and is run again."""

import gzip
import json
import os
import random
import re
import shutil
from pathlib import Path

import pytest
from sweep_toys import Toy

from flnft_sim.sweeps import SweepOptions, run_sweep
from flnft_sim.sweeps.journal import Journal, JournalError

PLAN = {"scenario": "toy", "grid": {"x": [1, 2.5], "kind": ["plain", "broken"]}, "seeds": 3}
TABLES = ("runs.csv", "summary.csv")
PUBLISHED = Path(__file__).parents[2] / "docs/results/paper/runs"


def again(folder):
    """The tables of the sweep in `folder`, started once more."""
    run_sweep(PLAN, SweepOptions(serial=True), out=folder, simulator=Toy())
    return {name: (folder / name).read_bytes() for name in TABLES}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder / "journal.jsonl", again(folder)


@pytest.fixture
def journal(tmp_path, whole):
    return Path(shutil.copy(whole[0], tmp_path / "journal.jsonl"))


def refused(journal):
    """The sentence that refuses a journal."""
    with pytest.raises(JournalError) as error:
        again(journal.parent)
    assert "\n" not in str(error.value) and str(journal) in str(error.value)
    return str(error.value)


def old(journal):
    """A new journal as the format before would have it: neither format nor checksums."""
    text = re.sub(r',"sum":"[0-9a-f]{16}"\}', "}", journal.read_text()).replace(',"format":2', "")
    journal.write_text(text)
    return text.splitlines(keepends=True)


@pytest.mark.parametrize("tries", [60, pytest.param(3000, marks=pytest.mark.slow)])
def test_no_changed_byte_comes_into_a_table(journal, whole, tries):
    rng, sound = random.Random(tries), journal.read_bytes()
    for _ in range(tries):
        place, flip = rng.randrange(len(sound)), rng.randrange(1, 256)
        changed = bytearray(sound)
        changed[place] ^= flip
        journal.write_bytes(changed)
        try:
            assert again(journal.parent) == whole[1], (place, flip)
            assert place == len(sound) - 1, (place, flip)  # without its end the last line is a torn one: run again
        except JournalError as error:
            assert re.search(r" line \d+ \(at byte [\d,]+\) is damaged: ", str(error)), (place, flip, str(error))


def test_a_changed_digit_is_named_by_its_line(journal):
    lines = journal.read_text().splitlines(keepends=True)
    lines[4] = re.sub(r'"seed":(\d)', lambda seed: f'"seed":{int(seed[1]) + 1}', lines[4])
    journal.write_text("".join(lines))
    assert "line 5 " in refused(journal) and "its checksum was made of" in refused(journal)
    journal.write_text("".join(lines[:4] + lines[5:]))  # the remedy that the sentence names
    assert again(journal.parent)


def test_a_checksum_taken_away_is_missed(journal):
    lines = journal.read_text().splitlines(keepends=True)
    lines[4] = re.sub(r',"sum":"[0-9a-f]{16}"\}', "}", lines[4])
    journal.write_text("".join(lines))
    assert "line 5 " in refused(journal) and "its checksum is gone" in refused(journal)


def test_all_checksums_taken_away_are_missed_while_the_format_is_named(journal):
    first = journal.read_text().splitlines(keepends=True)[0]
    journal.write_text("".join([first, *old(journal)[1:]]))
    assert "line 2 " in refused(journal)


@pytest.mark.parametrize("first", ["", '{"code_version":"x"}\n'])
def test_lines_with_checksums_need_a_line_that_names_their_format(journal, first):
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([first, *lines[1:]]))
    assert "no line before it names the format" in refused(journal)


def test_no_older_lines_follow_newer_ones(journal):
    newer = journal.read_text()
    journal.write_text(newer + old(journal)[0])
    assert "line 14 " in refused(journal)


def test_a_journal_of_the_format_before_is_read_and_goes_on_in_todays(journal, whole):
    lines = old(journal)
    journal.write_text("".join(lines[:7]))
    assert again(journal.parent) == whole[1]
    written = journal.read_text().splitlines(keepends=True)
    assert written[:7] == lines[:7] and '"format":2' in written[7] and all('"sum":"' in line for line in written[7:])
    assert again(journal.parent) == whole[1]


def test_published_journals_are_of_the_format_before_and_are_read(tmp_path):
    for path in PUBLISHED.glob("*/journal.jsonl.gz"):
        copy = tmp_path / path.parent.name
        copy.write_bytes(gzip.decompress(path.read_bytes()))
        runs = {record["key"] for line in copy.open() if "key" in (record := json.loads(line))}
        with Journal(copy, version="now", accept_version=True) as journal:
            assert len(journal._entries) == len(runs) > 0


def test_a_link_is_followed_nowhere(journal, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("not a line of a journal, and without an end")
    journal.unlink()
    journal.symlink_to(mine)
    assert "is a link" in refused(journal)
    assert mine.read_text() == "not a line of a journal, and without an end"


@pytest.mark.timeout(20)
def test_a_pipe_is_not_waited_for(journal):
    journal.unlink()
    os.mkfifo(journal)
    assert "no ordinary file" in refused(journal)


def test_endless_and_bottomless_lines_are_refused(journal, monkeypatch):
    sound = journal.read_bytes()
    journal.write_bytes(sound + b'{"key":' + b"[" * 200_000 + b"\n")
    assert "line 14 " in refused(journal)
    monkeypatch.setattr("flnft_sim.sweeps.journal.LONGEST_LINE", 4096)
    journal.write_bytes(sound + b" " * 5000)
    assert "more than 4,096 bytes" in refused(journal)
