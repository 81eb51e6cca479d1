"""The journal's records as tables in plan order: the same bytes whatever order the runs finished in."""

import csv
import io
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, BinaryIO

from flnft_sim.errors import InputError, bare, did_you_mean
from flnft_sim.files import open_atomic, read_ordinary
from flnft_sim.sweeps.job import Record
from flnft_sim.sweeps.journal import Journal
from flnft_sim.sweeps.plan import RESERVED
from flnft_sim.sweeps.runs import Run, Runs

if TYPE_CHECKING:
    import pandas as pd

MOST_READ = 1 << 30  # bytes of a table that is read as a whole
PARQUET_ROWS = 4096  # a row group; what is held in memory at once
KINDS: tuple[type, ...] = (NoneType, bool, int, float, str)  # each can hold the ones before it


class MetricError(InputError):
    """A metric or column that no run produced."""


class Results:
    """The finished runs of a plan; reads the journal record by record and holds none."""

    def __init__(self, runs: Runs, journal: Journal) -> None:
        self.plan, self.references = runs.plan, runs.references
        self._runs, self._journal = runs, journal
        self.metrics, self.numeric = self._metrics()
        self.columns = ("point", *self.plan.parameters, "seed", *self.metrics, "status", "error")

    def records(self) -> Iterator[tuple[Run, Record]]:
        """Every finished run with its record, in plan order."""
        for run in self._runs:
            entry = self._journal.find(run.identity)
            if entry is not None:
                yield run, self._runs.as_of_now(self._journal.read(entry))

    def rows(self) -> Iterator[list[Any]]:
        """The rows of runs.csv."""
        for run, record in self.records():
            summary = record.get("summary", {})
            yield [
                run.point,
                *(run.parameters[field] for field in self.plan.parameters),
                run.seed,
                *(summary.get(metric) for metric in self.metrics),
                record["status"],
                record.get("error"),
            ]

    def round_rows(self) -> Iterator[list[Any]]:
        """The rows of rounds.csv: the chosen per-round columns of every run that ended well."""
        for run, record in self.records():
            series = record.get("series")
            if series is None:
                continue
            columns = [series.get(name) or [None] * _length(series) for name in self._round_columns()]
            values = [run.parameters[field] for field in self.plan.parameters]
            for row in zip(*columns, strict=True):
                yield [run.point, *values, run.seed, *row]

    def write_runs(self, path: Path) -> None:
        """Write runs.csv."""
        write_csv(path, self.columns, self.rows())

    def write_rounds(self, path: Path) -> None:
        """Write rounds.csv; raises `MetricError` for a column that no run has."""
        filled = {name for _, record in self.records() for name, values in record.get("series", {}).items() if values}
        missing = [name for name in self.plan.per_round if name not in filled]
        if filled and missing:
            raise MetricError(
                f"per_round column {missing[0]!r} is in no run's rounds; `flnft run {self.plan.scenario}` writes a "
                "rounds.csv with the columns there are"
            )
        header = ("point", *self.plan.parameters, "seed", *self._round_columns())
        write_csv(path, header, self.round_rows())

    def write_parquet(self, path: Path) -> None:
        """Write runs.parquet: runs.csv with typed columns."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds: list[type] = [NoneType] * len(self.columns)
        for row in self.rows():
            kinds = [max(kind, _kind(value), key=KINDS.index) for kind, value in zip(kinds, row, strict=True)]
        arrow = {NoneType: pa.null(), bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
        schema = pa.schema([(name, arrow[kind]) for name, kind in zip(self.columns, kinds, strict=True)])
        with open_atomic(path) as file, pq.ParquetWriter(file, schema) as writer:
            for rows in itertools.batched(self.rows(), PARQUET_ROWS):
                columns = [
                    [_as(kind, value) for value in column]
                    for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)
                ]
                writer.write_table(pa.table(columns, schema=schema))

    def _round_columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(("dao", "round", *self.plan.per_round)))

    def _metrics(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The plan's metrics, else all that runs report, in order of first appearance; and which are numbers."""
        seen: dict[str, None] = {}
        words: set[str] = set()
        for _, record in self.records():
            summary = record.get("summary", {})
            seen.update(dict.fromkeys(summary))
            words.update(name for name, value in summary.items() if not isinstance(value, int | float | None))
        missing = [metric for metric in self.plan.metrics if metric not in seen]
        if seen and missing:
            hint = did_you_mean(missing[0], seen) or f"; runs report {', '.join(sorted(seen))}"
            raise MetricError(f"metric {missing[0]!r} is in no run's summary{hint}")
        taken = {*RESERVED, *self.plan.parameters}
        metrics = self.plan.metrics or tuple(metric for metric in seen if metric not in taken)
        return metrics, tuple(metric for metric in metrics if metric not in words)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table row by row to a temporary neighbour, then rename it into place."""
    with open_atomic(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([cell(value) for value in row] for row in rows)
        text.detach()


def cell(value: Any) -> str:
    """A value as CSV text: floats by their shortest exact repr, nothing for None and NaN, JSON for lists."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return "" if math.isnan(value) else repr(float(value))  # NumPy's has its own repr
        case str() | int():
            return str(value)
        case _:
            return json.dumps(value, separators=(",", ":"), sort_keys=True)


def read_csv(path: Path | BinaryIO) -> "pd.DataFrame":
    """Read a CSV of a sweep; only empty cells are missing values (a scheme may be called `none`)."""
    import pandas as pd

    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def read_table(path: Path) -> "pd.DataFrame":
    """Read a table of a sweep, CSV or parquet; raises `InputError` for a file that is neither."""
    import pandas as pd

    try:
        content = io.BytesIO(read_ordinary(path, most=MOST_READ))
        return pd.read_parquet(content) if path.suffix == ".parquet" else read_csv(content)
    except (ValueError, OSError, ImportError) as error:  # the errors of pandas and pyarrow are ValueErrors
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path} is no table of a sweep ({bare(reason)}); give runs.csv or another of its tables"
        ) from None


def _length(series: dict[str, list[Any]]) -> int:
    return max((len(values) for values in series.values()), default=0)


def _kind(value: Any) -> type:
    """The column type a value needs; lists and objects are kept as JSON text."""
    return type(value) if type(value) in KINDS else str


def _as(kind: type, value: Any) -> Any:
    if value is None or isinstance(value, kind):
        return value
    return cell(value) if kind is str else kind(value)
