"""Sales in advance as the page tells them: who works for which pot, and what became of it."""

import math
from collections.abc import Mapping, Sequence

from flnft_sim.viz.scene import Happening, Row


def pot_of(promise: Row, delivery: Row | None) -> str:
    """A pot in a sentence, out of the promise that was bought and, once it is settled, its delivery."""
    who, epochs = promise["dao"], promise["promised_epochs"]
    if delivery is None:
        return (
            f"{who} works for a pot of {promise['target_money']:,.2f} in escrow; it promised {epochs} epochs a round, "
            "and members compete for their shares."
        )
    back, lost = delivery["refunded_money"], delivery["bond_lost_money"]
    if math.isnan(delivery["minted_at_s"]):
        return f"{who} minted nothing in time: {back:,.2f} went back, and its bond of {lost:,.2f} is lost."
    part, released = delivery["delivered"], delivery["released_money"]
    if part >= 1:
        return f"{who} delivered what it had promised: {released:,.2f} released to its members."
    return (
        f"{who} delivered {part:.1%} of its promise: {released:,.2f} released to its members, {back:,.2f} went back, "
        f"{delivery['sink_money']:,.2f} to nobody."
    )


def pots_of(promises: Sequence[Row], deliveries: Mapping[str, Row], newest: Sequence[str]) -> list[str]:
    """A sentence for each of the `newest` auctions whose promise was bought; deliveries are those settled by now."""
    bought = {row["auction"]: row for row in promises if row["won"]}
    return [pot_of(bought[name], deliveries.get(name)) for name in newest if name in bought]


def of_delivery(row: Row) -> Happening:
    """The settlement of a pot, out of its row of the table `deliveries`."""
    if math.isnan(row["minted_at_s"]):
        fate = f"nothing was minted in time, {row['refunded_money']:,.2f} go back"
    else:
        fate = f"{row['delivered']:.1%} of the promise was delivered, {row['released_money']:,.2f} released"
    return Happening(row["settled_at_s"], f"{row['auction']}: {fate}")
