"""Parts of one's own from a file: run when a scenario needs them, recorded by hash, and sent where the file is not."""

import json
import pickle
import sys

import pytest

from flnft_sim import RunResult, imports, load_scenario, run, sweep
from flnft_sim.cli import main
from flnft_sim.errors import InputError
from flnft_sim.machine import code_version
from flnft_sim.market import RULES
from flnft_sim.scenario import ScenarioError, describe_scenario, with_fields
from flnft_sim.simulation import FlnftModel
from flnft_sim.sweeps.identity import identity
from flnft_sim.sweeps.job import execute
from flnft_sim.sweeps.plan import load_plan
from flnft_sim.sweeps.runs import Runs
from flnft_sim.sweeps.simulator import FlnftSimulator

PART = """
import numpy as np
from flnft_sim.market.rules import RULES, one_dao_serves


@RULES.register("posted")
def posted(book):
    price = book.reserve {more}
    trade = (book.ask(1) <= price) & np.isfinite(price)
    return one_dao_serves(book, trade[..., None] & (book.bids >= price[..., None]), price[..., None])
"""


@pytest.fixture(autouse=True)
def forgetful():
    """Nothing of one test is known in the next, as in processes of their own."""
    yield
    for active in imports._active.values():
        imports._forget(active.names)
    imports._active.clear()
    imports._sources.clear()


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """A folder with a file of parts and a scenario that imports it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts.py").write_text(PART.format(more=""))
    (tmp_path / "mine.yaml").write_text(
        "extends: tiny\nimport: parts.py\nmarket: {rule: posted}\nlearning: {rounds: 1}\ngame: {history_auctions: 2}\n"
    )
    return tmp_path


def status_of(*words, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["flnft", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


def as_elsewhere(folder):
    """Forget what was imported, and take the file away: another process, on another machine."""
    for active in imports._active.values():
        imports._forget(active.names)
    imports._active.clear()
    imports._sources.clear()
    (folder / "parts.py").rename(folder / "away.py")


def test_a_scenario_imports_what_lies_beside_it_and_a_run_keeps_it(parts):
    scenario = load_scenario(parts / "mine.yaml")
    [pin] = scenario.imports
    assert pin.file == "parts.py" and pin.sha256 == imports.read_source(parts / "parts.py").sha256
    result = run(scenario)
    result.save(parts / "run", figures="none")
    assert (parts / "run/imports/parts.py").read_bytes() == (parts / "parts.py").read_bytes()
    assert RunResult.load(parts / "run").imports == result.imports
    as_elsewhere(parts)
    again = run(parts / "run/manifest.json")
    assert again.ledger_lines == result.ledger_lines
    assert with_fields(scenario, {"seed": 1}).imports == scenario.imports


def test_a_resolved_scenario_finds_its_file_beside_it(parts, monkeypatch, capsys):
    assert status_of("scenarios", "show", "mine.yaml", "--resolved", monkeypatch=monkeypatch) == 0
    (parts / "resolved.yaml").write_text(capsys.readouterr().out)
    assert load_scenario(parts / "resolved.yaml").imports == load_scenario(parts / "mine.yaml").imports


def test_a_run_whose_file_is_missing_or_changed_says_so(parts, monkeypatch, capsys):
    run(load_scenario(parts / "mine.yaml")).save(parts / "run", figures="none")
    kept = parts / "run/imports/parts.py"
    kept.write_text(PART.format(more="* 2"))
    assert status_of("run", "run/manifest.json", monkeypatch=monkeypatch) == 2
    assert "imports/parts.py was changed since the run" in capsys.readouterr().err
    kept.unlink()
    assert status_of("run", "run/manifest.json", monkeypatch=monkeypatch) == 2
    assert "imports/parts.py is missing" in capsys.readouterr().err
    assert not (parts / "runs").exists()
    assert load_scenario(parts / "run/manifest.json", imports=["parts.py"]).market.rule == "posted"


def test_listing_and_verifying_run_nothing_and_a_rerun_says_what_it_runs(parts, monkeypatch, capsys):
    run(load_scenario(parts / "mine.yaml")).save(parts / "run", figures="none")
    as_elsewhere(parts)
    (parts / "scenarios").mkdir()
    (parts / "scenarios/trap.yaml").write_text("description: a trap\nimport: trap.py\n")
    (parts / "scenarios/trap.py").write_text("raise SystemExit('sprung')\n")
    assert describe_scenario("trap") == "a trap"
    assert status_of("scenarios", monkeypatch=monkeypatch) == 0
    assert status_of("scenarios", "show", "trap", monkeypatch=monkeypatch) == 0
    assert status_of("verify", "run", monkeypatch=monkeypatch) == 0
    assert not imports._active and "posted" not in RULES
    capsys.readouterr()
    assert status_of("verify", "run", "--rerun", monkeypatch=monkeypatch) == 0
    assert "this runs the folder's imports/parts.py (SHA-256 " in capsys.readouterr().out


def test_a_file_edited_and_loaded_again_replaces_what_it_registered(parts):
    first = load_scenario(parts / "mine.yaml")
    (parts / "parts.py").write_text(PART.format(more="* 2"))
    second = load_scenario(parts / "mine.yaml")
    assert first.imports != second.imports
    assert identity(first.model_dump(mode="json")) != identity(second.model_dump(mode="json"))
    FlnftModel(first)
    assert imports._active["parts.py"].sha256 == first.imports[0].sha256, "a model runs the parts it was resolved with"


def test_two_files_that_register_one_name_are_told(parts):
    (parts / "others.py").write_text(PART.format(more="* 3"))
    with pytest.raises(ScenarioError, match="'posted' is registered twice"):
        load_scenario(parts / "mine.yaml", imports=[parts / "others.py"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import numpy as np\nx = 1 +\n", r"parts\.py, line 2: SyntaxError"),
        ("import nothing_of_the_kind\n", r"parts\.py, line 1: ModuleNotFoundError"),
        ("def f():\n    raise KeyError('k')\n\n\nf()\n", r"parts\.py, line 2: KeyError"),
    ],
)
def test_a_file_that_does_not_run_is_told_by_its_line(parts, text, told):
    (parts / "parts.py").write_text(text)
    with pytest.raises(ScenarioError, match=told) as fault:
        load_scenario(parts / "mine.yaml")
    assert "Traceback" not in str(fault.value)


@pytest.mark.parametrize("name", ["nowhere.py", "mine.yaml", "folder.py", "\0.py"])
def test_what_is_no_python_file_is_refused(parts, name):
    (parts / "folder.py").mkdir()
    with pytest.raises(InputError, match="--import"):
        load_scenario("tiny", imports=[name])


@pytest.mark.parametrize("line", ["import: 3", "import: [[x]]", "imports: 3", "imports: [{file: x.py}]"])
def test_what_names_no_file_is_refused(parts, line):
    (parts / "bad.yaml").write_text(f"extends: tiny\n{line}\n")
    with pytest.raises(InputError, match="import"):
        load_scenario(parts / "bad.yaml")


def test_a_strangers_manifest_names_no_file_outside_its_run(parts):
    run(load_scenario(parts / "mine.yaml")).save(parts / "run", figures="none")
    manifest = json.loads((parts / "run/manifest.json").read_text())
    manifest["scenario"]["imports"][0]["file"] = "../../parts.py"
    (parts / "run/manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="no name of a Python file"):
        load_scenario(parts / "run/manifest.json")


def test_the_error_of_an_unknown_part_names_the_option(parts, monkeypatch, capsys):
    assert status_of("run", "tiny", "--set", "market.rule=posted", monkeypatch=monkeypatch) == 2
    assert "unknown clearing rule 'posted'" in (told := capsys.readouterr().err) and "--import FILE.py" in told
    words = ("audit", "posted", "--markets", "20", "--import", "parts.py", "--out", str(parts / "audit"))
    assert status_of(*words, monkeypatch=monkeypatch) == 0


def test_a_worker_without_the_file_runs_it_and_a_changed_file_is_another_run(parts):
    plan = load_plan({"name": "s", "scenario": str(parts / "mine.yaml"), "grid": {"game.sigma": [0.4]}})
    runs = Runs(plan, FlnftSimulator())
    job = pickle.loads(pickle.dumps(runs.job(next(iter(runs)), code_version=code_version())))
    as_elsewhere(parts)
    assert execute(job)["status"] == "ok"
    (parts / "parts.py").write_text(PART.format(more="* 2"))
    changed = Runs(plan, FlnftSimulator())
    assert next(iter(changed)).identity != next(iter(runs)).identity


def test_a_scenario_takes_its_parts_to_another_process(parts):
    packed = pickle.dumps(load_scenario(parts / "mine.yaml"))
    as_elsewhere(parts)
    assert pickle.loads(packed).market.rule == "posted" and "posted" in RULES


@pytest.mark.timeout(120)
def test_a_sweep_on_worker_processes(parts):
    plan = {"name": "s", "scenario": "tiny", "grid": {"market.rule": ["posted", "uniform"]}, "metrics": ["accuracy"]}
    table = sweep(plan, out=parts / "out", imports=(parts / "parts.py",), workers=2)
    assert list(table["status"]) == ["ok", "ok"]
