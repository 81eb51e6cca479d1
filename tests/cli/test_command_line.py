"""The program as a user types it: exit status, sentences, files."""

import io
import json
import os
import signal
import subprocess
import sys

import pytest

from flnft_sim import RunResult
from flnft_sim.cli import main
from flnft_sim.errors import FlnftError
from flnft_sim.progress import RunProgress
from flnft_sim.results import Claim

FLNFT = [sys.executable, "-c", "from flnft_sim.cli import main; main()"]


def flnft(*words, cwd, timeout=120):
    return subprocess.run([*FLNFT, *words], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)


def status_of(*words, monkeypatch):
    """The program's exit status, run inside this process."""
    monkeypatch.setattr(sys, "argv", ["flnft", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


def test_an_unknown_format_of_figures_is_refused_before_the_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert status_of("run", "tiny", "--figures", "gif", monkeypatch=monkeypatch) == 2
    assert "'gif' is not one of 'png', 'pdf', 'svg', 'none'" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A finished run of `tiny`, made by the command line: its working directory and what was printed."""
    folder = tmp_path_factory.mktemp("tiny")
    done = flnft("run", "tiny", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


def test_a_run_prints_a_summary_and_leaves_its_folder(tiny):
    folder, done = tiny
    for words in ("accuracy", "minting time", "user utility", "cash surplus", "money conserved", "pays"):
        assert words in done.stdout
    run = folder / "runs/tiny-s0"
    names = {path.name for path in run.iterdir()}
    tables = {"rounds.csv", "users.csv", "bids.csv", "auctions.csv", "spans.csv", "accounts.csv"}
    assert tables | {"manifest.json", "ledger.jsonl", "trace.json", "fl-nft.js", "model.safetensors"} <= names
    assert {"map.png", "accuracy.png", "phases.png"} <= {path.name for path in (run / "figures").iterdir()}
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["status"] == "finished" and manifest["scenario"]["name"] == "tiny"
    assert set(manifest["files"]) == {str(path.relative_to(run)) for path in run.rglob("*.*")} - {"manifest.json"}


def test_what_was_written_reads_back(tiny):
    result = RunResult.load(tiny[0] / "runs/tiny-s0")
    assert len(result.rounds) == 3 and len(result.users) == 12
    assert result.summary["money_total_units"] == result.summary["money_issued_units"]
    assert result.users["reward_received_money"].sum() == pytest.approx(result.auctions["dao_receipt_money"].sum())


def test_a_finished_run_verifies_and_an_altered_one_does_not(tiny, tmp_path):
    run = tiny[0] / "runs/tiny-s0"
    assert flnft("verify", str(run), cwd=tmp_path).returncode == 0
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in run.rglob("*.*"):
        (copy / path.relative_to(run)).parent.mkdir(exist_ok=True)
        (copy / path.relative_to(run)).write_bytes(path.read_bytes())
    damaged = bytearray((copy / "model.safetensors").read_bytes())
    damaged[-1] ^= 1
    (copy / "model.safetensors").write_bytes(damaged)
    refused = flnft("verify", str(copy), cwd=tmp_path)
    assert refused.returncode == 1 and "model.safetensors" in refused.stderr


def test_an_existing_folder_is_refused_until_forced(tiny):
    folder, _ = tiny
    refused = flnft("run", "tiny", cwd=folder)
    assert refused.returncode == 2 and "--force" in refused.stderr and "Traceback" not in refused.stderr
    assert flnft("run", "tiny", "--force", "--no-figures", "-q", cwd=folder).stdout == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "tinny"], "did you mean 'tiny'"),
        (["run", "tiny", "--set", "game.sgima=0.5"], "did you mean 'sigma'"),
        (["run", "tiny", "--set", "game.sigma=1"], "game.sigma = 1"),
        (["run", "tiny", "--set", "population.users=0"], "population.users = 0"),
        (["run", "tiny", "--set", "game.budget_money=-1"], "game.budget_money = -1"),
        (["run", "tiny", "--set", "game.privacy_range=[5,1]"], "reversed"),
        (["run", "tiny", "--set", "learning.dataset=minst"], "did you mean 'mnist'"),
        (["run", "tiny", "--seed", "x"], "--seed"),
        (["run", "tiny", "--out", "/proc/nowhere"], "--out"),
        (["run", "roblox10-mnist-mlp", "--data-dir", "nothing-here"], "nothing-here does not exist"),
        (["run", "tiny", "--set", "learning.device=cuda", "--set", "learning.engine=cpu"], "cuda"),
        (["verify", "nothing-here"], "nothing-here"),
        (["run", "tiny", "--set", "public_chain.gas_limit=21000"], "gas_limit = 21000"),
        (["run", "tiny", "--set", "market.bidding_s=1e9"], "timeline.longest_s"),
        (["audit", "--replay", "not-utf8"], "not-utf8 (it is not UTF-8 text)"),
        (["audit", "--replay", "not-json"], "not-json is no counterexample"),
        (["audit", "--out", "not-json"], "not-json is no folder"),
        (["game", "tiny", "--out", "not-json/here"], "not-json is no folder"),
        (["data", "show", "digits", "--picture", "nowhere/a.png"], "there is no folder nowhere"),
        (["data", "show", "digits", "--picture", "a.gif"], "a picture ends in .png, .pdf, .svg"),
        (["plot", "some-sweep", "--out", "nowhere/a.png"], "there is no folder nowhere"),
        (["viz", "tiny", "--host", "a" * 300], "cannot listen on"),
        (["audit", "no-such-rule"], "no-such-rule"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_status_two(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "not-utf8").write_bytes(b"\xff\xfe{}")
    (tmp_path / "not-json").write_text("{")
    assert status_of(*words, monkeypatch=monkeypatch) == 2
    assert sentence in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"not-utf8", "not-json"}  # nothing that nobody asked for


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_lacks_our_signs_shows_question_marks(encoding, tmp_path, monkeypatch):
    printed = io.BytesIO()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding=encoding))
    assert status_of("scenarios", "describe", "game", monkeypatch=monkeypatch) == 0
    sys.stdout.flush()
    assert b"? in h(x)" in printed.getvalue()


def after_rounds(rounds, happens, monkeypatch):
    """Let something happen when so many rounds have ended."""
    told = RunProgress.__call__

    def tell(self, row):
        told(self, row)
        if row["round"] == rounds:
            happens()

    monkeypatch.setattr(RunProgress, "__call__", tell)


def put_aside_soon(monkeypatch):
    """Let a run keep a few rows and blocks in memory, and the others on the disk."""
    monkeypatch.setattr("flnft_sim.spool.CHUNK", 4)
    monkeypatch.setattr("flnft_sim.ledger.chain.KEPT", 4)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_leaves_what_was_finished(number, status, tmp_path, monkeypatch, capsys):
    """A real signal, sent when the third round has ended; most of what was finished lies on the disk by then."""
    put_aside_soon(monkeypatch)
    after_rounds(3, lambda: os.kill(os.getpid(), number), monkeypatch)
    monkeypatch.chdir(tmp_path)
    words = ["run", "tiny", "--no-figures", "--set", "learning.rounds=50", "--set", "learning.learner=surrogate"]
    assert status_of(*words, monkeypatch=monkeypatch) == status
    printed = capsys.readouterr()
    assert "interrupted" in printed.out and "Traceback" not in printed.err
    assert len(list((tmp_path / "runs/tiny-s0").iterdir())) == 22
    result = RunResult.load("runs/tiny-s0")
    assert result.manifest["status"] == "interrupted" and len(result.rounds) == 3
    assert status_of("verify", "runs/tiny-s0", monkeypatch=monkeypatch) == 0


@pytest.mark.parametrize("while_at", ["saving", "drawing here", "drawing there"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_at_the_very_end_leaves_a_whole_run(number, status, while_at, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stop = {
        "saving": "flnft_sim.results.run_result.trace_json",
        "drawing here": "flnft_sim.results.pictures.figure_bytes",
        "drawing there": "flnft_sim.figures.drawing.Drawer._drawn_there",
    }
    monkeypatch.setattr("flnft_sim.figures.drawing.cores", lambda: 1 if while_at == "drawing here" else 2)
    monkeypatch.setattr(stop[while_at], lambda *_, **__: os.kill(os.getpid(), number) or "")
    assert status_of("run", "tiny", "--set", "learning.learner=surrogate", monkeypatch=monkeypatch) == status
    result = RunResult.load("runs/tiny-s0")
    assert result.manifest["status"] == "finished" and len(result.rounds) == 3
    assert status_of("verify", "runs/tiny-s0", monkeypatch=monkeypatch) == 0


def test_a_run_that_fails_keeps_what_was_finished_and_says_why(tmp_path, monkeypatch, capsys):
    def fail():
        raise FlnftError("the moon fell down")

    put_aside_soon(monkeypatch)
    after_rounds(2, fail, monkeypatch)
    monkeypatch.chdir(tmp_path)
    words = ["run", "tiny", "--set", "learning.learner=surrogate"]
    assert status_of(*words, monkeypatch=monkeypatch) == 1
    printed = capsys.readouterr()
    assert "the moon fell down" in printed.err and "failed: what follows is as far as it came" in printed.out
    result = RunResult.load("runs/tiny-s0")
    assert (result.manifest["status"], result.manifest["error"]) == ("failed", "the moon fell down")
    assert len(result.rounds) == 2
    assert status_of("verify", "runs/tiny-s0", monkeypatch=monkeypatch) == 0


def test_a_run_that_never_began_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert status_of("run", "roblox10-mnist-mlp", "--data-dir", "nothing-here", monkeypatch=monkeypatch) == 2
    assert not list(tmp_path.iterdir())


def test_a_folder_that_another_run_writes_is_refused_before_the_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with Claim(tmp_path / "runs/tiny-s0", force=False):
        assert status_of("run", "tiny", "--force", monkeypatch=monkeypatch) == 2
    assert "still under way" in capsys.readouterr().err


def test_listing_scenarios_needs_no_pytorch(tmp_path):
    script = """
import sys
from flnft_sim.cli import main
from flnft_sim.progress import RunProgress
sys.argv = ["flnft", "scenarios"]
try:
    main()
except SystemExit:
    assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "roblox10" in done.stdout


def test_a_broken_pipe_is_no_traceback(tmp_path):
    line = f"{sys.executable} -c 'from flnft_sim.cli import main; main()' scenarios describe | head -1"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_the_same_run_from_its_manifest(tiny, tmp_path):
    """The scenario in a manifest is complete: run again, it leaves the same ledger."""
    run = tiny[0] / "runs/tiny-s0"
    done = flnft("run", str(run / "manifest.json"), "--out", "again", "--no-figures", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again/ledger.jsonl").read_bytes() == (run / "ledger.jsonl").read_bytes()
