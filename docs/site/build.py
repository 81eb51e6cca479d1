"""Build the documentation as a static site that needs no network: build/docs/html/index.html.

usage: python docs/site/build.py

The pages of docs/, those of the repository's root that they link to, and the notebooks of examples/ are gathered in
build/docs/pages with what is made from the code (`reference.py`); Sphinx builds them, and no warning is let pass. Last,
every link of the built pages to another of them is followed.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import reference

ROOT = Path(__file__).parents[2]
PAGES, HTML = ROOT / "build" / "docs" / "pages", ROOT / "build" / "docs" / "html"
OF_THE_ROOT = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
NOTEBOOKS = ROOT / "examples"
MADE = {"The command line": "command-line", "The Python interface": "api"}


def main() -> int:
    """Gather, build, follow the links; returns the exit status."""
    gather(PAGES)
    shutil.rmtree(HTML, ignore_errors=True)
    here = str(Path(__file__).parent)
    sphinx = [sys.executable, "-m", "sphinx", "-b", "html", "-c", here, "-q", "-W", "--keep-going"]
    done = subprocess.run([*sphinx, "-d", str(HTML.with_name("doctrees")), str(PAGES), str(HTML)], check=False)
    if done.returncode:
        return done.returncode
    broken = list(broken_links(HTML))
    sys.stdout.write("".join(f"{page}: {target} leads nowhere\n" for page, target in broken))
    sys.stdout.write(f"{HTML / 'index.html'}\n")
    return 1 if broken else 0


def gather(pages: Path) -> None:
    """Put all pages into a folder, written anew, with links between them as they lie there."""
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(ROOT / "docs", pages, ignore=shutil.ignore_patterns("site", "journal.jsonl.gz"))
    for name in OF_THE_ROOT:
        shutil.copyfile(ROOT / name, pages / name)
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        (pages / f"{notebook.stem}.md").write_text(notebook_page(notebook), encoding="utf-8")
    for name, page in {"api": reference.api_page, "command-line": reference.command_line_page}.items():
        (pages / f"{name}.md").write_text(page(), encoding="utf-8")
    for page in pages.glob("*.md"):
        page.write_text(relinked(page.read_text(encoding="utf-8")), encoding="utf-8")
    index = pages / "index.md"
    index.write_text(with_contents(with_made_pages(index.read_text(encoding="utf-8"))), encoding="utf-8")


def relinked(text: str) -> str:
    """The text with its links to the root, to docs/ and to notebooks as they are among the gathered pages."""
    text = re.sub(r"\]\((?:\.\./|docs/)(\w[\w.-]*\.md)", r"](\1", text)
    return re.sub(r"\]\(\.\./examples/([\w-]+)\.ipynb\)", r"](\1.md)", text)


def with_made_pages(index: str) -> str:
    """The index with links where it names the pages that are made from the code."""
    for named, page in MADE.items():
        if named not in index:
            raise SystemExit(f"docs/index.md does not name {named!r}")
        index = index.replace(named, f"[{named}]({page}.md)")
    return index


def with_contents(index: str) -> str:
    """The index with Sphinx's tables of contents, one for each of its bold headings: the pages listed under it."""
    parts = re.split(r"^\*\*(.+?)\*\*", index, flags=re.MULTILINE)
    for caption, listed in zip(parts[1::2], parts[2::2], strict=True):
        names = dict.fromkeys(re.findall(r"\]\(([\w-]+)\.md\)", listed))  # a page may be named by a place in it, too
        index += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(names) + "\n```\n"
    return index


def notebook_page(path: Path) -> str:
    """A notebook as a page: its words, and its code."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
    return "\n\n".join(parts) + f"\n\nThe notebook: `examples/{path.name}`.\n"


def broken_links(site: Path) -> Iterator[tuple[str, str]]:
    """Page and target of every relative link or picture of a built site that leads to no file or place of it."""
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    places = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in texts.items()}
    for page, text in texts.items():
        for target in sorted(set(re.findall(r'\b(?:href|src)="([^"]+)"', text))):
            if re.match(r"[a-z]+:|//", target):
                continue
            path, _, place = unquote(target).partition("#")
            there = (page.parent / path.partition("?")[0]).resolve() if path else page
            there = there / "index.html" if there.is_dir() else there
            if not there.is_file() or (place and there in places and place not in places[there]):
                yield str(page.relative_to(site)), target


if __name__ == "__main__":
    sys.exit(main())
