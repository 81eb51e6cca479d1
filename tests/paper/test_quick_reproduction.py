"""`flnft paper --quick` as a user runs it: against its golden tables, resumed, and made of finished runs alone."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from flnft_sim.paper import PARTS
from flnft_sim.paper.section import Verdict

GOLDEN = Path(__file__).parent / "golden"
# Real training rounds differently with another vector width; what only the surrogate and the clock decide does not.
TRAINED = (
    "fig5", "ablation", "fig6", "privacy", "private", "surrogate", "dirichlet", "sensitivity-spots",
    "mechanisms", "presale-risk", "contribution",
)  # fmt: skip


def paper(*arguments, cwd):
    command = [sys.executable, "-c", "import sys; from flnft_sim.cli import main; sys.exit(main())", "paper"]
    return subprocess.run(
        [*command, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=420,
        env=os.environ | {"COLUMNS": "200"},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    ended = paper("--quick", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder / "analysis/out/quick", ended


def tables_of(folder):
    return {path.name: pd.read_csv(path) for path in sorted(folder.glob("*.csv"))}


@pytest.mark.timeout(480)
def test_its_tables_are_the_golden_ones(made):
    ours, golden = tables_of(made[0]), tables_of(GOLDEN)
    assert list(ours) == list(golden)
    for name, table in golden.items():
        trained = name.startswith(TRAINED)
        tolerance = {"rtol": 0.02, "atol": 0.03} if trained else {"rtol": 1e-6}
        columns = [column for column in table if not (trained and (column == "p" or "ci95" in column))]
        pd.testing.assert_frame_equal(ours[name][columns], table[columns], **tolerance, obj=name)


def test_it_leaves_one_page_that_needs_nothing_else(made):
    folder, ended = made
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert str(Path("analysis/out/quick/report.html")) in ended.stdout
    assert len(re.findall(r'<img src="data:image/png;base64,', page)) == page.count("<img ") >= 6
    assert "<script" not in page and "http" not in re.sub(r"base64,[^\"]*", "", page)


def test_every_statement_has_a_verdict_and_names_its_runs(made):
    text = (made[0] / "report.md").read_text(encoding="utf-8")
    tables = text.split("| the paper | here | verdict | runs |\n")[1:]
    assert len(tables) == len(PARTS)
    for table in tables:
        for row in table.partition("\n\n")[0].splitlines()[1:]:
            _, _, _, verdict, runs, _ = (cell.strip() for cell in row.split("|"))
            assert verdict.strip("*") in list(Verdict)
            assert re.search(r"`runs/[a-z0-9-]+`|`flnft (run|audit) ", runs)
            for study in re.findall(r"`runs/([a-z0-9-]+)`", runs):
                assert (made[0] / "runs" / study / "runs.csv").is_file()


def test_started_again_it_runs_nothing_and_leaves_the_same_bytes(made):
    folder, _ = made
    before = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    journals = {path: path.read_bytes() for path in folder.glob("runs/*/journal.jsonl")}
    assert journals
    again = paper("--quick", "fig5", "fig6", "--finished-only", cwd=folder.parents[2])
    assert again.returncode == 0, again.stderr
    changed = {name for name, content in before.items() if (folder / name).read_bytes() != content}
    assert changed == {"report.md", "report.html"}  # these tell the two parts only
    assert all(path.read_bytes() == content for path, content in journals.items())
    whole = paper("--quick", cwd=folder.parents[2])
    assert "/16 runs" not in whole.stderr  # no progress: nothing was missing
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
    assert ended.returncode == 2
    assert sentence in ended.stderr.replace("\n", " ")
    assert "Traceback" not in ended.stderr


def test_missing_images_are_told_before_the_first_run(tmp_path):
    """Where nothing can be downloaded, either; the address does not answer."""
    environment = {"FLNFT_DATA": str(tmp_path), "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    code = "import sys; from flnft_sim.cli import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-c", code, "paper", "fig5", "--serial", "--out", str(tmp_path / "out")],
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
