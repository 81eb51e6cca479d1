"""A run's small tables as LaTeX with booktabs rules."""

from collections.abc import Sequence

import pandas as pd

from flnft_sim.results.record import RunRecord
from flnft_sim.results.tables import ROWS
from flnft_sim.results.tables.columns import columns_of

_SHOWN = {
    "auctions": ("auction", "rule", "bidders", "winners", "ask_money", "reserve_money", "price_money"),
    "bids": ("auction", "provider", "total_money", "status", "won", "payment_money", "cash_money"),
    "rounds": ("dao", "round", "participants", "accuracy", "loss", "aoi_mean_s"),
}
_MOST_ROWS = 40  # of a table: what a page holds; the middle is left out
_FIGURES = (
    ("accuracy", "test accuracy", ""),
    ("loss", "test loss", ""),
    ("minting_time_s", "minting time", "s"),
    ("aoi_mean_s", "mean age of information", "s"),
    ("user_utility", r"user utility $\Phi$", ""),
    ("cash_surplus_money", "user cash surplus", "money"),
    ("provider_utility", r"provider utility $\Psi$", ""),
    ("price_money", "price of a licence", "money"),
    ("licences_total", "licences sold", ""),
)
_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: "\\" + sign for sign in "&%$#_{}"},
    }
)


def latex_tables(result: RunRecord) -> str:
    r"""The summary's figures and the tables of auctions, bids and rounds; needs `\usepackage{booktabs}`."""
    name = f"{result.manifest.get('name', 'run')}, seed {result.manifest.get('seed', '?')}"
    parts = [r"% \usepackage{booktabs}", _table("lrl", ("figure", "value", "unit"), _figures(result), name)]
    for table, columns in _SHOWN.items():
        rows = result.tables[table]
        known = [column for column in columns if column in rows]
        if len(rows):
            parts.append(_of_frame(table, rows[known], f"{table} of {name}"))
    return "\n\n".join(parts) + "\n"


def _figures(result: RunRecord) -> list[list[str]]:
    return [
        [label, _cell(result.summary[key]), unit]
        for key, label, unit in _FIGURES
        if result.summary.get(key) is not None
    ]


def _of_frame(name: str, frame: pd.DataFrame, caption: str) -> str:
    units = {column.name: column.unit for column in columns_of(ROWS[name])}
    heads = [_heading(str(column), units.get(str(column), "")) for column in frame]
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    if len(rows) > _MOST_ROWS:
        half = _MOST_ROWS // 2
        rows = [*rows[:half], [r"\dots"] * len(heads), *rows[-half:]]
        caption += f" (the first and last {half} of {len(frame)} rows)"
    numbers = ["r" if pd.api.types.is_numeric_dtype(frame[column]) else "l" for column in frame]
    return _table("".join(numbers), heads, rows, caption)


def _heading(column: str, unit: str) -> str:
    ending = {"money": "_money", "s": "_s"}.get(unit, "")
    name = column.removesuffix(ending).replace("_", " ")
    return _text(f"{name} ({unit})" if unit and ending else name)


def _table(columns: str, heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    body = [" & ".join(row) + r" \\" for row in rows]
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{_text(caption)}}}",
        rf"  \begin{{tabular}}{{{columns}}}",
        r"    \toprule",
        "    " + " & ".join(heads) + r" \\",
        r"    \midrule",
        *(f"    {line}" for line in body),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return "--"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    return _text({"True": "yes", "False": "no"}.get(str(value), str(value)))


def _text(text: str) -> str:
    """Text in which LaTeX finds nothing to carry out: a run may be a stranger's."""
    return " ".join(text.translate(_SPECIAL).split())
