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


DOCKER_FAULTS = {
    r"^FROM \S+:latest|^FROM [^:\s]+$": "an image without a version",
    r"^ADD ": "ADD, which unpacks and downloads",
    r"^(ENTRYPOINT|CMD) [^\[]": "a command in a shell, which takes no signals",
    r"pip install (?!.*--no-cache-dir)": "a cache of pip's in the image",
    r"^USER root": "root",
}


def docker_faults(text, root):
    """What is wrong with a Dockerfile: bad lines, sources that are not there, a program that runs as root."""
    found = [fault for pattern, fault in DOCKER_FAULTS.items() if re.search(pattern, text, re.MULTILINE)]
    copies = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    sources = [source for copied in copies for source in copied]
    found += [f"no {source}" for source in sources if not (root / source).exists()]
    allowed = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    found += [f"{source} is not sent" for source in sources if f"!{source}" not in allowed]
    return found if re.search(r"^USER \w+", text.rpartition("FROM")[2], re.MULTILINE) else [*found, "root by default"]


def test_the_dockerfile_is_sound(root):
    assert docker_faults((root / "Dockerfile").read_text(encoding="utf-8"), root) == []


@pytest.mark.parametrize(
    "line", ["FROM python", "ADD x /x", "CMD flnft", "RUN pip install x", "COPY no-such-file ./", "COPY Makefile ./"]
)
def test_a_faulty_dockerfile_is_found(root, line):
    assert docker_faults(f"FROM python:3.12-slim\nUSER flnft\n{line}\n", root)
    assert docker_faults("FROM python:3.12-slim\n", root) == ["root by default"]


def test_classifiers_say_what_setup_accepts(root):
    package = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(package["classifiers"]))
    accepted = re.search(r"\((\d), (\d+)\).*\((\d), (\d+)\)", (root / "scripts" / "setup").read_text(encoding="utf-8"))
    first, last = int(accepted[2]), int(accepted[4])
    assert versions == [f"3.{minor}" for minor in range(first, last + 1)]
    assert package["requires-python"] == f">=3.{first}"
