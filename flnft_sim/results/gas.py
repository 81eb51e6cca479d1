"""What the public chain took of a run: gas by kind of transaction and by party, and what that is in money."""

import pandas as pd

GWEI_A_MONEY = 1e9  # a unit of money is an ether
PARTIES = ("contract", "dao", "provider", "user", "outsider", "other")


def party_of(sender: str) -> str:
    """The party that a sender is of, by its name (`provider-3`)."""
    role = sender.rpartition("-")[0]
    return role if role in PARTIES else PARTIES[-1]


def gas_by_kind(transactions: pd.DataFrame, *, price_gwei: float) -> pd.DataFrame:
    """A row a kind of transaction, the dearest first: count, refused, gas mean and total, money, seconds waited."""
    by = transactions.assign(refused=transactions["error"] != "").groupby("kind", sort=True)
    table = by.agg(
        transactions=("gas_used", "size"),
        refused=("refused", "sum"),
        gas_mean=("gas_used", "mean"),
        gas_total=("gas_used", "sum"),
        waited_mean_s=("waited_s", "mean"),
    )
    table["money"] = table["gas_total"] * price_gwei / GWEI_A_MONEY
    return table.sort_values("gas_total", ascending=False, kind="stable")


def gas_by_party(transactions: pd.DataFrame, *, price_gwei: float) -> pd.DataFrame:
    """A row a party: how many of it sent anything, gas in total and for each of them, money for each."""
    party = transactions["sender"].map(party_of)
    by = transactions.groupby(party, sort=True)
    table = by.agg(parties=("sender", "nunique"), transactions=("gas_used", "size"), gas_total=("gas_used", "sum"))
    table["gas_each"] = table["gas_total"] / table["parties"]
    table["money_each"] = table["gas_each"] * price_gwei / GWEI_A_MONEY
    return table.reindex([party for party in PARTIES if party in table.index])


def gas_by_story(transactions: pd.DataFrame, *, price_gwei: float) -> pd.DataFrame:
    """A row for a minting and one for an auction: how many there were, and what one of them took of each party."""
    party = transactions["sender"].map(party_of)
    minting = transactions["kind"] == "mint"
    auction = transactions["auction"] != ""
    rows = {}
    for name, chosen, count in (
        ("a minting", minting, int(minting.sum())),
        ("an auction", auction, transactions.loc[auction, "auction"].nunique()),
    ):
        if count:
            gas = transactions.loc[chosen, "gas_used"].groupby(party[chosen]).sum() / count
            rows[name] = {"held": count, "gas": gas.sum(), "money": gas.sum() * price_gwei / GWEI_A_MONEY} | {
                f"gas_{each}": gas.get(each, 0.0) for each in PARTIES if each in gas.index
            }
    return pd.DataFrame.from_dict(rows, orient="index").fillna(0.0)
