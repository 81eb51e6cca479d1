"""Everything one run leaves, in memory: what summaries, pictures and files are made of."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from flnft_sim.errors import InputError
from flnft_sim.results.tables import COLUMNS, Columns, Stored, Type, columns_of_frame, empty, typed, types_of


class StoredLines:
    """A ledger's lines that are not in memory; each of `parts` gives some of them, from the beginning at every call."""

    def __init__(self, parts: Iterable[Callable[[], Iterator[str]]]) -> None:
        self._parts = tuple(parts)

    def __iter__(self) -> Iterator[str]:
        for each in self._parts:
            yield from each()

    def whole(self) -> list[str]:
        """All of them."""
        return list(self)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RunRecord:
    """What a run found out. Tables are pandas DataFrames with units in the column names (`tables.COLUMNS` lists them).

    `summary` holds the few figures that matter and `manifest` how the run came about (scenario, seed, versions,
    status …), both of plain JSON types. `nft`, `weights` and `imports` (files of parts of one's own) are by file name
    (`fl-nft.js`, `model.safetensors`, `my_parts.py`). An
    interrupted or failed run has the tables as far as it came, maybe empty, and says so: `manifest["status"]` is
    "interrupted", or "failed" with the reason in `manifest["error"]`.

    Tables and ledger lines of a run that has just ended may lie on the disk still (`Stored`): each is read when it is
    asked for by its name, and then kept. `pieces`, `part` and `lines` read without keeping.
    """

    rounds: pd.DataFrame = field(default_factory=partial(empty, "rounds"))
    users: pd.DataFrame = field(default_factory=partial(empty, "users"))
    contributions: pd.DataFrame = field(default_factory=partial(empty, "contributions"))
    bids: pd.DataFrame = field(default_factory=partial(empty, "bids"))
    auctions: pd.DataFrame = field(default_factory=partial(empty, "auctions"))
    licences: pd.DataFrame = field(default_factory=partial(empty, "licences"))
    promises: pd.DataFrame = field(default_factory=partial(empty, "promises"))
    deliveries: pd.DataFrame = field(default_factory=partial(empty, "deliveries"))
    transactions: pd.DataFrame = field(default_factory=partial(empty, "transactions"))
    spans: pd.DataFrame = field(default_factory=partial(empty, "spans"))
    counters: pd.DataFrame = field(default_factory=partial(empty, "counters"))
    phases: pd.DataFrame = field(default_factory=partial(empty, "phases"))
    aoi: pd.DataFrame = field(default_factory=partial(empty, "aoi"))
    privacy: pd.DataFrame = field(default_factory=partial(empty, "privacy"))
    accounts: pd.DataFrame = field(default_factory=partial(empty, "accounts"))
    positions: pd.DataFrame = field(default_factory=partial(empty, "positions"))
    moves: pd.DataFrame = field(default_factory=partial(empty, "moves"))
    rates: pd.DataFrame = field(default_factory=partial(empty, "rates"))
    summary: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    ledger_lines: list[str] = field(default_factory=list)
    nft: dict[str, str] = field(default_factory=dict)
    weights: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    imports: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = vars(self)
        kinds = (Stored, StoredLines)
        own["_stored"] = {name: own.pop(name) for name in list(own) if isinstance(own[name], kinds)}
        own.update({name: typed(name, own[name]) for name in COLUMNS if name in own})
        for names, ending in ((self.nft, ".js"), (self.weights, ".safetensors")):
            for name in names:
                if Path(name).name != name or not name.endswith(ending):
                    raise InputError(
                        f"a run cannot keep a file named {name!r}; give a plain name that ends in {ending}"
                    )

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    def pieces(self, table: str) -> Iterator[Columns]:
        """The columns of a table, where it lies on the disk some thousand rows at a time."""
        stored: Stored | None = vars(self)["_stored"].get(table)
        return iter([columns_of_frame(getattr(self, table))]) if stored is None else stored.pieces()

    def frames(self, table: str) -> Iterator[pd.DataFrame]:
        """The same as frames, one at least."""
        stored: Stored | None = vars(self)["_stored"].get(table)
        return iter([getattr(self, table)]) if stored is None else stored.frames()

    @property
    def size(self) -> int:
        """Bytes of the tables that are in memory."""
        tables = (vars(self)[name] for name in COLUMNS if name in vars(self))
        return sum(int(table.memory_usage().sum()) for table in tables)

    def part(self, table: str, *names: str) -> pd.DataFrame:
        """Those of the columns `names` that a table has."""
        stored: Stored | None = vars(self)["_stored"].get(table)
        if stored is not None:
            return stored.whole(*names)
        frame: pd.DataFrame = getattr(self, table)
        return frame[[name for name in names if name in frame]]

    def types(self, table: str) -> dict[str, Type]:
        """The types of a table's columns; what lies on the disk has those that every run has."""
        return dict(COLUMNS[table]) if table in vars(self)["_stored"] else types_of(getattr(self, table))

    @property
    def lines(self) -> Iterable[str]:
        """The ledger's lines, to be gone through as often as one likes."""
        lines: Iterable[str] = vars(self)["_stored"].get("ledger_lines") or self.ledger_lines
        return lines

    if not TYPE_CHECKING:  # a name that is nobody's is still an error

        def __getattr__(self, name: str) -> Any:
            """What lies on the disk still is read, once."""
            stored = vars(self).get("_stored", {})
            if name not in stored:
                raise AttributeError(f"a run's result has no {name!r}", name=name, obj=self)
            vars(self)[name] = stored[name].whole()
            del stored[name]
            return vars(self)[name]

    def __getstate__(self) -> dict[str, Any]:
        whole = {name: each.whole() for name, each in vars(self)["_stored"].items()}
        return vars(self) | whole | {"_stored": {}}
