"""`flnft paper --quick` as a user runs it: against its golden tables, resumed, and made of finished runs alone."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from quick_paper import GOLDEN, OTHERS, SCHEMES, assert_golden, assert_statements, made_in, paper

FLNFT = [sys.executable, "-c", "from flnft_sim.cli import main; main()"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Table 3 on every core, then all the rest in one process, which goes on from there."""
    folder = tmp_path_factory.mktemp("paper")
    begun = subprocess.run(
        [*FLNFT, "paper", "--quick", "table3"], cwd=folder, capture_output=True, text=True, timeout=420
    )
    assert begun.returncode == 0, begun.stderr
    return made_in(folder, *SCHEMES, "--serial")


@pytest.mark.timeout(480)
def test_its_tables_are_the_golden_ones(made):
    assert_golden(made[0], SCHEMES)


def test_it_leaves_one_page_that_needs_nothing_else(made):
    folder, ended = made
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert str(Path("analysis/out/quick/report.html")) in ended.out
    assert len(re.findall(r'<img src="data:image/png;base64,', page)) == page.count("<img ") >= 4
    assert "<script" not in page and "http" not in re.sub(r"base64,[^\"]*", "", page)


def test_every_statement_has_a_verdict_and_names_its_runs(made):
    assert_statements(made[0], SCHEMES)


def test_started_again_it_runs_nothing_and_leaves_the_same_bytes(made):
    folder, _ = made
    before = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    journals = {path: path.read_bytes() for path in folder.glob("runs/*/journal.jsonl")}
    assert journals
    again = paper("--quick", "--finished-only", cwd=folder.parents[2])  # no part named: all of them
    assert again.status == 0, again.err
    assert all(part in again.out + again.err for part in OTHERS)  # wait for their runs
    changed = {name for name, content in before.items() if (folder / name).read_bytes() != content}
    assert changed == {"report.md", "report.html"}  # these tell of the parts that wait
    assert all(path.read_bytes() == content for path, content in journals.items())
    same = paper("--quick", *SCHEMES, cwd=folder.parents[2])
    assert "/16 runs" not in same.err  # no progress: nothing was missing
    assert {path.name: path.read_bytes() for path in folder.glob("*.*")} == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fig7"], "did you mean 'fig6'"),
        (["--quick", "--full"], "exclude each other"),
        (["--quick", "--finished-only", "fig5"], "no finished run"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, arguments, sentence):
    ended = paper(*arguments, cwd=tmp_path)
    assert ended.status == 2
    assert sentence in ended.err.replace("\n", " ")
    assert "Traceback" not in ended.err


def test_missing_images_are_told_before_the_first_run(tmp_path):
    """Where nothing can be downloaded, either; the address does not answer."""
    environment = {"FLNFT_DATA": str(tmp_path), "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    ended = subprocess.run(
        [*FLNFT, "paper", "fig5", "--serial", "--out", str(tmp_path / "out")],
        capture_output=True, text=True, timeout=120, env=os.environ | environment,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "cifar" in ended.stderr.lower() and "Traceback" not in ended.stderr
    assert not list(tmp_path.glob("out/runs/*/journal.jsonl"))


def test_golden_tables_are_readable_csv():
    for path in GOLDEN.glob("*.csv"):
        with path.open(encoding="utf-8") as file:
            widths = {len(row) for row in csv.reader(file)}
        assert len(widths) == 1, path.name
