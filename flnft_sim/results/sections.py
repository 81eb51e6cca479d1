"""The sections of the summary. `SECTIONS` lists them; each is a few functions that yield lines, one a topic."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from flnft_sim.results.cash import held_by, providers_gain
from flnft_sim.results.contribution import contributed, crowd_of, measures_in
from flnft_sim.results.delivery import pots, promises
from flnft_sim.results.forecast import forecast_quality
from flnft_sim.results.phase import Phase
from flnft_sim.results.story import price_setters
from flnft_sim.results.told import Fact, Facts, Told, counted, shown, span

_AUCTIONS_SHOWN = 8
_WINNERS_SHOWN = 10


# ---- learning -------------------------------------------------------------------------------------------------------


def quality(told: Told) -> Iterator[Fact]:
    """Rounds, accuracy, loss."""
    figures = told.figures
    yield "rounds", f"{figures['rounds']:,}"
    yield "accuracy", _mean_of_daos(told, "accuracy")
    yield "loss", _mean_of_daos(told, "loss")


def effort(told: Told) -> Iterator[Fact]:
    """k and ε as they were played, and whether either has room left."""
    epochs, privacy = (told.takers_part[name].dropna() for name in ("local_epochs", "privacy_budget"))
    if epochs.empty:
        return
    answers = counted(len(epochs), "answer")
    one = epochs.min() == epochs.max()
    yield (
        "local epochs k",
        f"{epochs.iloc[0]} in {'all ' if len(epochs) > 1 else ''}{answers}"
        if one
        else f"{epochs.mean():.2f} a round (mean), {span(epochs, '.0f')}",
    )
    asked = privacy[np.isfinite(privacy)]
    if asked.empty:
        return
    ends = told.setting("game.privacy_range")
    text = f"{asked.mean():.2f} (mean)" if asked.min() < asked.max() else f"{asked.iloc[0]:.2f}"
    for place, end in zip(("lower", "upper"), ends or (), strict=False):
        if at := int(np.isclose(asked, end).sum()):
            text += f", at the {place} end of its range in {at:,} of {counted(len(asked), 'answer')}"
    yield "ε asked for", text


def privacy_guarantee(told: Told) -> Iterator[Fact]:
    """What differential privacy holds over a minting, or why none does."""
    if len(told.result.rounds):
        yield "privacy guarantee", _guarantee(told)


def engine(told: Told) -> Iterator[Fact]:
    """What trained."""
    if "engine" in told.figures:
        yield "engine", str(told.figures["engine"])


def _guarantee(told: Told) -> str:
    table = told.result.privacy
    if "guarantee" not in table or table.empty:
        return _nothing_released(told)
    if "epsilon_guaranteed" in table:
        return _of_records(told, table)
    bound = table[table["epsilon_total_basic"].notna()] if "epsilon_total_basic" in table else table.head(0)
    none = table.loc[table.index.difference(bound.index), "guarantee"]
    reason = none.value_counts().index[0].removeprefix("none").lstrip(": ") if len(none) else ""
    if bound.empty:
        remedy = "; learning.clip_l1 would bound them" if "not clipped" in reason else ""
        return f"none ({reason}{remedy})" if reason else "none"
    text = (
        f"ε {bound['epsilon_round'].max():,.2f} a round; in all {bound['epsilon_total_basic'].max():,.2f} by basic "
        f"composition, {bound['epsilon_total_tight'].max():,.2f} by tight composition at δ = {bound['delta'].max():g}"
    )
    if len(none):
        text += f", for {len(bound):,} of {counted(len(table), 'user')}; for the others none ({reason})"
    models = told.setting("market.auctions") or 1
    return text if models == 1 else f"{text}; of the last minting of {models:,}, each adds its own"


def _of_records(told: Told, table: pd.DataFrame) -> str:
    """One sentence: what holds for a record; shards are disjoint, so the largest ε of a user is everybody's."""
    trained = table[table["steps_taken"] > 0]
    if trained.empty:
        return "nobody trained, so nothing was released"
    if np.isinf(trained["epsilon_guaranteed"]).any():
        return "none (some user trained without noise)"
    row, spent = trained.iloc[0], int((trained["stopped_in_round"] > 0).sum())
    models = told.setting("market.auctions") or 1
    accountant = told.result.manifest.get("privacy", {}).get("accountant", "PLD")
    told_of = [
        f"{row['mechanism']}, Poisson lots of q = {row['sampling_rate']:g}, {accountant}",
        f"users {span(trained['epsilon_guaranteed'], '.2f')}",
    ]
    told_of += [f"{spent:,} spent it and stopped"] if spent else []
    told_of += [f"of the last minting of {models:,}, each adds its own"] if models > 1 else []
    most = trained["epsilon_guaranteed"].max()
    return f"ε ≤ {most:.2f} at δ = {row['delta']:g} for each record of each user ({'; '.join(told_of)})"


