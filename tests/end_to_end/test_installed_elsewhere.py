"""A wheel carries the shipped scenarios, wherever it is installed and wherever the user stands."""

import os
import re
import subprocess
import sys

LIST = """
from flnft_sim.scenario import find_scenario, scenario_names
from flnft_sim.sweeps.plan import load_plan, sweep_names
import flnft_sim
print(flnft_sim.__file__)
print(*scenario_names())
print(*sweep_names())
for name in scenario_names():
    find_scenario(name)
for name in sweep_names():
    load_plan(name)
"""


def test_a_wheel_lists_its_scenarios_from_any_folder(root, tmp_path):
    """Built from a copy of the sources: a build leaves its own folders there."""
    sources, target, here = tmp_path / "sources", tmp_path / "installed here", tmp_path / "ein Ördner"
    here.mkdir()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    copied = ["flnft_sim", "scenarios", "setup.py", "pyproject.toml", "README.md", "LICENSE"]
    sources.mkdir()
    subprocess.run(["cp", "-r", *(str(root / name) for name in copied), str(sources)], check=True)
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "install", *offline, "--target", str(target), str(sources)], check=True)

    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run(
        [sys.executable, "-c", LIST], cwd=here, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    where, scenarios, sweeps = done.stdout.splitlines()
    assert where.startswith(str(target))
    assert scenarios.split() == sorted(path.stem for path in (root / "scenarios").glob("*.yaml"))
    assert sweeps.split() == sorted(path.stem for path in (root / "scenarios/sweeps").glob("*.yaml"))
    assert not list(here.iterdir())
    words = ["run", "tiny", "--set", "learning.learner=surrogate", "--no-figures", "-q", "--out", "ein Lauf"]
    done = subprocess.run(
        [sys.executable, "-m", "flnft_sim", *words],
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in here.iterdir()] == ["ein Lauf"]
    (metadata,) = target.glob("flnft_sim-*.dist-info/METADATA")
    check_metadata(metadata.read_text(encoding="utf-8"))


def check_metadata(text):
    """URLs, classifiers, and a description of which no link leads to a file of the repository."""
    head, _, description = text.partition("\n\n")
    assert "Project-URL: Paper, https://doi.org/" in head and "Classifier: Typing :: Typed" in head
    assert "Description-Content-Type: text/markdown" in head and "# flnft-sim" in description
    links = re.findall(r"\]\(([^)]*)\)", description)
    assert all(re.match(r"[a-z]+:|#", link) for link in links), links
    assert "docs/fidelity.md" in description
