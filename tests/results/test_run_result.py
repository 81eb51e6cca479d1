"""A run's folder reads back to the same run, is written in a safe order, and refuses what it should."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from synthetic_episode import episode

from flnft_sim.errors import InputError
from flnft_sim.results import RunResult, altered_files, weights_bytes
from flnft_sim.results.tables import COLUMNS, from_csv, to_csv, typed, types_of

#: Text as names, reasons and addresses are: anything printable, and what CSV finds hard.
words = st.text(st.characters(exclude_categories=["C"]) | st.sampled_from(',"\n\r; '), max_size=12)
values = {
    "text": words | st.sampled_from(["", "NA", "nan", "None", "1", "1.0", "true", " x "]),
    "integer": st.integers(-(2**63), 2**63 - 1) | st.none(),
    "number": st.floats() | st.none(),
    "flag": st.booleans() | st.none(),
}


@st.composite
def tables(draw):
    """A table by name, of any length, with its own columns and some that nobody promised."""
    name, rows = draw(st.sampled_from(["aoi", "counters", "privacy"])), draw(st.integers(0, 4))
    kinds = {**COLUMNS[name], "extra_text": "text", "extra_s": "number", "extra_count": "integer", "extra_flag": "flag"}
    columns = {
        column: pd.Series(draw(st.lists(values[kind], min_size=rows, max_size=rows)), dtype=object)
        for column, kind in kinds.items()
    }
    return name, pd.DataFrame(columns)


@given(tables())
def test_a_table_reads_back_bit_by_bit(table):
    name, frame = table
    written = typed(name, frame)
    text = to_csv(written)
    read = from_csv(name, text, types_of(written))
    assert_frame_equal(read, written, check_exact=True)
    assert to_csv(read) == text
    assert types_of(read) == types_of(written)


def assert_same(one, other):
    assert one.tables.keys() == other.tables.keys()
    for name, table in one.tables.items():
        assert_frame_equal(other.tables[name], table, check_exact=True)
    assert (one.summary, one.manifest, one.ledger_lines, one.nft) == (
        other.summary,
        other.manifest,
        other.ledger_lines,
        other.nft,
    )
    assert one.weights.keys() == other.weights.keys()
    for name, arrays in one.weights.items():
        for key, array in arrays.items():
            np.testing.assert_array_equal(other.weights[name][key], array, strict=True)


@pytest.mark.parametrize("seed", range(3))
def test_a_run_reads_back_the_same(tmp_path, seed):
    result = episode(seed, rounds=2 + seed)
    result.save(tmp_path / "run", figures=False)
    assert_same(result, RunResult.load(tmp_path / "run"))


def test_an_interrupted_run_without_a_single_row_reads_back(tmp_path):
    result = RunResult(manifest={"status": "interrupted"})
    result.save(tmp_path / "run")
    loaded = RunResult.load(tmp_path / "run")
    assert_same(result, loaded)
    assert list(loaded.rounds.columns) == list(COLUMNS["rounds"])
    assert "interrupted" in (tmp_path / "run/summary.txt").read_text()


def test_the_folder_holds_what_the_guide_promises(tmp_path):
    episode().save(tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    promised = "manifest.json rounds.csv users.csv bids.csv auctions.csv ledger.jsonl trace.json fl-nft.js summary.txt"
    assert names >= {*promised.split(), "model.safetensors", "figures"}
    assert all(path.suffix == ".png" for path in (tmp_path / "run/figures").iterdir())


def test_missing_values_of_extra_columns_keep_their_type():
    frame = pd.DataFrame({"dao": ["d", None], "rank": [1, None], "rate_bps": [math.nan, 2.0]}, dtype=object)
    assert types_of(typed("rounds", frame)) == {"dao": "text", "rank": "integer", "rate_bps": "number"}


def test_a_column_of_the_wrong_type_is_named():
    with pytest.raises(InputError, match="table rounds, column accuracy"):
        RunResult(rounds=pd.DataFrame({"accuracy": ["good"]}))


def test_names_a_hash_for_every_file_and_finds_the_altered_one(tmp_path):
    run = tmp_path / "run"
    episode().save(run)
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()} - {"manifest.json"}
    assert set(json.loads((run / "manifest.json").read_text())["files"]) == files
    assert altered_files(run) == []
    (run / "rounds.csv").write_text((run / "rounds.csv").read_text().replace("dao-1", "dao-2", 1))
    (run / "users.csv").unlink()
    assert altered_files(run) == ["rounds.csv", "users.csv"]


def test_weights_file_is_the_bytes_that_are_hashed(tmp_path):
    result = episode()
    result.save(tmp_path / "run", figures=False)
    assert (tmp_path / "run/model.safetensors").read_bytes() == weights_bytes(result.weights["model.safetensors"])
    assert set(safetensors.numpy.load_file(tmp_path / "run/model.safetensors")) == {"w", "b"}


def test_refuses_a_folder_in_use_unless_forced(tmp_path):
    run = tmp_path / "run"
    episode(1).save(run)
    (run / "my-notes.txt").write_text("keep me")
    with pytest.raises(InputError, match="--force"):
        episode(2).save(run)
    newer = RunResult(manifest={"status": "interrupted"})
    newer.save(run, force=True)
    assert_same(newer, RunResult.load(run))
    assert (run / "my-notes.txt").read_text() == "keep me"
    assert not (run / "fl-nft.js").exists()  # the former run's, gone with it


def test_a_forced_save_removes_nothing_outside_its_folder(tmp_path):
    run = tmp_path / "run"
    episode().save(run, figures=False)
    (tmp_path / "precious").write_text("keep me")
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"]["../precious"] = "0"
    (run / "manifest.json").write_text(json.dumps(manifest))
    episode().save(run, force=True, figures=False)
    assert (tmp_path / "precious").exists()


def test_a_save_that_dies_leaves_no_manifest(tmp_path, monkeypatch):
    run = tmp_path / "run"
    episode().save(run, figures=False)
    monkeypatch.setattr("flnft_sim.results.run_result.trace_json", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        episode().save(run, force=True, figures=False)
    with pytest.raises(InputError, match="no run folder"):
        RunResult.load(run)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="choose another folder"):
        episode().save(tmp_path / "file" / "run")


@pytest.mark.parametrize("name", ["../fl-nft.js", "rounds.csv"])
def test_refuses_file_names_that_are_not_its_own(name):
    with pytest.raises(InputError, match="plain name"):
        RunResult(nft={name: ""})


def test_damage_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="no run folder"):
        RunResult.load(tmp_path)
    run = tmp_path / "run"
    for name, content in {
        "manifest.json": "{",
        "rounds.csv": "dao,round\nd,one\n",
        "users.csv": "",
        "model.safetensors": "short",
        "ledger.jsonl": None,
    }.items():
        episode().save(run, force=True, figures=False)
        (run / name).write_text(content) if content is not None else (run / name).unlink()
        with pytest.raises(InputError, match=r"damaged|cannot be read"):
            RunResult.load(run)


def test_equal_runs_leave_equal_bytes_whatever_the_hash_seed(tmp_path):
    script = "import sys; from synthetic_episode import episode; episode(4).save(sys.argv[1])"
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script, tmp_path / "other"], check=True, env=environment)
    episode(4).save(tmp_path / "here")
    hashes = [json.loads((tmp_path / name / "manifest.json").read_text())["files"] for name in ("other", "here")]
    assert hashes[0] == hashes[1]


def test_a_run_folder_with_the_names_of_earlier_versions_is_read_by_todays(tmp_path):
    result = episode()
    result.save(tmp_path / "run", figures=False)
    for name in ("users.csv", "manifest.json"):
        path = tmp_path / "run" / name
        path.write_text(path.read_text().replace("cost_round_money", "cost_money"))
    assert_frame_equal(RunResult.load(tmp_path / "run").users, result.users, check_exact=True)
    assert "cost_money" not in RunResult.load(tmp_path / "run").summary
