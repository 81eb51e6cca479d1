"""The summary as a page to read: what happened in a few lines, then details by section."""

import textwrap
from typing import TYPE_CHECKING

from flnft_sim.results.sections import SECTIONS
from flnft_sim.results.story import story
from flnft_sim.results.told import Told

if TYPE_CHECKING:
    from flnft_sim.results.record import RunRecord

WIDTH = 100
_LABEL_WIDTH = 22


def summary_text(result: "RunRecord") -> str:
    """The summary as plain text, at most `WIDTH` columns wide."""
    told = Told(result)
    lines = [line for sentence in story(told) for line in textwrap.wrap(sentence, WIDTH, subsequent_indent="  ")]
    for name, topics in SECTIONS.items():
        facts = [_line(label, fact) for topic in topics for label, fact in topic(told)]
        lines += ["", name, *(line for fact in facts for line in fact)] if facts else []
    return "\n".join(lines) + "\n"


def _line(label: str, fact: str) -> list[str]:
    indent = " " * (_LABEL_WIDTH + 2)
    return textwrap.wrap(
        f"{label:<{_LABEL_WIDTH - 1}} {fact}",
        WIDTH,
        initial_indent="  ",
        subsequent_indent=indent,
        drop_whitespace=True,
    )
