"""What a part of the reproduction has to say: statements with verdicts, tables and figures."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Verdict(StrEnum):
    """How what came out stands to what is printed."""

    AS_PRINTED = "as printed"
    BY_DEFINITION = "as printed, by definition"
    PARTLY = "partly as printed"
    NOT_AS_PRINTED = "not as printed"
    UNDECIDED = "not told apart"
    OURS = "nothing printed"


@dataclass(frozen=True)
class Statement:
    """What the paper says and where, what came out here, how the two agree, and the runs that the numbers are from."""

    paper: str
    ours: str
    verdict: Verdict
    runs: str


@dataclass(frozen=True)
class Table:
    """A table of the report; written whole as `NAME.csv`. `shown` is what the page shows of it, as text cells."""

    name: str
    caption: str
    data: pd.DataFrame
    shown: pd.DataFrame | None = None


@dataclass(frozen=True)
class Picture:
    """A figure of the report, written as `NAME.png`."""

    name: str
    caption: str
    figure: "Figure"


@dataclass(frozen=True)
class Section:
    """One part of the page, in the order it is read."""

    title: str
    introduction: str
    statements: tuple[Statement, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    remarks: tuple[str, ...] = ()


def judge(signs: Iterable[int]) -> Verdict:
    """The verdict on a claim that several comparisons bear on: +1 supports it, −1 contradicts it, 0 cannot be told."""
    found = set(signs)
    if found == {1}:
        return Verdict.AS_PRINTED
    if found <= {0}:
        return Verdict.UNDECIDED
    return Verdict.PARTLY if 1 in found else Verdict.NOT_AS_PRINTED
