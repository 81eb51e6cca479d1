"""The summary of a run as a flat dictionary of the figures that matter; `page` makes a text of it."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from flnft_sim.results.forecast import forecast_figures
from flnft_sim.results.phases import MINTING_PHASES

if TYPE_CHECKING:
    from flnft_sim.results.run_result import RunResult


def summarise(result: "RunResult") -> dict[str, Any]:
    """The run's figures out of its tables, by flat names with units; what the run does not tell is None.

    Figures of several DAOs, users, providers or auctions are means over them unless the name says otherwise; a user's
    are over the rounds it took part in.
    """
    users = result.users[result.users["takes_part"].fillna(False).astype(bool)]
    accepted = result.bids[result.bids["status"] == "accepted"]
    last = result.rounds.drop_duplicates("dao", keep="last")
    minting = result.phases.groupby("dao")["duration_s"].sum()
    by_phase = result.phases.groupby("phase")["duration_s"].sum() / max(len(minting), 1)
    return {
        "rounds": len(result.rounds),
        "accuracy": _mean(last["accuracy"]),
        "loss": _mean(last["loss"]),
        "minting_time_s": _mean(minting),
        **{f"minting_{phase}_s": float(by_phase.get(phase, 0.0)) for phase in MINTING_PHASES},
        "aoi_mean_s": _mean(mean_ages(result.aoi)),
        "aoi_peak_s": _number(result.aoi["age_s"].max()),
        "local_epochs": _mean(users["local_epochs"]),
        "privacy_budget": _mean(users["privacy_budget"]),
        "stayed_out_total": int(result.rounds["stayed_out"].sum()),
        "late_dropped_total": int(result.rounds["late_dropped"].sum()),
        "user_utility": _mean(users["user_utility"]),
        "cash_surplus_money": _mean(users["cash_surplus_money"]),
        "cost_round_money": _mean(users["cost_round_money"]),
        "reward_announced_money": _mean(users["reward_announced_money"]),
        "provider_utility": _mean(accepted["provider_utility"]),
        **forecast_figures(result.bids),
        "auctions": len(result.auctions),
        "trades_total": int(result.auctions["trades"].sum()),
        "licences_total": int(result.auctions["winners"].sum()),
        "price_money": _mean(result.auctions["price_money"]),
        "paid_total_money": float(result.bids["payment_money"].sum()),
        "money_total_units": int(result.accounts["balance_money_units"].sum()),
    }


def mean_ages(aoi: pd.DataFrame) -> pd.Series:
    """Mean age by DAO: the area under its saw-tooth's corners over their time."""
    means = {}
    for dao, corners in aoi.groupby("dao", sort=False):
        time_s, age_s = corners["time_s"].to_numpy(), corners["age_s"].to_numpy()
        if time_s[-1] > time_s[0]:
            means[dao] = np.trapezoid(age_s, time_s) / (time_s[-1] - time_s[0])
    return pd.Series(means, dtype=float)


def _mean(values: pd.Series) -> float | None:
    return _number(values.mean()) if len(values) else None


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