def _nothing_released(told: Told) -> str:
    if told.setting("learning.learner") == "surrogate":
        return "none (nothing is trained, so no update is released)"
    if told.setting("learning.scheme") == "centralized":
        return "none (all data lie in one place)"
    return "none (no noise is added)"


def _mean_of_daos(told: Told, name: str) -> str:
    text = shown(told.figures[name], ".4f")
    return text if told.result.rounds["dao"].nunique() <= 1 else f"{text} (mean over DAOs, last round)"


# ---- time -----------------------------------------------------------------------------------------------------------


def minting_time(told: Told) -> Iterator[Fact]:
    """How long minting took, phase by phase."""
    total_s, models = told.figures["minting_time_s"], told.result.phases["dao"].nunique()
    yield "minting time", shown(total_s, ",.1f", "s") + (f" (mean of {models:,} models)" if models > 1 else "")
    for phase in Phase.of_minting():
        duration_s = told.figures[f"minting_{phase}_s"]
        if total_s and duration_s:
            yield f"  {phase}", f"{shown(duration_s, ',.1f', 's'):>12}  {duration_s / total_s:6.1%}"


def decisions(told: Told) -> Iterator[Fact]:
    """Whether decisions ended because T was over and not because prices had settled."""
    rounds = told.result.rounds
    settled = rounds["decision_settled"].dropna() if "decision_settled" in rounds else rounds["round"].head(0)
    stopped = rounds.loc[settled.index[~settled.astype(bool)]]
    if len(stopped):
        text = f"decision stopped by T in {len(stopped):,} of {counted(len(settled), 'round')}"
        gap = stopped["decision_gap"].max()
        yield (
            "unsettled prices",
            text if np.isnan(gap) else f"{text}; prices still moved by up to {gap:.1g} of themselves",
        )


def ages(told: Told) -> Iterator[Fact]:
    """Age of information."""
    figures = told.figures
    mean, peak = (shown(figures[name], ",.1f", "s") for name in ("aoi_mean_s", "aoi_peak_s"))
    yield "age of information", f"mean {mean}, peak {peak}"


def updates_astray(told: Told) -> Iterator[Fact]:
    """Updates that never arrived in time, which nobody is paid for, and mintings in which none did."""
    figures = told.figures
    ends = {"late": "late_dropped_total", "dropped out": "dropped_out_total", "stalled": "stalled_total"}
    ends |= {"aborted": "aborted_total"}
    counts = [f"{figures[key]:,} {end}" for end, key in ends.items() if figures.get(key)]
    if counts:
        yield "updates not delivered", f"{', '.join(counts)}; {figures['updates_delivered_total']:,} delivered"
    if empty := figures.get("mintings_without_updates_total"):
        models = counted(empty + figures["mintings_total"], "minting")
        yield "nothing to mint", f"in {empty:,} of {models}: no update was aggregated, so nothing was sold"


