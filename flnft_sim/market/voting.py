"""Majority voting on the asks of a DAO's members (Eq. 34)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim import families
from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.errors import InputError
from flnft_sim.registry import Registry

type VotingRule = Callable[[Ints, int], Bools]
"""(approvals of each ask, number of users) -> which asks stand."""

VOTING: Registry[VotingRule] = families.VOTING


@VOTING.register("majority")
def majority(approvals: Ints, users: int) -> Bools:
    """At least N/2 of the N−1 others approve (Eq. 34), which is a strict majority of them."""
    return 2 * approvals >= users


@VOTING.register("two-thirds")
def two_thirds(approvals: Ints, users: int) -> Bools:
    """At least two thirds of the N−1 others approve."""
    return 3 * approvals >= 2 * (users - 1)


@dataclass(frozen=True)
class VoteResult:
    """What became of each member's ask."""

    approved: Bools
    """(N,) whether the ask stands."""
    approvals: Ints
    """(N,) approving votes among the other candidates (all N−1 others where everybody is one)."""
    claims: Floats
    """(N,) money: the ask where it stands, else 0; a claim to this share of what the DAO receives."""
    asks: Floats
    """(N,) money: what each asked for."""
    approves: Bools
    """(N, N) which of the others' asks each candidate approves, [voter, proposer]; or (N,) where all judge alike."""
    candidates: Bools
    """(N,) who asked and voted at all."""

    @property
    def total_ask(self) -> float:
        """The DAO's ask B_h = Σ b_i: money for the FL-NFT as a whole."""
        return float(self.claims.sum())


def vote(
    asks: ArrayLike,
    estimates: ArrayLike,
    *,
    tolerance: float = 0.0,
    rule: str = "majority",
    candidates: ArrayLike | None = None,
) -> VoteResult:
    """Let every member vote on every other member's ask.

    A voter approves an ask that exceeds its own estimate of the proposer's reward by no more than the share
    `tolerance`. `asks` is (N,) money; `estimates` is (N, N) money, [voter, proposer], or (N,) where all voters hold
    the same estimates (then N = 10⁶ costs no N² votes). A DAO of one has nobody to object: its ask stands, where
    Eq. 34 would leave it unable ever to sell.

    `candidates` (N,) tells who asks and votes at all (default: everybody); the others' asks are not put to the vote,
    and N counts the candidates alone.
    """
    asks, estimates = np.asarray(asks, np.float64), np.asarray(estimates, np.float64)
    _check(asks, estimates, tolerance)
    standing = np.ones(asks.size, np.bool_) if candidates is None else np.asarray(candidates, np.bool_)
    if standing.shape != asks.shape:
        raise InputError(f"{standing.shape} candidates meet {asks.shape} asks; give one flag an ask")
    ballots = np.ix_(*[standing] * estimates.ndim)
    approves = np.zeros(estimates.shape, np.bool_)
    approves[ballots] = asks[standing] <= estimates[ballots] * (1 + tolerance)
    approved, approvals = np.zeros(asks.size, np.bool_), np.zeros(asks.size, np.int64)
    approved[standing], approvals[standing] = _count(approves[ballots], rule)
    return VoteResult(
        approved=approved,
        approvals=approvals,
        claims=np.where(approved, asks, 0.0),
        asks=asks,
        approves=approves,
        candidates=standing,
    )


def threshold(rule: str, users: int) -> int:
    """Return the approvals from which on an ask stands among `users` by a rule; `users` where none ever does.

    Raises `InputError` for a rule that has no such number: one approval more lets an ask fall.
    """
    if users < 2:
        return 0
    stands = VOTING.get(rule)(np.arange(users), users)
    if (stands[:-1] > stands[1:]).any():
        raise InputError(f"voting rule {rule!r} counts one approval more against an ask; use one that does not")
    return int(users - np.count_nonzero(stands))


def lower_median(numbers: ArrayLike) -> float:
    """The number that a majority agrees on: half of the voters named it or less, half named it or more.

    Of an even count the lower of the middle two, so that no voter moves it beyond what another has named. Raises
    `InputError` where nobody voted.
    """
    named = np.sort(np.asarray(numbers, np.float64).ravel())
    if not named.size or not np.isfinite(named).all():
        raise InputError(f"{named.size} numbers to vote on; give one finite number or more")
    return float(named[(named.size - 1) // 2])


def _count(approves: Bools, rule: str) -> tuple[Bools, Ints]:
    """Which asks stand, and by how many approvals; of candidates alone."""
    users = len(approves)
    stands = VOTING.get(rule)
    if approves.ndim == 1:
        approvals = np.where(approves, users - 1, 0)
    else:
        approvals = np.count_nonzero(approves, axis=0) - np.diagonal(approves)  # nobody votes on the own ask
    return (stands(approvals, users) if users > 1 else np.ones(users, np.bool_)), approvals


def _check(asks: Floats, estimates: Floats, tolerance: float) -> None:
    if asks.ndim != 1 or estimates.shape not in ((asks.size,), (asks.size, asks.size)):
        raise InputError(
            f"{asks.shape} asks meet {estimates.shape} estimates; give (N,) asks and (N,) or (N, N) estimates"
        )
    for what, values in (("an ask", asks), ("an estimate", estimates)):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise InputError(f"{what} in the vote is negative or not finite; give money of 0 or more")
    if not tolerance >= 0:
        raise InputError(f"the voters' tolerance is {tolerance}; give a share of 0 or more")
