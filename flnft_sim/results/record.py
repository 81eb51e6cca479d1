"""Everything one run leaves, in memory: what summaries, pictures and files are made of."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flnft_sim.errors import InputError
from flnft_sim.results.tables import COLUMNS, empty, typed


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RunRecord:
    """What a run found out. Tables are pandas DataFrames with units in the column names (`tables.COLUMNS` lists them).

    `summary` holds the few figures that matter and `manifest` how the run came about (scenario, seed, versions,
    status …), both of plain JSON types. `nft`, `weights` and `imports` (files of parts of one's own) are by file name
    (`fl-nft.js`, `model.safetensors`, `my_parts.py`). An
    interrupted or failed run has the tables as far as it came, maybe empty, and says so: `manifest["status"]` is
    "interrupted", or "failed" with the reason in `manifest["error"]`.
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
        for name, table in self.tables.items():
            object.__setattr__(self, name, typed(name, table))
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