# ---- game -----------------------------------------------------------------------------------------------------------


def users_play(told: Told) -> Iterator[Fact]:
    """What users have of it."""
    figures = told.figures
    yield "user utility", f"{shown(figures['user_utility'], ',.2f')} (mean; no cash)"
    yield "user cash surplus", f"{shown(figures['cash_surplus_money'], ',.2f')} money (mean; announced − cost)"
    yield "users staying out", f"{figures['stayed_out_total']:,} (users × rounds)"
    if "reward_received_money" in figures:
        mintings = told.setting("market.auctions") or 1  # what was received is summed over them
        announced, received = figures["reward_announced_money"], figures["reward_received_money"] / mintings
        of = "mean" if mintings == 1 else "means of a minting"
        yield "user reward", f"announced {shown(announced, ',.2f')}, received {shown(received, ',.2f')} money ({of})"


def providers_play(told: Told) -> Iterator[Fact]:
    """What providers have of it."""
    yield "provider utility", f"{shown(told.figures['provider_utility'], ',.2f')} (mean)"


def forecasts(told: Told) -> Iterator[Fact]:
    """How well providers foresaw what their rivals bid."""
    if quality := forecast_quality(told.result.bids):
        yield "rivals' money foreseen", f"{quality.sentence()} (money, {counted(quality.n, 'forecast')})"


def exploitability(told: Told) -> Iterator[Fact]:
    """The most that one agent alone would have gained by playing otherwise: who reacts to it is said."""
    figures = told.figures
    if figures.get("user_exploitability") is not None:
        yield (
            "users' best reply",
            f"+{shown(figures['user_exploitability'], ',.2f')} of utility (most; own age counted)",
        )
    if figures.get("provider_exploitability_money") is not None:
        fixed, anticipated = (
            figures.get(name) for name in ("provider_exploitability_money", "provider_anticipated_gain_money")
        )
        text = f"+{shown(fixed, ',.2f')} of Ψ with Q and F fixed (most)"
        if anticipated is not None:
            text += f", +{shown(anticipated, ',.2f')} with users answering anew"
        yield "providers' best price", text
    if figures.get("forgone_most_money") is not None:
        lost, won = (figures.get(f"forgone_by_{who}_money") for who in ("losers", "winners"))
        told_of = [
            f"{who} {shown(mean, ',.2f')}" for who, mean in (("losers", lost), ("winners", won)) if mean is not None
        ]
        yield (
            "forgone in auction",
            f"{', '.join(told_of)} money (mean), most {shown(figures['forgone_most_money'], ',.2f')}: V − price",
        )


# ---- contribution ---------------------------------------------------------------------------------------------------


def paid_and_measured(told: Told) -> Iterator[Fact]:
    """By what users were paid, and how near that comes to what was measured of them."""
    found = contributed(told.result)
    if found is None:
        return
    measures = ", ".join(str(name).replace("_", "-") for name in found.measured)
    yield "users paid by", f"{told.setting('game.contribution') or 'paper'}; measured: {measures}"
    measured = found.measured[found.yardstick]
    ranks = measured.rank().corr(found.paid.rank())
    if not np.isnan(ranks):
        yield "paid as contributed", f"rank correlation {ranks:.2f} with {found.yardstick.replace('_', '-')}"
    if (harmful := int((measured < 0).sum())) > 0:
        yield "did harm", f"{harmful:,} of {counted(len(measured), 'user')}, by {found.yardstick.replace('_', '-')}"


def standard_errors(told: Told) -> Iterator[Fact]:
    """How sure sampled contributions are."""
    table = told.result.contributions
    for name in measures_in(table) if len(table) else []:
        if (column := f"{name}_error") in table and table[column].max() > 0:
            most, largest = table[column].max(), table[name].abs().max()
            yield "standard error", f"of {name.replace('_', '-')} at most {most:.2g}, the largest value {largest:.2g}"


