"""One page that sets the paper's statements, ours and the verdicts side by side: Markdown, and HTML in one file."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from flnft_sim.figures import png_bytes
from flnft_sim.files import write_atomic
from flnft_sim.paper.scale import Scale
from flnft_sim.paper.section import Section, Statement, Verdict
from flnft_sim.paper.study import Study
from flnft_sim.sweeps.tables import cell, write_csv

REPORT, PAGE = "report.md", "report.html"
DPI = 110

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; font-size: 14px; }
th, td { border-bottom: 1px solid #d0d0d0; padding: .35rem .7rem; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #888; }
img { max-width: 100%; }
code { background: #f3f3f3; padding: 0 .2em; }
"""


def write_section(section: Section, out: Path) -> None:
    """Write the section's tables as `NAME.csv` and its pictures as `NAME.png`."""
    for table in section.tables:
        write_csv(out / f"{table.name}.csv", list(table.data.columns), table.data.itertuples(index=False, name=None))
    for picture in section.pictures:
        write_atomic(out / f"{picture.name}.png", png_bytes(picture.figure, dpi=DPI))


def write_report(
    sections: Mapping[str, Section], studies: Mapping[str, Study], scale: Scale, out: Path, *, waiting: Sequence[str]
) -> Path:
    """Write `report.md`, which refers to the figures beside it, and `report.html`, which holds them; return that."""
    text = report_text(sections, studies, scale, waiting=waiting)
    write_atomic(out / REPORT, text)
    write_atomic(out / PAGE, _html(text, out))
    return out / PAGE


def report_text(
    sections: Mapping[str, Section], studies: Mapping[str, Study], scale: Scale, *, waiting: Sequence[str] = ()
) -> str:
    """The page in Markdown."""
    verdicts = Counter(s.verdict for section in sections.values() for s in section.statements)
    counted = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts[verdict])
    blocks = [
        "# The paper's evaluation, ours beside theirs",
        f"Scale `{scale.name}`. Of the statements below: {counted}.",
        "An interval is Student's 95 % over seeds. A comparison counts only if its whole interval lies on one side "
        "of 0.",
    ]
    unfinished = [f"`{name}`" for name, study in studies.items() if len(study.runs) < study.plan.runs]
    if unfinished:
        blocks.append(
            f"**Not complete:** runs are missing of {', '.join(unfinished)} (how many stands at the end); n tells "
            "what each number is from."
        )
    if waiting:
        blocks.append(f"Not made, because their runs are not finished: {', '.join(waiting)}.")
    for section in sections.values():
        blocks += _section(section)
    if studies:
        blocks += ["## Runs", *_sources(studies)]
    return "\n\n".join(blocks) + "\n"


def markdown_table(table: pd.DataFrame) -> str:
    """A table of texts in Markdown."""
    lines = [[str(name) for name in table.columns], ["---"] * table.shape[1]]
    lines += [[str(value) for value in row] for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines)


def _section(section: Section) -> list[str]:
    blocks = [f"## {section.title}", section.introduction]
    if section.statements:
        blocks.append(_statements(section.statements))
    blocks += [f"![{picture.caption}]({picture.name}.png)\n\n*{picture.caption}*" for picture in section.pictures]
    for table in section.tables:
        caption = f"{table.caption} ([{table.name}.csv]({table.name}.csv))"
        shown = table.data if table.shown is None else table.shown
        blocks += [caption, *([markdown_table(shown)] if len(shown) else [])]
    return blocks + [f"* {remark}" for remark in section.remarks]


def _statements(statements: Sequence[Statement]) -> str:
    rows = [(s.paper, s.ours, f"**{s.verdict}**", s.runs) for s in statements]
    return markdown_table(pd.DataFrame(rows, columns=["the paper", "here", "verdict", "runs"]))


def _sources(studies: Mapping[str, Study]) -> list[str]:
    """Which runs the numbers are from, and what they took."""
    rows = []
    for name, study in studies.items():
        plan = study.plan
        set_to = {field: "null" if value is None else cell(value) for field, value in plan.set.items()}
        settings = " ".join(f"{field}={text}" for field, text in set_to.items())
        varied = ", ".join(plan.parameters)
        versions = ", ".join(study.versions)
        runs = f"{len(study.runs)}" + (f" of {study.plan.runs}" if len(study.runs) < study.plan.runs else "")
        runs += f" ({study.failed} failed)" if study.failed else ""
        rows.append((f"`runs/{name}`", f"`{plan.scenario}`", settings, varied, runs, f"{study.hours:.2f}", versions))
    header = ["folder", "scenario", "settings", "varied", "runs", "hours of one core", "code"]
    hours = sum(study.hours for study in studies.values())
    return [
        "A row of `runs/STUDY/runs.csv` is a run: `flnft run SCENARIO --set FIELD=VALUE … --seed SEED` with its "
        f"study's settings and its own columns repeats it. In all {hours:.2f} hours of one core, by the clock "
        "on the wall: on a machine with other work to do a run takes longer than its own time.",
        "Code is the package's version and a hash of its sources, of every version that computed runs of the study. "
        "Runs of earlier code count as long as their scenario means what it meant then: fields that came since have "
        "the values that stand for the behaviour from before (`flnft_sim/sweeps/identity.py`).",
        markdown_table(pd.DataFrame(rows, columns=header)),
    ]


def _html(markdown: str, out: Path) -> str:
    """The page as one HTML file: figures inside, CSVs as links beside it."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark").enable("table").render(markdown)
    for path in sorted(out.glob("*.png")):
        data = base64.b64encode(path.read_bytes()).decode()
        body = body.replace(f'src="{path.name}"', f'src="data:image/png;base64,{data}"')
    title = markdown.partition("\n")[0].lstrip("# ")
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}</body></html>\n'
