"""The first lines of the summary: what happened, in plain words."""

from collections.abc import Iterator

import pandas as pd

from flnft_sim.results.cash import held_by, providers_gain
from flnft_sim.results.delivery import bonds_money, delivered, sells_promises, sold_ahead
from flnft_sim.results.phase import Phase
from flnft_sim.results.told import Told, counted, span

_PHASES_NAMED = 3


def story(told: Told) -> Iterator[str]:
    """Who met, what was learnt, when it was minted, who bought it for what, and who gained.

    Where promises are sold first, that is told first, and what was delivered after what was minted.
    """
    ahead = (title, sold_ahead, learnt, minted, delivered, gained)
    for tell in ahead if sells_promises(told) else (title, learnt, minted, sold, gained):
        yield tell(told)


def title(told: Told) -> str:
    """Which run this is, and who takes part."""
    manifest = told.result.manifest
    name = manifest.get("name") or manifest.get("scenario")
    text = f"{name if isinstance(name, str) else 'run'}, seed {manifest.get('seed', '?')}"
    kinds = (("users", "user"), ("providers", "provider"), ("daos", "DAO"))
    counts = [(told.setting(f"population.{field}"), noun) for field, noun in kinds]
    if all(number is not None for number, _ in counts):
        text += ": " + ", ".join(counted(number, noun) for number, noun in counts)
    status = manifest.get("status", "finished")
    return text if status == "finished" else f"{text} ({status}: what follows is as far as it came)"


def learnt(told: Told) -> str:
    """Accuracy of the models as they were last seen."""
    rounds = told.result.rounds
    if rounds.empty:
        return "No round was finished, so nothing was learnt."
    models = rounds.groupby(["dao", "episode"] if "episode" in rounds else ["dao"], sort=False)
    last = models.tail(1)
    of = f"after {counted(len(rounds), 'round')}" if len(models) == 1 else f"in {len(models):,} models"
    how = "read off fitted curves, nothing was trained" if _is_surrogate(told) else f"loss {span(last['loss'], '.3f')}"
    return f"Accuracy {_percent(last['accuracy'])} {of} ({how})."


def minted(told: Told) -> str:
    """When the models were final on the public chain, and what took longest."""
    seconds = told.minted_s
    if seconds.empty:
        return "No model was minted."
    parts = {phase: told.figures[f"minting_{phase}_s"] or 0.0 for phase in Phase.of_minting()}
    total_s = sum(parts.values())
    longest = sorted((phase for phase in parts if parts[phase] >= 0.01 * total_s), key=lambda phase: -parts[phase])
    shares = ", ".join(f"{parts[phase] / total_s:.0%} {phase}" for phase in longest[:_PHASES_NAMED])
    if len(seconds) == 1:
        return f"Minted {seconds.iloc[0]:,.1f} s after the start: {shares}."
    return f"{len(seconds):,} models minted, {span(seconds, ',.1f')} s after their start: {shares}."


def sold(told: Told) -> str:
    """To how many, for how much, and what set the price."""
    auctions = told.result.auctions
    held = auctions[auctions["daos"] > 0]
    traded = held[held["winners"] > 0]
    if held.empty:
        return "No auction was held" + (f": {auctions['reason'].iloc[0]}." if len(auctions) else ".")
    if traded.empty:
        return f"Not sold in {counted(len(held), 'auction')}: {_most_frequent(held['reason'])}."
    at = f"at {span(told.won['payment_money'], ',.2f')} money"
    by = _set_by(traded)
    if len(held) == 1:
        auction = traded.iloc[0]
        return f"Sold to {auction['winners']} of {counted(auction['bidders'], 'bidder')} {at} each{by}."
    licences = counted(int(traded["winners"].sum()), "licence")
    return f"Sold {licences} in {len(traded):,} of {len(held):,} auctions {at}{by}."


def _set_by(traded: pd.DataFrame) -> str:
    """ ", set by …": what set the price, of many auctions in most of them."""
    setters = price_setters(traded)
    if setters.empty:
        return ""
    return f", set {'' if len(setters) == 1 else 'mostly '}by {setters.index[0]}"


def price_setters(auctions: pd.DataFrame) -> pd.Series:
    """In how many auctions what set the price, most frequent first; empty where the run does not tell."""
    told = auctions["price_set_by"] if "price_set_by" in auctions else pd.Series(dtype=str)
    return told[told != ""].value_counts()


def gained(told: Told) -> str:
    """Who has more than before: users in cash, DAOs by what they keep, providers by licences' worth less payments."""
    if told.result.accounts.empty:
        return "Nobody's account is known."
    users, received = told.figures["users_gain_total_money"], held_by(told.result, "user")
    first = f"Users {_moved(users)} (received − cost)" if users is not None else f"Users received {_amount(received)}"
    dao = "the DAO" if _daos(told) == 1 else "DAOs"
    providers = _moved(providers_gain(told.result))
    kept = held_by(told.result, "dao") - bonds_money(told)
    daos = f"{dao} kept {_amount(kept)}" if kept >= 0 else f"{dao} lost {_amount(-kept)} in bonds"
    return f"{first}, {daos}, providers {providers} (worth − paid)."


def _percent(shares: pd.Series) -> str:
    return f"{span(100 * shares, '.2f')} %"


def _amount(money: float) -> str:
    return f"{money:,.2f}" if abs(money) < 10_000 else f"{money:,.0f}"


def _moved(money: float) -> str:
    """ "gained 3.00" or "lost 3.00"."""
    return f"{'lost' if money < 0 else 'gained'} {_amount(abs(money))}"


def _is_surrogate(told: Told) -> bool:
    return told.setting("learning.learner") == "surrogate"


def _daos(told: Told) -> int:
    return told.setting("population.daos") or told.result.rounds["dao"].nunique()


def _most_frequent(reasons: pd.Series) -> str:
    return str(reasons.value_counts().index[0])
