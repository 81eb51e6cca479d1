"""Members who compete for a pot: what they compete by, what they agree on before a round, what they are paid by."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from flnft_sim.agents.dao.experience import Experience
from flnft_sim.agents.dao.organisation import Organisation
from flnft_sim.agents.dao.problem import epochs_max, unit_costs
from flnft_sim.agents.dao.round import Round
from flnft_sim.agents.dao.terms import Process, Terms
from flnft_sim.agents.decision import Agreement, Answers
from flnft_sim.arrays import Floats
from flnft_sim.game import freshness_contribution, quality_contribution
from flnft_sim.game.contest import (
    ContestTerms,
    ScoreFreshness,
    WholeContest,
    score_shares,
    whole_contest,
    whole_replies,
)
from flnft_sim.game.contest.attestation import enclave_seconds
from flnft_sim.learning import Participation

SAMPLED_ROUNDS = 2  # trained anew in enclaves: with one, skipping some rounds still pays (docs/results.md)


def contest_terms(dao: Organisation, known: Experience) -> ContestTerms:
    """What a DAO's members compete by, given what is known of them; costs are money for a whole minting."""
    settings = dao.world.settings
    game, seconds = settings.game, dao.seconds_per_epoch
    compute, privacy = unit_costs(dao, known)
    kappa = game.cost_price * settings.learning.rounds
    return ContestTerms(
        scores=quality_contribution(dao.shard_sizes, known.mean_loss, mu0=game.mu0, mu1=game.mu1),
        compute_cost=kappa * compute,
        privacy_cost=kappa * privacy,
        a=game.score_epochs_exponent,
        b=game.score_privacy_exponent,
        epochs_range=(1, epochs_max(dao, known, seconds)),
        privacy_range=game.privacy_range,
        freshness=ScoreFreshness(
            exponent=game.score_freshness_exponent,
            fixed_age_s=known.fixed_age_s,
            seconds_per_epoch=seconds,
            horizon_s=game.freshness_horizon_s,
        ),
    )


def lone_cost(terms: ContestTerms, epochs: int) -> float:
    """What `epochs` a round cost the one member of a DAO without a contest, at the most ε that may be asked for."""
    return float(terms.cost(np.array([float(epochs)]), np.array([terms.privacy_range[1]]))[0])


@dataclass(frozen=True)
class ContestAgreement(Agreement):
    """What members play for a pot: whole epochs in equilibrium, or what is promised where one is alone."""

    pot: float
    terms: ContestTerms
    played: WholeContest
    freshness: float
    """Σθ^F of the ages that answers foresee."""
    seconds: float

    @property
    def answers(self) -> Answers:
        """Whole epochs and ε as played; who stays out would train one epoch."""
        played = self.played
        lowest = float(np.asarray(self.terms.privacy_range[0]))
        return Answers(
            played.takes_part, np.maximum(played.epochs, 1), np.where(played.takes_part, played.privacy, lowest)
        )

    @property
    def rewards(self) -> Floats:
        """Each one's share of the pot if everybody delivers: (N,) money."""
        return self.pot * score_shares(self.terms.score(self.played.epochs, self.played.privacy))

    def told(self) -> dict[str, Any]:
        """One exchange: the pot is known, and everybody can work out the equilibrium."""
        return {
            "iterations": 1,
            "quality": float(self.terms.theta[self.played.takes_part].sum()),
            "freshness": self.freshness,
        }

    def columns(self, epochs: Floats, privacy: Floats) -> dict[str, Any]:
        """Utility is cash, both shares are the one of the pot, and the best reply is in whole epochs."""
        played = np.where(epochs > 0, privacy, 0.0)
        shares, cash = score_shares(self.terms.score(epochs, played)), self.terms.cash(self.pot, epochs, played)
        best = cash if len(epochs) == 1 else whole_replies(self.pot, self.terms, epochs, played).cash
        return {
            "quality_share": shares,
            "freshness_share": shares,
            "user_utility": cash,
            "cost": self.terms.cost(epochs, played),
            "exploitability": np.maximum(0.0, best - cash),
        }


