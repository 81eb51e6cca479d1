"""One registry a family: what ships is known by name before it is imported, and nothing is imported for a check."""

import importlib
import json
import pkgutil
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

import flnft_sim
from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.families import FAMILIES
from flnft_sim.registry import Registry
from flnft_sim.scenario import load_scenario

HEAVY = ("torch", "numba", "hmmlearn", "sklearn", "scipy.stats", "seaborn", "matplotlib", "dask", "distributed")


def heavy_after(code, *words):
    """Which of the heavy libraries a fresh interpreter has imported after running `code`."""
    asked = f"{code}\nimport sys, json\nprint(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", asked, *words], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def program(*words):
    """Code that runs the program in place."""
    return f"""
import contextlib, io, sys
sys.argv = ["flnft", *{words}]
from flnft_sim.cli import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
"""


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("scenarios",), ("scenarios", "describe")])
def test_words_about_the_program_import_no_heavy_library(words):
    assert heavy_after(program(*words)) == []


def test_loading_a_scenario_imports_no_heavy_library_and_no_part():
    code = "from flnft_sim import load_scenario; load_scenario('market'); load_scenario('tiny')"
    assert heavy_after(code) == []
    assert heavy_after(f"{code}\nimport sys; assert 'numpy' not in sys.modules and 'pandas' not in sys.modules") == []


def test_a_bad_name_is_answered_without_importing_the_good_ones():
    code = """
from flnft_sim import load_scenario
try:
    load_scenario("tiny", overrides={"game.belief.kind": "hmmm"})
except ValueError as error:
    assert "unknown belief 'hmmm', did you mean 'hmm'?" in str(error), error
else:
    raise AssertionError
"""
    assert heavy_after(code) == []


@pytest.mark.parametrize(("kind", "needed"), [("ewma", []), ("hmm", ["hmmlearn"])])
def test_a_run_imports_what_its_parts_need(kind, needed):
    """hmmlearn's compiled passes for a hidden Markov belief, without scikit-learn; PyTorch and seaborn for neither."""
    code = f"""
from flnft_sim import load_scenario, run
fields = {{"game.belief.kind": "{kind}", "learning.learner": "surrogate", "learning.rounds": 1}}
run(load_scenario("tiny", overrides=fields))
"""
    assert heavy_after(code) == needed


def test_training_the_digits_needs_neither_pytorch_nor_scikit_learn():
    code = "from flnft_sim import load_scenario, run; run(load_scenario('tiny', overrides={'learning.rounds': 1}))"
    assert not {"torch", "sklearn", "scipy.stats", "seaborn", "matplotlib"} & set(heavy_after(code))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.group)
def test_the_names_that_ship_are_those_their_modules_register(family):
    """Importing all modules of the family's packages registers the known names, each in its own, and no other."""
    homes = family._homes
    for package in {module.rpartition(".")[0] for module in homes.values()}:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    ours = {name for name, part in family._parts.items() if part.__module__.startswith("flnft_sim.")}
    assert ours == set(homes)
    for name in homes:
        assert family.get(name).__module__ == homes[name]


def test_families_have_groups_of_their_own():
    assert len({family.group for family in FAMILIES}) == len(FAMILIES) == len({family.family for family in FAMILIES})


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A family of one part that ships, in a module that notes its import."""
    (tmp_path / "its_home.py").write_text(
        "from its_family import FAMILY\n\n@FAMILY.register('known')\ndef part():\n    return 7\n"
    )
    (tmp_path / "its_family.py").write_text(
        "from flnft_sim.registry import Registry\n"
        "FAMILY = Registry('toy', group='flnft_sim.toys', homes={'known': 'its_home'})\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("its_family").FAMILY
    for module in ("its_home", "its_family"):
        sys.modules.pop(module, None)


def test_a_part_that_ships_is_imported_when_it_is_first_asked_for(shipped):
    assert "known" in shipped and list(shipped) == ["known"] and shipped.names() == ["known"]
    with pytest.raises(UnknownNameError, match="unknown toy 'knwon', did you mean 'known'"):
        shipped.get("knwon")
    assert "its_home" not in sys.modules
    assert shipped.get("known")() == 7


def test_a_name_that_ships_cannot_be_taken_before_or_after_its_part_is_imported(shipped):
    with pytest.raises(InputError, match="toy 'known' is registered twice"):
        shipped.register("known")(len)
    assert shipped.get("known")() == 7
    with pytest.raises(InputError, match="toy 'known' is registered twice"):
        shipped.register("known")(len)


def test_decorated_parts_and_entry_points_are_found_beside_what_ships(shipped, monkeypatch):
    shipped.register("mine")(max)
    points = EntryPoints([EntryPoint("theirs", "builtins:min", "flnft_sim.toys"), EntryPoint("x", "os:sep", "other")])
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **chosen: points.select(**chosen))
    assert shipped.names() == ["known", "mine", "theirs"]
    assert "theirs" in shipped and "x" not in shipped
    assert shipped.get("mine") is max and shipped.get("theirs") is min


def test_figures_are_also_found_where_they_were_before():
    """Plug-ins of others name these addresses; there must be one registry and one style behind both."""
    earlier, today = (
        [importlib.import_module(f"flnft_sim.{name}") for name in names]
        for names in (
            ("results.figures", "results.figures.style", "results.figures.series", "results.palette"),
            ("figures", "figures.style", "figures.run.series", "figures.palette"),
        )
    )
    assert earlier == today


def test_a_registry_of_ones_own_needs_no_homes():
    own = Registry[int]("number", group="flnft_sim.numbers_of_nobody")
    own.register("one")(1)
    assert own.get("one") == 1 and list(own) == ["one"] and "two" not in own


def test_the_package_lists_what_it_has_and_says_its_version():
    offered = {name for name in dir(flnft_sim) if not name.startswith("_")}
    assert offered == set(flnft_sim.__all__) - {"__version__"}
    assert "__version__" in dir(flnft_sim)
    assert flnft_sim.load_scenario is load_scenario
    with pytest.raises(AttributeError, match="no attribute 'simulate'"):
        flnft_sim.simulate  # noqa: B018
    done = subprocess.run(
        [sys.executable, "-c", "from flnft_sim.cli import main; main()", "--version"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"flnft {flnft_sim.__version__}\n"
