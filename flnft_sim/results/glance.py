"""A run at a glance: one screen of text, and a notebook's page with its small tables and first figures."""

import base64
import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flnft_sim.results.page import summary_text
from flnft_sim.results.pictures import FIGURES, render
from flnft_sim.results.story import story
from flnft_sim.results.told import Told, counted

if TYPE_CHECKING:
    import pandas as pd

    from flnft_sim.results.record import RunRecord

PICTURES = ("accuracy", "phases", "winners")  # what a notebook shows unasked; the others take `plot(name)`
TABLES = ("auctions", "bids", "rounds")
_ROWS = 10  # of a table's beginning


def glance_text(result: "RunRecord") -> str:
    """What happened in a few lines, and how large each table is: what `repr` shows."""
    tables = ", ".join(f"{name} ({counted(len(table), 'row')})" for name, table in result.tables.items() if len(table))
    return "\n".join([*story(Told(result)), f"Tables: {tables or 'all empty'}."])


def glance_html(result: "RunRecord") -> str:
    """The summary, the first rows of some tables, and the first figures as inline PNG images.

    All that the run holds is escaped: it may be a stranger's.
    """
    parts = [f"<pre>{html.escape(summary_text(result))}</pre>"]
    parts += [_table(name, result.tables[name]) for name in TABLES if len(result.tables[name])]
    parts += _pictures(result)
    others = ", ".join(f"<code>{html.escape(name)}</code>" for name in FIGURES if name not in PICTURES)
    return "\n".join([*parts, f"<p><code>result.plot(name)</code> draws the other figures: {others}</p>"])


def _table(name: str, table: "pd.DataFrame") -> str:
    shown = f"the first {_ROWS} of {len(table):,} rows" if len(table) > _ROWS else counted(len(table), "row")
    rows = table.head(_ROWS).to_html(index=False, border=0, na_rep="", float_format="{:,.4g}".format)
    return f"<details><summary><code>{name}</code>: {shown}</summary>{rows}</details>"


def _pictures(result: "RunRecord") -> Iterator[str]:
    for name in PICTURES:
        picture = render(name, result)
        if picture is not None:
            data = base64.b64encode(picture).decode()
            yield f'<img alt="{name}" style="max-width: 48%" src="data:image/png;base64,{data}">'