class PotTerms(Terms):
    """Work for a pot: before every round the contest is played with what is known by then; shares are by scores.

    A score counts when its update was final in time and aggregated: θ^Q of the measured loss, the epochs attested and
    ε as given, the age as measured. Scores add up over the rounds of a minting. Members claim what they play, but for
    those who claim the most and train one epoch.
    """

    def __init__(self, dao: Organisation, *, pot: float, promised_epochs: int, closes_s: float = float("inf")) -> None:
        self.pot, self.promised_epochs, self.closes_s = pot, promised_epochs, closes_s
        self.scores = np.zeros(len(dao.members))
        self._claims = np.zeros(0)  # (n,) epochs of the round that is under way, as claimed
        self._caught = np.zeros(len(dao.members), dtype=bool)
        # Which rounds will be trained anew nobody knows before all are over.
        rng = dao.world.streams.generator("attestation", dao.number, len(dao.ages))
        rounds = dao.world.settings.learning.rounds
        self._sampled = rng.choice(rounds, size=min(SAMPLED_ROUNDS, rounds), replace=False) + 1

    def agree(self, dao: Organisation, round_number: int) -> Process:
        """Announce the pot and take the answers: one exchange."""
        started_s = dao.world.env.now
        dao.members.show("decision")
        with dao.doing("decision", round=round_number, dao=dao.label):
            yield dao.world.env.timeout(dao.world.settings.game.decision_step_s)
        dao.members.show("idle")
        dao.members.tell_decision(dao.label, round_number, started_s)
        return self.agreement(dao, dao.experience, seconds=dao.world.env.now - started_s)

    def agreement(self, dao: Organisation, known: Experience, *, seconds: float = 0.0) -> ContestAgreement:
        """What members play, given what is known of them."""
        terms = contest_terms(dao, known)
        played = whole_contest(self.pot, terms) if len(terms) > 1 else self._alone(terms)
        ages = known.fixed_age_s + dao.seconds_per_epoch * played.epochs
        fresh = freshness_contribution(ages, freshness_horizon_s=dao.world.settings.game.freshness_horizon_s)
        return ContestAgreement(self.pot, terms, played, float(fresh[played.takes_part].sum()), seconds)

    def trained(self, dao: Organisation, plan: Participation) -> Participation:
        """Take claims; who skips claims the most epochs and trains one."""
        settings = dao.world.settings
        skips = dao.members.numbers[plan.users] < settings.failures.skipping_users
        self._claims = np.where(skips, settings.game.epochs_max, plan.epochs)
        return Participation(plan.users, np.where(skips, np.minimum(plan.epochs, 1), plan.epochs), plan.privacy)

    def credit(self, dao: Organisation, held: Round) -> None:
        """Add the scores of what arrived, by the epochs that count."""
        game, arrived = dao.world.settings.game, held.work.arrived
        users, done, claimed = held.plan.users[arrived], held.plan.epochs[arrived], self._claims[arrived]
        if held.number in self._sampled:
            self._caught[users] |= claimed != done
        # A validation without noise accounts for just the epochs that were trained.
        epochs = np.minimum(claimed, done) if game.attestation == "loss-drop" else claimed
        theta = quality_contribution(dao.shard_sizes[users], held.updates.losses[arrived], mu0=game.mu0, mu1=game.mu1)
        fresh = np.maximum(0.0, 1.0 - held.work.age_s[arrived] / game.freshness_horizon_s)
        self.scores[users] += (
            theta
            * epochs**game.score_epochs_exponent
            * np.minimum(held.plan.privacy[arrived], game.privacy_range[1]) ** game.score_privacy_exponent
            * fresh**game.score_freshness_exponent
        )

    def attest(self, dao: Organisation) -> Process:
        """In enclaves, train some rounds anew, as long as the slowest takes: whose claim was another has no score."""
        if dao.world.settings.game.attestation != "enclave":
            return
        seconds = enclave_seconds(dao.experience.last_epochs, dao.seconds_per_epoch, sampled_rounds=len(self._sampled))
        dao.members.show("training")
        with dao.doing("training", dao=dao.label):
            yield dao.world.env.timeout(float(np.max(seconds)))
        dao.members.show("idle")
        self.scores[self._caught] = 0.0

    def shares(self, dao: Organisation, agreement: Agreement) -> Floats:
        """By scores of delivered work so far."""
        del dao, agreement
        return score_shares(self.scores)

    def _alone(self, terms: ContestTerms) -> WholeContest:
        """Nobody to compete with: what was promised for the pot is worked, where there is time for it."""
        epochs = min(self.promised_epochs, int(np.ravel(terms.epochs_range[1])[0]))
        works = epochs >= 1
        return WholeContest(
            np.array([epochs if works else 0]),
            np.array([float(terms.privacy_range[1]) if works else 0.0]),
            np.array([works]),
            0.0,
        )
