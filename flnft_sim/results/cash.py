"""Who has more money than before: what users earned and their work cost, what licences were worth and buyers paid."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from flnft_sim.results.record import RunRecord


def users_cost(users: "pd.DataFrame", rounds: "pd.DataFrame") -> float | None:
    """What all users' work cost over all rounds, in money; None where a crowd kept only its last round."""
    keys = [key for key in ("dao", "episode", "round") if key in users and key in rounds]
    return float(users["cost_round_money"].sum()) if len(users[keys].drop_duplicates()) == len(rounds) else None


def providers_gain(result: "RunRecord") -> float:
    """What the licences were worth to those who won them, less what they paid; as delivered, and in the end."""
    won = result.bids[result.bids["won"].fillna(False).astype(bool)]
    if len(result.promises):
        return float(won["cash_money"].sum())
    return float((won["valuation_money"] - won["payment_money"]).sum())


def held_by(result: "RunRecord", role: str) -> float:
    """Money on all accounts of a role at the end; users and DAOs open theirs with nothing."""
    accounts = result.accounts
    return float(accounts.loc[accounts["role"] == role, "balance_money"].sum())
