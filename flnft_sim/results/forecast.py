"""How well providers foresaw what their rivals bid."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class ForecastQuality:
    """`n` forecasts against what came, in money: their correlation, their mean absolute error, and a constant's.

    The constant is the one that would have been best, known only afterwards (the median of what came): a forecast that
    is further off has told less than nothing. `r` is None where forecasts or outcomes never change.
    """

    n: int
    r: float | None
    mean_error: float
    constant_error: float

    @classmethod
    def of(cls, predicted: pd.Series, real: pd.Series) -> Self | None:
        """The quality of forecasts in money (n,); None where there are none."""
        told, came = np.asarray(predicted, float), np.asarray(real, float)
        if not came.size:
            return None
        moves = bool(np.ptp(told) > 0 and np.ptp(came) > 0)
        return cls(
            n=came.size,
            r=float(np.corrcoef(told, came)[0, 1]) if moves else None,
            mean_error=float(np.abs(told - came).mean()),
            constant_error=float(np.abs(came - np.median(came)).mean()),
        )

    @property
    def correlation(self) -> str:
        """r as text."""
        return "no r" if self.r is None else f"r = {self.r:.2f}"

    @property
    def errors(self) -> str:
        """Both errors as text, whole money."""
        return f"off by {self.mean_error:,.0f} on average, the best constant by {self.constant_error:,.0f}"

    def sentence(self) -> str:
        """All of it, for a line of the summary."""
        return f"{self.correlation}, {self.errors}"


def rivals_foreseen(bids: pd.DataFrame) -> pd.DataFrame:
    """One row a provider and auction that has both `predicted_rivals_money` and `real_rivals_money`.

    Providers whom their forecast kept from bidding count as well; a rebid repeats a forecast and does not.
    """
    columns = ["predicted_rivals_money", "real_rivals_money"]
    if not set(columns) <= set(bids.columns):
        return bids.head(0).reindex(columns=["auction", "provider", *columns])
    return bids.dropna(subset=columns).drop_duplicates(["auction", "provider"])


def forecast_quality(bids: pd.DataFrame) -> ForecastQuality | None:
    """How well the providers of a table `bids` foresaw their rivals' money; None where nothing was foretold."""
    rows = rivals_foreseen(bids)
    return ForecastQuality.of(rows["predicted_rivals_money"], rows["real_rivals_money"])


def forecast_figures(bids: pd.DataFrame) -> dict[str, float | int | None]:
    """The same by flat names, for the summary."""
    quality = forecast_quality(bids)
    return {
        "rivals_forecasts": 0 if quality is None else quality.n,
        "rivals_forecast_r": None if quality is None else quality.r,
        "rivals_forecast_error_money": None if quality is None else quality.mean_error,
        "rivals_constant_error_money": None if quality is None else quality.constant_error,
    }