def adversaries(told: Told) -> Iterator[Fact]:
    """What each kind of adversary received for what it contributed."""
    found = contributed(told.result)
    if found is None:
        return
    measured, name = found.measured[found.yardstick], found.yardstick.replace("_", "-")
    got = "received {:.1%} of the money" if found.was_paid else "would have had {:.1%} of what a sale earns"
    for kind in sorted(set(found.conduct) - {"honest"}):
        own = found.conduct == kind
        share = f"{got.format(found.paid[own].sum())} for {measured[own].sum():.1%} of the measured contribution"
        share = share.replace("-", "−")
        yield "", f"{crowd_of(kind, int(own.sum()))} {share} ({name})"


# ---- market ---------------------------------------------------------------------------------------------------------


def auctions(told: Told) -> Iterator[Fact]:
    """Every auction where there are few, else their counts and ranges."""
    table = told.result.auctions
    if table.empty:
        yield "auctions", "none"
    elif len(table) > _AUCTIONS_SHOWN:
        yield from _many_auctions(told)
    else:
        for auction in table.to_dict("records"):
            yield from _one_auction(told, auction)


def _one_auction(told: Told, auction: Mapping[Any, Any]) -> Iterator[Fact]:
    name, bidders = auction["auction"], counted(auction["bidders"], "bidder")
    limits = ", ".join(f"{what} {shown(auction[f'{what}_money'], ',.2f')}" for what in ("ask", "reserve"))
    if not auction["winners"]:
        yield name, f"no trade ({auction['reason'] or auction['rule']}), {bidders}" + _with(limits, auction["daos"])
        return
    won = told.won[told.won["auction"] == name]
    price, receipt = span(won["payment_money"], ",.2f"), shown(auction["dao_receipt_money"], ",.2f")
    by = f", set by {auction['price_set_by']}" if auction.get("price_set_by") else ""
    after = f" after {counted(auction['rebids'], 'rebid')}" if auction["rebids"] else ""
    yield name, f"{auction['rule']}: {auction['winners']} of {bidders} win a licence{after}"
    yield "", f"price {price}{by}{_with(limits, auction['daos'])}; DAO receives {receipt}"
    for bid in won.sort_values("priority", kind="stable").head(_WINNERS_SHOWN).to_dict("records"):
        yield f"  {bid['provider']}", f"bid {bid['total_money']:,.2f}, pays {bid['payment_money']:,.2f}"
    if len(won) > _WINNERS_SHOWN:
        yield "", f"and {len(won) - _WINNERS_SHOWN:,} more winners"


def _many_auctions(told: Told) -> Iterator[Fact]:
    table = told.result.auctions
    traded = table[table["winners"] > 0]
    yield "auctions", f"{len(table):,} by {', '.join(sorted(set(table['rule'])))}, {len(traded):,} with a trade"
    for reason, count in table.loc[table["winners"] == 0, "reason"].value_counts().sort_index().items():
        yield "", f"{count:,} without: {reason}"
    if traded.empty:
        return
    licences = traded["winners"]
    yield "licences sold", f"{int(licences.sum()):,}, {span(licences, '.0f')} an auction with a trade"
    paid = told.won["payment_money"]
    yield "price", f"{span(paid, ',.2f')} money a licence, mean {paid.mean():,.2f}"
    for setter, count in price_setters(traded).items():
        yield "", f"set by {setter} in {count:,}"
    held = table[table["daos"] > 0]
    yield "bidders", f"{span(held['bidders'], '.0f')} an auction"
    yield "rebids", f"{span(held['rebids'], '.0f')} an auction, mean {held['rebids'].mean():.1f}"


def access(told: Told) -> Iterator[Fact]:
    """What rank of access was worth: the model is older for who fetches it later."""
    first, last = told.figures.get("access_age_first_s"), told.figures.get("access_age_last_s")
    if first is None or last is None:
        return
    later = f", the last {last - first:,.2f} s older" if last > first else ""
    yield "access", f"the first in rank had a model {first:,.2f} s old{later}"


