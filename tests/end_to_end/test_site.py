"""What the documentation's site is made of: pages gathered, pages made from the code, links followed."""

import importlib.util
import re
import sys

import pytest

import flnft_sim
from flnft_sim.cli import COMMANDS


@pytest.fixture(scope="module")
def build(root):
    """The module that builds the site; Sphinx is wanted by its main function alone."""
    sys.path.insert(0, str(root / "docs" / "site"))
    try:
        specification = importlib.util.spec_from_file_location("build_site", root / "docs" / "site" / "build.py")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        yield module
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def pages(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "pages"
    build.gather(folder)
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}


def test_every_page_is_in_a_table_of_contents(pages):
    listed = re.findall(r"^:caption: (\S+)\n\n(.*?)^```$", pages["index.md"], flags=re.DOTALL | re.MULTILINE)
    assert [caption for caption, _ in listed] == ["Tutorial", "How-to", "Reference", "Explanation"]
    names = [name for _, lines in listed for name in lines.split()]
    assert sorted(names) == sorted({name.removesuffix(".md") for name in pages} - {"index"})


def test_links_between_the_gathered_pages_lead_somewhere(pages):
    for page, text in pages.items():
        for name in re.findall(r"\]\(([\w./-]+\.(?:md|ipynb))[)#]", text):
            assert name in pages, f"{page}: {name}"


def test_the_command_line_and_the_public_names_are_told(pages):
    for command in (*COMMANDS, "scenarios show", "scenarios new", "data fetch"):
        assert f"## `flnft {command}`" in pages["command-line.md"]
    for name in set(flnft_sim.__all__) - {"__version__"}:
        assert re.search(rf"\{{py:(class|function)\}} flnft_sim\.{name}\b", pages["api.md"]), name
    assert " object at 0x" not in pages["api.md"]


def test_a_notebook_is_a_page(pages):
    assert (
        pages["market_study.md"].startswith("# A market study")
        and "```python\nfrom flnft_sim" in pages["market_study.md"]
    )


def test_a_link_that_leads_nowhere_is_found(build, tmp_path):
    (tmp_path / "b.html").write_text('<p id="here">')
    for target, broken in {"b.html#here": 0, "https://x.y/z": 0, "c.html": 1, "b.html#there": 1, "#nowhere": 1}.items():
        (tmp_path / "a.html").write_text(f'<a href="{target}">')
        assert len(list(build.broken_links(tmp_path))) == broken, target


def test_an_index_that_forgets_a_made_page_is_refused(build):
    with pytest.raises(SystemExit, match="does not name"):
        build.with_made_pages("# Documentation")
