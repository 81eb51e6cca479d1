"""`flnft data`: what it prints."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flnft_sim.cli.data import data_app
from flnft_sim.errors import InputError


def run(*arguments: str) -> str:
    result = CliRunner().invoke(data_app, list(arguments), env={"COLUMNS": "120"}, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_fetch_says_what_it_found() -> None:
    assert "digits bundled with scikit-learn; 1,437 + 360 images" in run("fetch", "digits")


def test_show_prints_a_row_a_user_and_draws(tmp_path: Path) -> None:
    picture = tmp_path / "shares.png"
    output = run("show", "digits", "--partition", "shards", "--shards", "2", "--users", "3", "--picture", str(picture))
    rows = [line for line in output.splitlines() if line.startswith("│")]
    assert sum(int(row.split("│")[2]) for row in rows) == 1437
    assert len(rows) == 3
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_errors_come_through_as_sentences() -> None:
    with pytest.raises(InputError, match="cannot share 1437 samples"):
        run("show", "digits", "--users", "2000")
