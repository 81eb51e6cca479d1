"""The pages say what is: their links, the paths, targets and commands that they name, and the index that lists them."""

import re

import pytest
from typer.main import get_command

from flnft_sim.cli import app

PAGES = ("*.md", "docs/**/*.md", ".github/**/*.md")
ROOMS = ("flnft_sim", "tests", "docs", "scripts", "analysis", "benchmarks", "scenarios")


def pages(root):
    """Every page of the repository."""
    return sorted(path for pattern in PAGES for path in root.glob(pattern))


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def broken_links(page):
    """The relative links of a page that lead to no file, or to no heading of it."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        if not there.exists() or (anchor and anchor not in anchors(there.read_text(encoding="utf-8"))):
            found.append(target)
    return found


def missing_paths(root, page):
    """The files and folders that a page names in backticks and that are not there."""
    named = re.findall(rf"`((?:{'|'.join(ROOMS)})/[\w./-]*)`", page.read_text(encoding="utf-8"))
    return [path for path in named if not (root / path).exists()]


def test_links_lead_somewhere(root):
    assert {page.name: broken_links(page) for page in pages(root) if broken_links(page)} == {}


@pytest.mark.parametrize("link", ["nowhere.md", "there.md#no-such-heading", "#no-such-heading"])
def test_a_link_that_leads_nowhere_is_found(tmp_path, link):
    (tmp_path / "there.md").write_text("# There, `really`\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Here\n[a](there.md) [b](there.md#there-really) [c](https://x.y/) [d](#here) [e]({link})\n")
    assert broken_links(page) == [link]


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/index.md", "docs/design.md", "docs/tutorial.md"]
)
def test_the_paths_that_it_names_are_there(root, page):
    assert missing_paths(root, root / page) == []


def test_every_page_is_in_the_index(root):
    listed = set(re.findall(r"\]\(([^)#]+)", (root / "docs" / "index.md").read_text(encoding="utf-8")))
    assert {path.name for path in (root / "docs").glob("*.md")} - {"index.md"} <= listed


def test_the_targets_that_pages_name_exist(root):
    targets = set(re.findall(r"^([a-z-]+):.*##", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in pages(root):
        named = set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= targets, page.name


def test_the_commands_that_pages_name_exist(root):
    commands = set(get_command(app).commands)
    for page in pages(root):
        named = set(re.findall(r"(?:`|^|bin/|\$ )flnft ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= commands, page.name
