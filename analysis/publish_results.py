"""Put what `flnft paper --full` left into the documentation: its page into docs/results.md, figures and tables beside.

usage: python analysis/publish_results.py [FOLDER]   (default analysis/out)

Copies each study's runs.csv, and its journal compressed: unpacked into FOLDER/runs/STUDY/, `flnft paper --full
--accept-version` goes on from there.
"""

import gzip
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/results.md"
TARGET = ROOT / "docs/results/paper"
BEGIN, END = "<!-- made by analysis/publish_results.py: begin -->", "<!-- made by analysis/publish_results.py: end -->"


def main(folder: Path) -> None:
    report = (folder / "report.md").read_text(encoding="utf-8")
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    for path in sorted([*folder.glob("*.png"), *folder.glob("*.csv")]):
        shutil.copy(path, TARGET)
    for runs in sorted(folder.glob("runs/*/runs.csv")):
        study = TARGET / "runs" / runs.parent.name
        study.mkdir(parents=True)
        shutil.copy(runs, study)
        journal = (runs.parent / "journal.jsonl").read_bytes()
        (study / "journal.jsonl.gz").write_bytes(gzip.compress(journal, mtime=0))
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        sys.exit(f"{PAGE} has no lines {BEGIN} and {END}; put them where the page is to go")
    PAGE.write_text(f"{before}{BEGIN}\n\n{_as_section(report)}\n{END}{after}", encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} and {TARGET.relative_to(ROOT)}/ hold what {folder} holds")


def _as_section(report: str) -> str:
    """The report one level of headings deeper, with links into `results/paper/`."""
    deeper = re.sub(r"^#", "##", report, flags=re.MULTILINE)
    return re.sub(r"\]\(([\w.-]+\.(?:png|csv))\)", r"](results/paper/\1)", deeper)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "analysis/out")
