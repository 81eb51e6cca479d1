"""Who won an auction, what each paid, and what set the price."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from flnft_sim.figures.palette import BLUE, RED
from flnft_sim.figures.run.series import short_names
from flnft_sim.figures.style import finish, legend_below, new_figure, whole_numbers
from flnft_sim.results.pictures import FIGURES
from flnft_sim.results.record import RunRecord
from flnft_sim.results.told import counted

_IN_FULL = 4
_SHOWN_BIDS = 16
_LOST = "#c8c8c8"

type Row = dict[Any, Any]


@FIGURES.register("winners")
def winners(result: RunRecord) -> Figure | None:
    """An auction's bids in descending order, what winners pay as a mark, ask and reserve as lines.

    Of more auctions than fit the last ones are shown so, below an overview of all: the range of their bids, price,
    reserve and ask.
    """
    accepted = result.bids[result.bids["status"] == "accepted"]
    held = result.auctions[result.auctions["auction"].isin(accepted["auction"])]
    auctions = held.drop_duplicates("auction", keep="last")  # where a DAO withdraws its auction is held again
    failed = held[held.duplicated("auction", keep="last")].groupby("auction")["reason"].agg(", ".join)
    auctions = auctions.assign(failed=[failed.get(name, "") for name in auctions["auction"]])
    if auctions.empty:
        return None
    full = auctions.tail(_IN_FULL)
    if len(auctions) <= _IN_FULL:
        columns = 1 if len(auctions) == 1 else 2
        rows = -(-len(auctions) // columns)
        figure, grid = new_figure(
            width=7.5 if columns == 1 else 10, height=1.3 + 3.4 * rows, heights=(1,) * rows, columns=columns
        )
        panels = grid
    else:
        figure, grid = new_figure(width=10, height=11.5, heights=(1.1, 1, 1), columns=2)
        overview, corner, *panels = grid
        _across(overview, corner)
        _overview(overview, auctions, accepted)
    for axes in panels[len(full) :]:
        axes.remove()
    for axes, auction in zip(panels, full.to_dict("records"), strict=False):
        _auction(axes, auction, accepted[accepted["auction"] == auction["auction"]])
    legend_below(
        figure,
        [
            Patch(color=BLUE, label="winner"),
            Patch(color=_LOST, label="loser"),
            Line2D([], [], color=RED, marker="D", markeredgecolor="white", linestyle="", label="payment"),
            Line2D([], [], color="black", linestyle="--", label="reserve"),
            Line2D([], [], color="black", linestyle=":", label="ask"),
        ],
    )
    return figure


def _across(first: Axes, last: Axes) -> None:
    """Widen the first of two axes in the first row over the second, which goes."""
    place = first.get_subplotspec()
    assert place is not None, "axes of a grid"
    first.set_subplotspec(place.get_gridspec()[0, :])
    last.remove()


def _auction(axes: Axes, auction: Row, bids: pd.DataFrame) -> None:
    number = len(bids)
    bids = bids.sort_values("total_money", ascending=False, kind="stable").head(_SHOWN_BIDS)
    won, places = bids["won"].fillna(False).to_numpy(dtype=bool), np.arange(len(bids))
    axes.bar(places, bids["total_money"], color=np.where(won, BLUE, _LOST), width=0.7)
    axes.scatter(places[won], bids["payment_money"][won], color=RED, marker="D", s=60, zorder=3, edgecolor="white")
    for money, style in ((auction["reserve_money"], "--"), (auction["ask_money"], ":")):
        if np.isfinite(money):
            axes.axhline(money, color="black", linestyle=style, linewidth=1.4)
    labels, word = short_names(list(bids["provider"]))
    axes.set_xticks(places, labels)
    axes.set_xlim(-0.6, max(len(bids), 4) - 0.4)
    again = f"; held again, as {auction['failed']}" if auction["failed"] else ""
    left_out = f"; the {_SHOWN_BIDS} highest of {number} bids" if number > _SHOWN_BIDS else ""
    title = f"{auction['auction']} ({auction['rule']}): "
    title += counted(auction["winners"], "licence") if auction["winners"] else "no trade"
    finish(axes, title=title, x=word, y="bid (money)", note=_price(auction) + again + left_out)


def _price(auction: Row) -> str:
    """What was paid and what set it, or why nothing was sold."""
    terms = [f"{word} {auction[f'{word}_money']:,.2f}" for word in ("reserve", "ask") if _known(auction, word)]
    if not auction["winners"]:
        return "; ".join([str(auction["reason"]), ", ".join(terms)])
    by = f", set by {auction['price_set_by']}" if auction.get("price_set_by") else ""
    price = f"price {auction['price_money']:,.2f}{by}" if _known(auction, "price") else "each pays a price of its own"
    return "; ".join([price, ", ".join(terms)])


def _known(auction: Row, word: str) -> bool:
    return bool(np.isfinite(auction[f"{word}_money"]))


def _overview(axes: Axes, auctions: pd.DataFrame, bids: pd.DataFrame) -> None:
    """All auctions from left to right: the range of the bids, price, reserve and ask of each."""
    numbers = np.arange(1, len(auctions) + 1)
    ranges = bids.groupby("auction")["total_money"].agg(["min", "max"]).loc[auctions["auction"]].to_numpy()
    ends = np.stack([np.repeat(numbers[:, None], 2, axis=1), ranges], axis=2)
    axes.add_collection(LineCollection(list(ends), colors=_LOST, linewidths=min(8.0, 400 / len(auctions))))
    axes.plot(numbers, auctions["reserve_money"], color="black", linestyle="--", linewidth=1.2)
    axes.plot(numbers, auctions["ask_money"], color="black", linestyle=":", linewidth=1.4)
    sold = auctions["winners"].to_numpy() > 0
    size = float(np.clip(6000 / len(auctions), 8, 50))
    axes.scatter(
        numbers[sold],
        auctions["price_money"][sold],
        color=RED,
        marker="D",
        s=size,
        zorder=3,
        edgecolor="white",
        linewidth=0.4,
    )
    money = np.concatenate([ranges.max(axis=1), auctions["reserve_money"], auctions["ask_money"]])
    axes.set_ylim(0, 1.05 * money[np.isfinite(money)].max())
    axes.margins(x=0.01)
    whole_numbers(axes)
    licences = int(auctions["winners"].sum())
    title = f"{len(auctions)} auctions: {counted(licences, 'licence')} sold"
    prices = auctions["price_money"][sold].dropna()
    title += f" at {prices.mean():,.0f} on average" if len(prices) else ""
    unsold = f", {int((~sold).sum())} without a trade" if not sold.all() else ""
    note = f"Grey: from the lowest to the highest bid{unsold}. Below: the last {_IN_FULL} of {len(auctions)} in full."
    finish(axes, title=title, x="auction, in order of closing", y="money", note=note)
