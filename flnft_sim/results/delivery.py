"""Sales in advance in words: what was promised, who paid for it, what was delivered, where the money went."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from flnft_sim.results.told import Fact, Told, counted, shown, span

_SHOWN = 8  # deliveries that the page tells one by one


def sells_promises(told: Told) -> bool:
    """Whether this run's DAOs promised before they trained, or asked for the whole model."""
    return len(told.result.promises) > 0


def sold_ahead(told: Told) -> str:
    """Who promised what, and what was paid into pots for it."""
    promises, pots = told.result.promises, told.result.deliveries
    epochs = f"{span(promises['promised_epochs'], '.0f')} epochs a round"
    ahead = "in advance" if told.setting("market.order") == "presale" else "after the work"
    if pots.empty:
        return f"Nothing was sold {ahead}: {_why_nothing(told)}."
    if len(pots) == 1:
        pot = pots.iloc[0]
        bidders = int(told.result.auctions.loc[told.result.auctions["auction"] == pot["auction"], "bidders"].iloc[0])
        return (
            f"Sold {ahead}: {pot['dao']} promised {epochs}, and {pot['winners']} of {counted(bidders, 'bidder')} pay "
            f"{span(told.won['payment_money'], ',.2f')} each into a pot of {pot['pot_money']:,.2f}."
        )
    held = told.result.auctions[told.result.auctions["daos"] > 0]
    return (
        f"Sold {ahead} in {len(pots):,} of {counted(len(held), 'auction')}: promises of {epochs} for pots of "
        f"{span(pots['pot_money'], ',.2f')}, paid by {counted(int(pots['winners'].sum()), 'winner')}."
    )


def delivered(told: Told) -> str:
    """How much of what was promised came, and where the pots went."""
    pots = told.result.deliveries
    if pots.empty:
        return "So there was nothing to deliver."
    full, missed = int((pots["delivered"] >= 1).sum()), int(pots["minted_at_s"].isna().sum())
    short = len(pots) - full - missed
    counts = ((full, "in full"), (short, "short"), (missed, "not at all"))
    how = ", ".join(f"{count:,} {word}" if len(pots) > 1 else word for count, word in counts if count)
    released, refunded, sunk = (float(pots[f"{to}_money"].sum()) for to in ("released", "refunded", "sink"))
    parts = [f"{released:,.2f} released to members"]
    parts += [f"{refunded:,.2f} paid back"] if refunded else []
    parts += [f"{sunk:,.2f} to nobody"] if sunk else []
    lost = float(pots["bond_lost_money"].sum())
    parts += [f"{lost:,.2f} of bonds lost"] if lost else []
    return f"Delivered {how}: {', '.join(parts)}."


def promises(told: Told) -> Iterator[Fact]:
    """What was promised, and what it was to come to."""
    table = told.result.promises
    if table.empty:
        return
    what = "accuracy above chance" if told.setting("game.quality_measure") == "accuracy" else "Σθ^Q"
    quality, fresh = (span(table[f"promised_{each}"], ".3g") for each in ("quality", "freshness"))
    yield "promise", f"{span(table['promised_epochs'], '.0f')} epochs a round: Q̂ {quality} ({what}), F̂ {fresh}"
    yield "total asks", f"{span(table['ask_money'], ',.2f')} money for a model, however many share it"
    for reason, count in table.loc[table["reason"] != "", "reason"].value_counts().sort_index().items():
        yield "", f"{count:,} asked otherwise: {reason}"
    foreseen = table.loc[table["won"], ["foreseen_pot_money", "target_money"]].dropna()
    if len(foreseen):
        off = (foreseen["foreseen_pot_money"] - foreseen["target_money"]).abs().mean()
        yield "pots foreseen", f"off by {off:,.2f} money on average ({counted(len(foreseen), 'forecast')})"


def pots(told: Told) -> Iterator[Fact]:
    """Every pot, its contest and its delivery where there are few; else in all."""
    table = told.result.deliveries
    for pot in table.to_dict("records") if len(table) <= _SHOWN else ():
        yield str(pot["auction"]), f"{pot['dao']} works for a pot of {pot['pot_money']:,.2f}; {_came(pot)}"
    if len(table) > _SHOWN:
        yield "pots", f"{len(table):,}, {span(table['pot_money'], ',.2f')} money"
        yield "delivered", f"δ {table['delivered'].mean():.3f} on average, {span(table['delivered'], '.3f')}"
    if table.empty:
        return
    released, effort = float(table["released_money"].sum()), float(table["effort_money"].sum(skipna=False))
    yield "members", f"released {released:,.2f} for efforts of {shown(effort, ',.2f')}"
    worth, paid = float(table["worth_money"].sum()), float((table["pot_money"] - table["refunded_money"]).sum())
    yield "winners", f"paid {paid:,.2f} in the end for what is worth {worth:,.2f} to them as delivered"
    if liars := int(table["liars"].sum()):
        yield "evaluators who lied", f"{liars:,} of {int(table['evaluators'].sum()):,} reports; the median counts"
    if retried := int((table["test_sets"] > 1).sum()):
        yield "test sets not opened", f"{retried:,}; the committer lost its bond, and another opened a second one"


def paid_back_money(told: Told) -> float:
    """What winners got back of what they had paid."""
    return float(told.result.deliveries["refunded_money"].sum())


def bonds_money(told: Told) -> float:
    """What DAOs' accounts were opened with, to put up as bonds."""
    if not sells_promises(told):
        return 0.0
    parts = [told.setting(name) or 0 for name in ("market.bond_money", "market.auctions", "population.daos")]
    return float(parts[0] * parts[1] * parts[2])


def _came(pot: Mapping[Any, Any]) -> str:
    if pd.isna(pot["minted_at_s"]):
        return f"{pot['reason']} ({pot['refunded_money']:,.2f})"
    fate = f"delivered Q {pot['delivered_quality']:.3g}, F {pot['delivered_freshness']:.3g}, δ {pot['delivered']:.3f}"
    back = f", {pot['refunded_money']:,.2f} paid back" if pot["refunded_money"] else ""
    return f"{fate}; {pot['released_money']:,.2f} released{back}"


def _why_nothing(told: Told) -> str:
    reasons = told.result.auctions["reason"]
    return str(reasons[reasons != ""].value_counts().index[0]) if (reasons != "").any() else "nobody bid"
