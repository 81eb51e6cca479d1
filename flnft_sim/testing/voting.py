"""The contract every voting rule keeps; a rule of your own inherits its tests:

class TestMyVoting(VotingContract):
    voting = "my-voting"
"""

import numpy as np

from flnft_sim.market import VOTING
from flnft_sim.market.voting import VotingRule

_USERS = (2, 3, 4, 5, 10, 101)


class VotingContract:
    """Subclass it in a test module, set `voting` to a registered name, and pytest runs the rest."""

    voting: str

    @property
    def rule(self) -> VotingRule:
        """The rule under test."""
        return VOTING.get(self.voting)

    def test_it_says_of_each_ask_whether_it_stands(self) -> None:
        """Flags of the approvals' shape, an empty vote included."""
        for users in _USERS:
            for approvals in (np.arange(users), np.zeros(0, np.int64)):
                stands = self.rule(approvals, users)
                assert np.shape(stands) == approvals.shape
                assert np.asarray(stands).dtype == np.bool_

    def test_what_all_others_approve_stands_and_what_nobody_approves_falls(self) -> None:
        """The two ends that no quorum can move."""
        for users in _USERS:
            assert self.rule(np.array([users - 1]), users).all()
            assert not self.rule(np.array([0]), users).any()

    def test_an_approval_more_never_fells_an_ask(self) -> None:
        """The more approve, the better."""
        for users in _USERS:
            stands = np.asarray(self.rule(np.arange(users), users))
            assert (stands[1:] >= stands[:-1]).all()

    def test_each_ask_is_judged_by_its_own_approvals(self) -> None:
        """Together or one by one, in any order, and nothing is kept or changed."""
        rng = np.random.default_rng(0)
        for users in _USERS:
            approvals = rng.integers(0, users, 30)
            kept = approvals.copy()
            together = self.rule(approvals, users)
            np.testing.assert_array_equal(approvals, kept)
            alone = [bool(self.rule(approvals[i : i + 1], users)[0]) for i in range(approvals.size)]
            np.testing.assert_array_equal(together, alone)
