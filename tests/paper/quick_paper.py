"""`flnft paper --quick` in two halves, that two workers make at once: its golden tables, and what its page must say."""

import re
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from flnft_sim.cli import main
from flnft_sim.paper import PARTS
from flnft_sim.paper.section import Verdict

GOLDEN = Path(__file__).parent / "golden"
SCHEMES = ("fig4", "fig5", "ablation", "fig6", "table3", "surrogate")  # most read the runs of fig5
OTHERS = tuple(part for part in PARTS if part not in SCHEMES)
# Real training rounds differently with another vector width; what only the surrogate and the clock decide does not.
TRAINED = (
    "fig5", "ablation", "fig6", "privacy", "private", "surrogate", "dirichlet", "sensitivity-spots",
    "mechanisms", "presale-risk", "contribution",
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How the program ended, and what it said."""

    status: int
    out: str
    err: str


def paper(*arguments, cwd):
    """`flnft paper ARGUMENTS` in `cwd`, in this process."""
    out, err = StringIO(), StringIO()
    with (
        patch.object(sys, "argv", ["flnft", "paper", *arguments]),
        chdir(cwd),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
            status = 0
        except SystemExit as left:
            status = left.code
    return Ended(status, out.getvalue(), err.getvalue())


def made_in(cwd, *arguments):
    """The folder that the program leaves, and how it ended."""
    ended = paper("--quick", *arguments, cwd=cwd)
    assert ended.status == 0, ended.err
    return cwd / "analysis/out/quick", ended


def tables_of(folder):
    return {path.name: pd.read_csv(path) for path in sorted(folder.glob("*.csv"))}


def assert_golden(folder, parts):
    """The tables in the folder are the golden ones of these parts: none more, none less."""
    ours = tables_of(folder)
    golden = {
        name: table for name, table in tables_of(GOLDEN).items() if name.startswith(SCHEMES) == (parts == SCHEMES)
    }
    assert list(ours) == list(golden)
    for name, table in golden.items():
        trained = name.startswith(TRAINED)
        tolerance = {"rtol": 0.02, "atol": 0.03} if trained else {"rtol": 1e-6}
        columns = [column for column in table if not (trained and (column == "p" or "ci95" in column))]
        pd.testing.assert_frame_equal(ours[name][columns], table[columns], **tolerance, obj=name)


def assert_statements(folder, parts):
    """Every part has its table of statements, each with a verdict and runs that are there."""
    tables = (folder / "report.md").read_text(encoding="utf-8").split("| the paper | here | verdict | runs |\n")[1:]
    assert len(tables) == len(parts)
    for table in tables:
        for row in table.partition("\n\n")[0].splitlines()[1:]:
            _, _, _, verdict, runs, _ = (cell.strip() for cell in row.split("|"))
            assert verdict.strip("*") in list(Verdict)
            assert re.search(r"`runs/[a-z0-9-]+`|`flnft (run|audit) ", runs)
            for study in re.findall(r"`runs/([a-z0-9-]+)`", runs):
                assert (folder / "runs" / study / "runs.csv").is_file()
