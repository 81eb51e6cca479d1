"""The contest among users for a pot: scores, equilibrium, whole epochs, what a promise costs, what is released."""

from flnft_sim.game.contest.attacks import Attack, contest_attacks
from flnft_sim.game.contest.attestation import (
    ATTESTATIONS,
    distinct_updates,
    enclave_seconds,
    epochs_by_arrival,
    epochs_by_enclave,
    epochs_by_loss_drop,
    minting_scores,
    one_name_each,
    uncaught_probability,
)
from flnft_sim.game.contest.equilibrium import Contest, contest_equilibrium, settled_contest
from flnft_sim.game.contest.promise import delivered_part, measured_freshness, promised, provider_values
from flnft_sim.game.contest.release import Release, release, release_exponent, release_power, steep_release_power
from flnft_sim.game.contest.shortfall import PromisedContest, equal_equilibria, replied
from flnft_sim.game.contest.terms import ContestTerms, ScoreFreshness, score_shares
from flnft_sim.game.contest.total_ask import NoTotalAskError, equal_users_ask, played_epochs, total_ask
from flnft_sim.game.contest.whole import Replies, WholeContest, whole_contest, whole_replies

__all__ = [
    "ATTESTATIONS",
    "Attack",
    "Contest",
    "ContestTerms",
    "NoTotalAskError",
    "PromisedContest",
    "Release",
    "Replies",
    "ScoreFreshness",
    "WholeContest",
    "contest_attacks",
    "contest_equilibrium",
    "delivered_part",
    "distinct_updates",
    "enclave_seconds",
    "epochs_by_arrival",
    "epochs_by_enclave",
    "epochs_by_loss_drop",
    "equal_equilibria",
    "equal_users_ask",
    "measured_freshness",
    "minting_scores",
    "one_name_each",
    "played_epochs",
    "promised",
    "provider_values",
    "release",
    "release_exponent",
    "release_power",
    "replied",
    "score_shares",
    "settled_contest",
    "steep_release_power",
    "total_ask",
    "uncaught_probability",
    "whole_contest",
    "whole_replies",
]
