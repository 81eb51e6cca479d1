"""What users contributed, beside what they were paid: the table `contributions` summed up by user."""

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from flnft_sim.results.record import RunRecord

_OTHERS = ("dao", "episode", "round", "user", "conduct", "arrived", "pay_share", "paid_money")  # no measures
#: What a user's contribution is called where several measures were taken: the first of these that is there.
_YARDSTICKS = ("shapley_exact", "shapley", "leave_one_out", "loss_drop", "cosine", "volume", "paper")


class Contributed(NamedTuple):
    """Users by DAO and name, in the order in which they first worked."""

    conduct: pd.Series
    paid: pd.Series
    """Share of all money that users were paid; where nobody was paid anything, of what would have been."""
    measured: pd.DataFrame
    """By measure: share of all that was contributed; below 0 for who did more harm than good."""
    was_paid: bool

    @property
    def yardstick(self) -> str:
        """The column of `measured` that says best what was contributed."""
        return next((name for name in _YARDSTICKS if name in self.measured), str(self.measured.columns[0]))


def contributed(result: "RunRecord") -> Contributed | None:
    """Sum up a run's contributions; None where none were measured.

    A user's values add up over the rounds of a minting and over mintings. Shares are of the sum of all that is above 0.
    """
    table = result.contributions
    names = measures_in(table)
    if table.empty or not names:
        return None
    by_user = table.groupby(["dao", "user"], sort=False)
    sums = by_user[names].sum()
    totals = sums.clip(lower=0).sum()
    totals = totals.where(totals > 0, sums.abs().sum())  # nobody did any good: shares are of all harm
    last = table.drop_duplicates(["dao", "episode", "user"], keep="last").groupby(["dao", "user"], sort=False)
    paid = by_user["paid_money"].sum()
    was_paid = bool(paid.sum() > 0)
    paid = paid if was_paid else last["pay_share"].sum()
    return Contributed(by_user["conduct"].first(), _shares(paid, paid.sum()), sums.div(totals).fillna(0.0), was_paid)


def measures_in(table: pd.DataFrame) -> list[str]:
    """The columns of the table that are measures, standard errors aside."""
    names = [str(name) for name in table.columns if name not in _OTHERS]
    return [name for name in names if not (name.endswith("_error") and name.removesuffix("_error") in names)]


def crowd_of(conduct: str, count: int) -> str:
    """ "1 free rider", "3 lazy users"."""
    noun = {"lazy": "lazy user", "honest": "honest user"}.get(conduct, conduct.replace("-", " "))
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _shares(values: pd.Series, total: float) -> pd.Series:
    return values / total if total > 0 else values * 0.0
