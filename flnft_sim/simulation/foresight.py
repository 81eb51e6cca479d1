"""Look ahead before anything runs: what could never end, or would be refused in the middle, is refused here."""

import logging

import numpy as np

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.errors import InputError
from flnft_sim.scenario.beforehand import refuse_lack_of_gas
from flnft_sim.simulation.cast import Cast

LONG_S = 30 * 86_400.0  # of simulated time: long enough to say so before it begins


def foresee(cast: Cast) -> None:
    """Refuse what cannot end or cannot be paid for in gas, and say beforehand what takes very long.

    Raises `InputError` naming the field.
    """
    _refuse_hopeless_deadline(cast)
    _refuse_early_delivery(cast)
    refuse_lack_of_gas(cast.settings)
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


def _refuse_early_delivery(cast: Cast) -> None:
    """A delivery that is due before the quickest minting could end would be refunded whatever anybody does."""
    market, rounds = cast.settings.market, cast.settings.learning.rounds
    if market.mechanism != "sound" or market.order != "presale":
        return
    least_s = rounds * min(_round_s(dao)[0] for dao in cast.daos)
    if least_s > market.delivery_deadline_s:
        raise InputError(
            f"market.delivery_deadline_s = {market.delivery_deadline_s:g}: {rounds:,} rounds take {least_s:.3g} s and "
            "more, so nothing could be minted in time; give a later deadline"
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
