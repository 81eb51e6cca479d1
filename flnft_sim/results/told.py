"""A run as the summary tells it: its tables, figures and settings at hand, and how numbers are worded."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from flnft_sim.results.summary import summarise, taking_part

if TYPE_CHECKING:
    from flnft_sim.results.record import RunRecord


@dataclass(frozen=True)
class Told:
    """A run to tell of. Tables may be empty (an interrupted run) and settings unknown (a result made by hand)."""

    result: "RunRecord"

    @cached_property
    def figures(self) -> dict[str, Any]:
        """The summary's figures, those that only the run itself knew on top."""
        return summarise(self.result) | self.result.summary

    def setting(self, dotted: str) -> Any:
        """A field of the resolved scenario such as `game.sigma`; None where the manifest does not hold it."""
        value: Any = self.result.manifest.get("scenario")
        for name in dotted.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    @cached_property
    def takers_part(self) -> pd.DataFrame:
        """k and ε of those that took part in their round."""
        return taking_part(self.result.part("users", "takes_part", "local_epochs", "privacy_budget"))

    @cached_property
    def won(self) -> pd.DataFrame:
        """Rows of `bids` that won a licence."""
        return self.result.bids[self.result.bids["won"].fillna(False).astype(bool)]

    @cached_property
    def minted_s(self) -> pd.Series:
        """Seconds from the start of round 1 to the NFT's finality of every model that was minted."""
        phases = self.result.phases if self.result.nft else self.result.phases.head(0)
        done = phases.loc[phases["phase"] == "minting", "dao"]
        return phases[phases["dao"].isin(done)].groupby("dao", sort=False)["duration_s"].sum()


#: A line of the page: a label and what there is to say; an empty label goes on with the line before.
type Fact = tuple[str, str]
#: Some lines of a section. To add to the page, write one and name it in `sections.SECTIONS`.
type Facts = Callable[[Told], Iterator[Fact]]


def shown(value: float | None, form: str, unit: str = "") -> str:
    """A number with its unit, or "unknown"."""
    return "unknown" if value is None or pd.isna(value) else f"{value:{form}} {unit}".rstrip()


def span(values: pd.Series, form: str) -> str:
    """The smallest to the largest of some numbers; one number where both read alike."""
    low, high = (f"{value:{form}}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """ "1 licence", "3 licences"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
