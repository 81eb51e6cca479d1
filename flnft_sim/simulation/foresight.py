"""Look ahead before anything runs: what could never end, or would be refused in the middle, is refused here."""

import logging
from typing import Any

import numpy as np

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.errors import InputError
from flnft_sim.ledger.canonical import canonical_json
from flnft_sim.ledger.transactions import intrinsic_gas
from flnft_sim.scenario import Scenario
from flnft_sim.simulation.cast import Cast

LONG_S = 30 * 86_400.0  # of simulated time: long enough to say so before it begins
_ADDRESS = "f" * 40
_UNITS = 2**53
_SEALED_BYTES = 400  # a sealed bid has fewer, whatever its content


def foresee(cast: Cast) -> None:
    """Refuse what cannot end or cannot be paid for in gas, and say beforehand what takes very long.

    Raises `InputError` naming the field.
    """
    _refuse_hopeless_deadline(cast)
    _refuse_lack_of_gas(cast.settings)
    _refuse_endless(cast)


def _refuse_hopeless_deadline(cast: Cast) -> None:
    """A round deadline that no user can meet with a single epoch would leave every round empty."""
    deadline_s = cast.settings.timeline.round_deadline_s
    if deadline_s is None or any(dao.scheme.centralized for dao in cast.daos):
        return
    least_s = min(float((dao.seconds_per_epoch + dao.experience.fixed_age_s).min()) for dao in cast.daos)
    if least_s > deadline_s:
        raise InputError(
            f"timeline.round_deadline_s = {deadline_s:g}: no user can train one epoch, upload and reach consensus in "
            f"less than {least_s:.3g} s; give a later deadline"
        )


def _refuse_endless(cast: Cast) -> None:
    """The least and a likely duration of the run, against `timeline.longest_s`."""
    settings, longest_s = cast.settings, cast.settings.timeline.longest_s
    rounds, episodes = settings.learning.rounds, settings.market.auctions
    least_round_s, likely_round_s = (max(each) for each in zip(*map(_round_s, cast.daos), strict=True))
    market_s = settings.market.bidding_s + 4 * cast.world.public_chain.expected_s
    least_s = episodes * (rounds * least_round_s + settings.market.bidding_s)
    likely_s = episodes * (rounds * likely_round_s + market_s)
    parts = (
        f"{rounds:,} rounds of {least_round_s:.3g} s and more (one epoch, one upload, one consensus) and bidding for "
        f"{settings.market.bidding_s:g} s, {episodes:,} times"
    )
    if not least_s <= longest_s:
        raise InputError(
            f"timeline.longest_s = {longest_s:g}: this scenario takes at least {least_s:.3g} simulated seconds, "
            f"{parts}; make it faster (devices, radio, market.bidding_s) or allow more"
        )
    if likely_s > min(LONG_S, longest_s):
        logging.getLogger("flnft_sim").warning(
            "this run is likely to take %.3g simulated seconds (%.3g days); it ends at timeline.longest_s = %g",
            likely_s,
            likely_s / 86_400,
            longest_s,
        )


def _round_s(dao: MuDao) -> tuple[float, float]:
    """Seconds of a DAO's round at the least, one epoch by its quickest member, and likely, `default_epochs` by all."""
    epochs, decision_s = dao.world.settings.game.default_epochs, dao.world.settings.game.decision_step_s
    per_epoch_s, fixed_s = dao.seconds_per_epoch, dao.experience.fixed_age_s
    if dao.scheme.centralized:
        everything_s = float(dao.cycles_per_sample * dao.shard_sizes.sum() / dao.members.cpu_hz[0])
        return everything_s, epochs * everything_s
    decision_s = decision_s if dao.scheme.plays_game else 0.0
    least_s, likely_s = per_epoch_s + fixed_s, epochs * per_epoch_s + fixed_s
    deadline_s = dao.world.settings.timeline.round_deadline_s or np.inf
    return decision_s + float(least_s.min()), decision_s + min(float(likely_s.max()), deadline_s)


def _refuse_lack_of_gas(settings: Scenario) -> None:
    """A call that no block can hold would end the run after all the training."""
    limit, (kind, gas) = settings.public_chain.gas_limit, largest_call(settings)
    if gas > limit:
        raise InputError(
            f"public_chain.gas_limit = {limit}: a {kind!r} transaction of this market may take {gas} gas; give at "
            "least that"
        )


def largest_call(settings: Scenario) -> tuple[str, int]:
    """The transaction that takes the most gas, and how much that may be: lists as long, numbers as wide as can be.

    Settlements come in as many transactions as it takes, so of them a single entry counts.
    """
    population, market = settings.population, settings.market
    auction = f"category-{population.categories}-e{market.auctions}"
    label = f"dao-{population.daos}-e{market.auctions}"
    sellers = -(-population.daos // population.categories)
    buyers = -(-population.providers // population.categories)
    addresses = [f"{number:040d}" for number in range(buyers)]
    nft, model = f"fl-nft-{label}.js", f"model-{label}.safetensors"
    calls: dict[str, dict[str, Any]] = {
        "mint": {"dao": label, "nft_file": nft, "nft_hash": "f" * 64, "model_file": model, "model_hash": "f" * 64},
        "announce": {
            "auction": auction,
            "category": auction,
            "fl_nfts": [nft] * sellers,
            "reserve_units": _UNITS,
            "seal_to": "f" * 64,
        },
        "bid": {"auction": auction, "sealed": "f" * (2 * _SEALED_BYTES)},
        "clearing": {
            "auction": auction,
            "rule": market.rule,
            "bids": dict.fromkeys(addresses, _UNITS),
            "asks_units": [_UNITS] * sellers,
            "reserve_units": _UNITS,
            "winners": addresses,
            "draw": 2**63,
        },
        "settle": {
            "auction": auction,
            "entries": [
                {
                    "src": f"escrow/{auction}/{_ADDRESS}",
                    "dst": _ADDRESS,
                    "units": _UNITS,
                    "memo": f"{auction} {label}" * 3,
                }
            ],
        },
    }
    gas = {kind: intrinsic_gas(canonical_json(payload)) for kind, payload in calls.items()}
    return max(gas.items(), key=lambda item: item[1])
