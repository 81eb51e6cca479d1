"""The summary of a run as a flat dictionary of the figures that matter; `page` makes a text of it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from flnft_sim.results.cash import held_by, providers_gain, users_cost
from flnft_sim.results.forecast import forecast_figures
from flnft_sim.results.phase import Phase

if TYPE_CHECKING:
    from flnft_sim.results.record import RunRecord


_KEYS = ("dao", "episode", "round")
_OF_USERS = (
    "local_epochs",
    "privacy_budget",
    "user_utility",
    "cash_surplus_money",
    "cost_round_money",
    "reward_announced_money",
)


def summarise(result: "RunRecord") -> dict[str, Any]:
    """The run's figures out of its tables, by flat names with units; what the run does not tell is None.

    Figures of several DAOs, users, providers or auctions are means over them unless the name says otherwise; a user's
    are over the rounds it took part in.
    """
    rows = result.part("users", "takes_part", *_KEYS, *_OF_USERS)
    users, cost = taking_part(rows), users_cost(rows, result.rounds)
    accepted = result.bids[result.bids["status"] == "accepted"]
    last = result.rounds.drop_duplicates("dao", keep="last")
    minting = result.phases.groupby("dao")["duration_s"].sum()
    by_phase = result.phases.groupby("phase")["duration_s"].sum() / max(len(minting), 1)
    return {
        "rounds": len(result.rounds),
        "accuracy": _mean(last["accuracy"]),
        "loss": _mean(last["loss"]),
        "minting_time_s": _mean(minting),
        **{f"minting_{phase}_s": float(by_phase.get(phase, 0.0)) for phase in Phase.of_minting()},
        "aoi_mean_s": _mean(mean_ages(result.aoi)),
        "aoi_peak_s": _number(result.aoi["age_s"].max()),
        "local_epochs": _mean(users["local_epochs"]),
        "privacy_budget": _mean(users["privacy_budget"]),
        "stayed_out_total": int(result.rounds["stayed_out"].sum()),
        "late_dropped_total": int(result.rounds["late_dropped"].sum()),
        "dropped_out_total": _total(result.rounds, "dropped_out"),
        "stalled_total": _total(result.rounds, "stalled"),
        "aborted_total": _total(result.rounds, "aborted"),
        "updates_delivered_total": _total(result.rounds, "delivered"),
        "user_utility": _mean(users["user_utility"]),
        "cash_surplus_money": _mean(users["cash_surplus_money"]),
        "cost_round_money": _mean(users["cost_round_money"]),
        "reward_announced_money": _mean(users["reward_announced_money"]),
        "provider_utility": _mean(accepted["provider_utility"]),
        **forecast_figures(result.bids),
        "auctions": len(result.auctions),
        "trades_total": int(result.auctions["trades"].sum()),
        "licences_total": int(result.auctions["winners"].sum()),
        "sellers_most": int(result.auctions["daos"].max()) if len(result.auctions) else 0,
        "ask_money": _mean(result.auctions["ask_money"]),
        "reserve_money": _mean(result.auctions["reserve_money"]),
        "price_money": _mean(result.auctions["price_money"]),
        **_access(result.licences),
        "paid_total_money": float(result.bids["payment_money"].sum() - result.deliveries["refunded_money"].sum()),
        "dao_receipts_total_money": float(result.auctions["dao_receipt_money"].sum()),
        "delivered": _mean(result.deliveries["delivered"]),
        "refunded_total_money": float(result.deliveries["refunded_money"].sum()),
        "users_cost_total_money": cost,
        "users_gain_total_money": None if cost is None else held_by(result, "user") - cost,
        "providers_gain_total_money": providers_gain(result),
        "money_total_units": int(result.accounts["balance_money_units"].sum()),
    }


def taking_part(users: pd.DataFrame) -> pd.DataFrame:
    """Those rows of `users` whose user took part in its round."""
    return users[users["takes_part"].fillna(False).astype(bool)]


def _access(licences: pd.DataFrame) -> dict[str, float | None]:
    """How old a model was when the first and when the last in rank had it, means over auctions."""
    nothing = pd.Series(dtype=float)
    known = licences.dropna(subset="model_age_s") if "model_age_s" in licences else licences.iloc[:0]
    of_auctions = known.groupby("auction")["model_age_s"] if len(known) else None
    first, last = (nothing, nothing) if of_auctions is None else (of_auctions.min(), of_auctions.max())
    return {"access_age_first_s": _mean(first), "access_age_last_s": _mean(last)}


def saw_teeth(aoi: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The corners of one minting's age after another, with the DAO's name: a new model's age begins anew."""
    by = ["dao", "episode"] if "episode" in aoi else ["dao"]
    for (dao, *_), corners in aoi.groupby(by, sort=False):
        yield str(dao), corners


def mean_ages(aoi: pd.DataFrame) -> pd.Series:
    """Mean age by DAO: the mean over its mintings of the area under the saw-tooth's corners over their time."""
    means = defaultdict(list)
    for dao, corners in saw_teeth(aoi):
        time_s, age_s = corners["time_s"].to_numpy(), corners["age_s"].to_numpy()
        if time_s[-1] > time_s[0]:
            means[dao].append(np.trapezoid(age_s, time_s) / (time_s[-1] - time_s[0]))
    return pd.Series({dao: float(np.mean(of_mintings)) for dao, of_mintings in means.items()}, dtype=float)


def _total(table: pd.DataFrame, column: str) -> int:
    """A column's sum, 0 where runs of an earlier version lack it."""
    return int(table[column].sum()) if column in table else 0


def _mean(values: pd.Series) -> float | None:
    return _number(values.mean()) if len(values) else None


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