def one_seller(told: Told) -> Iterator[Fact]:
    """Where a single DAO sells, a rule may be a posted price, and rules that are the same one cannot differ."""
    from flnft_sim.market import RULES, posts_the_reserve  # here: only a run or its page needs the market's parts

    table = told.result.auctions
    alone = table[table["daos"] == 1]
    rules = [rule for rule in dict.fromkeys(alone["rule"]) if rule in RULES and posts_the_reserve(rule)]
    if rules:
        where = "" if len(alone) == len(table) else f" in {len(alone):,} of {counted(len(table), 'auction')}"
        rule = ", ".join(rules)
        yield "one seller", f"{rule} is then a posted price, the reserve{where}; rules that post it cannot differ"


def _with(limits: str, sellers: int) -> str:
    return f" ({limits})" if sellers else ""


def rejections(told: Told) -> Iterator[Fact]:
    """Bids that did not count, and why."""
    bids = told.result.bids
    rejected = bids.loc[bids["status"] == "rejected", "reason"].value_counts().sort_index()
    if len(rejected):
        yield "bids rejected", f"{rejected.sum():,}"
    for reason, count in rejected.items():
        yield f"  {reason}", f"{count:,}"


def contracts(told: Told) -> Iterator[Fact]:
    """What the public chain's contracts took, and what they refused; nothing where they are a model."""
    messages = told.result.transactions
    messages = messages[messages["call"] != ""]
    if messages.empty:
        return
    yield "contracts", f"{len(messages):,} messages executed, {messages['gas_used'].sum():,} gas"
    refused = messages.loc[messages["error"] != "", "error"].value_counts().sort_index()
    if len(refused):
        yield "messages refused", f"{refused.sum():,}"
    for error, count in refused.items():
        yield f"  {error}", f"{count:,}"


# ---- money ----------------------------------------------------------------------------------------------------------


def gains(told: Told) -> Iterator[Fact]:
    """What each side got and gave."""
    received, cost = held_by(told.result, "user"), told.figures["users_cost_total_money"]
    yield "users", f"received {shown(received, ',.2f')}, their work cost {shown(cost, ',.2f')}"
    paid, worth = told.figures["paid_total_money"], providers_gain(told.result) + told.figures["paid_total_money"]
    yield "providers", f"paid {shown(paid, ',.2f')} for licences worth {shown(worth, ',.2f')} to them"
    royalties = float(told.result.licences["royalty_money"].sum())
    if royalties:
        yield "DAOs", f"{royalties:,.2f} of royalties on resales"


def balances(told: Told) -> Iterator[Fact]:
    """Who holds the money, and whether it is all there."""
    for role, balance in told.result.accounts.groupby("role", sort=True)["balance_money"].sum().items():
        yield f"held by {role}", f"{balance:,.2f}"
    total, figures = told.figures["money_total_units"], told.figures
    if "money_issued_units" not in figures:
        yield "money conserved", f"not checked (sum {total:,} units)"
    elif figures["money_issued_units"] == total:
        yield "money conserved:", f"yes (sum {total:,} units)"
    else:
        yield "money conserved:", f"NO: {figures['money_issued_units']:,} units issued, {total:,} found"


#: The page below its first lines, in its order. A new line is a function here, in the section it belongs to.
SECTIONS: Mapping[str, tuple[Facts, ...]] = {
    "Learning": (quality, effort, privacy_guarantee, engine),
    "Time": (minting_time, decisions, ages, updates_astray),
    "Game": (users_play, providers_play, forecasts, exploitability),
    "Contribution": (paid_and_measured, standard_errors, adversaries),
    "Market": (auctions, access, one_seller, rejections, contracts),
    "Delivery": (promises, pots),
    "Money": (gains, balances),
}
