"""The files that GitHub, Git and bibliographies read: they parse, and say what the package says."""

import re
import shlex
import tomllib

import pytest
import yaml


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_citation_is_of_this_version(root):
    package = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation, readme = read(root / "CITATION.cff"), (root / "README.md").read_text(encoding="utf-8")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert (citation["version"], citation["license"]) == (package["version"], package["license"])
    bibtex = dict(
        re.findall(r"^  (\w+) += \{+(.+?)\}+,?$", readme.partition("@software")[2].partition("@article")[0], re.M)
    )
    assert bibtex["title"] == citation["title"] and bibtex["version"] == citation["version"]
    assert citation["references"][0]["doi"] in readme


@pytest.mark.parametrize("name", ["bug", "idea"])
def test_the_forms_ask_something(root, name):
    form = read(root / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml")
    assert form["name"] and form["description"]
    fields = [field["id"] for field in form["body"]]
    assert fields and len(set(fields)) == len(fields)
    assert all(field["type"] in ("input", "textarea") and field["attributes"]["label"] for field in form["body"])


def test_before_a_commit_runs_what_make_lint_runs(root):
    (local,) = read(root / ".pre-commit-config.yaml")["repos"]
    before = {shlex.split(hook["entry"])[0].removeprefix(".venv/bin/") for hook in local["hooks"]}
    recipe = (root / "Makefile").read_text(encoding="utf-8").partition("\nlint:")[2].partition("\n\n")[0]
    assert before == set(re.findall(r"\$\(BIN\)/([\w-]+)", recipe))
