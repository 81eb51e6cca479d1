"""A MU-DAO: it trains with its members round after round, mints the model, and agrees on what to ask for it."""

import hashlib
from collections.abc import Generator
from functools import partial
from typing import Any

import mesa
import numpy as np
import simpy

from flnft_sim.agents.dao.conduct import bring_home, really
from flnft_sim.agents.dao.fl_nft import FlNft, Manuscript
from flnft_sim.agents.dao.measuring import FORWARD_SHARE, measure_round, seen, spend_measuring
from flnft_sim.agents.dao.members import Individuals
from flnft_sim.agents.dao.organisation import Organisation, Parts
from flnft_sim.agents.dao.recording import record_round
from flnft_sim.agents.dao.round import Round
from flnft_sim.agents.dao.secure_sum import sum_securely
from flnft_sim.agents.dao.terms import AnnouncedPrices, Terms
from flnft_sim.agents.decision import Agreement
from flnft_sim.agents.world import World
from flnft_sim.arrays import Floats, Ints
from flnft_sim.clock.work import Work
from flnft_sim.game.reputation import reputation_after
from flnft_sim.late import made
from flnft_sim.learning import Participation, SchemeContext
from flnft_sim.ledger import ConsensusStalled, to_units
from flnft_sim.market import Content, VoteResult, lower_median, vote
from flnft_sim.results.outcome import Outcome

Process = Generator[simpy.Event, Any, Any]

PRICES = AnnouncedPrices()


class MuDao(Organisation):
    """The members' organisation; its rounds run on its own ledger, its model is sold on the public chain."""

    def __init__(self, model: mesa.Model, world: World, number: int, parts: Parts) -> None:
        super().__init__(model, world, number, parts)
        self.nft: FlNft | None = None  # this episode's, None before it is minted and where there is nothing to mint
        self.mintings = self.mintings_without_updates = 0  # how many episodes ended so
        self.mintings_begun = 0
        self.last_decision: Agreement | None = None
        self.last_minted: FlNft | None = None  # the newest of all episodes, whose files a run keeps
        self._failures = world.streams.generator("failures", number)

    @property
    def sums_securely(self) -> bool:
        """Whether updates are seen but as their sum."""
        return self.world.settings.learning.privacy.mechanism == "dp-secagg"

    # ---- an episode ---------------------------------------------------------------------------------------------

    def mint_nft(self, episode: int, terms: Terms = PRICES) -> Process:
        """Train round after round; then hash the model and make its transaction final on the public chain.

        Where not one update was aggregated in all rounds there is no work to sell: nothing is minted. Nor is it where
        the terms have closed before the last round. Once every member has spent its privacy budget no round follows.
        """
        settings, self.nft, self.terms = self.world.settings, None, terms
        if episode > 0:
            self.begin_anew(episode, first=not self.mintings_begun)
        self.mintings_begun += 1
        if settings.market.auctions > 1:
            self.labels.append(f"{self.name}-e{episode}")
        for number in range(1, settings.learning.rounds + 1):
            held: Round = yield from self.run_round(episode, number)
            left = self.learner.epochs_left
            if self.world.env.now >= terms.closes_s or (left is not None and not left.any()):
                break
        self.last_decision = held.decision
        yield from self.terms.attest(self)
        if self.deliveries.any and self.world.env.now < terms.closes_s:
            yield from self._mint(held)
        else:
            self.mintings_without_updates += 1
        self.age.end_s = self.world.env.now

    def run_round(self, episode: int, number: int) -> Process:
        """One FL round: decide, rank, train and upload side by side, aggregate; returns the `Round`."""
        held = Round(self.name, self.label, episode, number, started_s=self.world.env.now)
        held.decision = yield from self.terms.agree(self, number)
        plan = yield from self._choose(held)
        claimed = self.terms.trained(self, plan)
        held.claimed_epochs, held.plan = claimed.epochs, really(self, claimed)
        held.updates = bring_home(self, held)
        held.work = yield from self._work(held)
        self._take_in(held)
        yield from spend_measuring(self, held)
        held.accuracy, held.loss = self.learner.evaluate()
        record_round(self, held, self.terms.shares(self, held.decision))
        return held

    # ---- the parts of a round -----------------------------------------------------------------------------------

    def _choose(self, held: Round) -> Process:
        """Let the scheme choose among those present; returns its `Participation`."""
        settings = self.world.settings
        answers = yield from self.world.policy.answer(self.number, held.decision)
        ranking = yield from self._rank(held.number)
        present = self.members.present()
        context = made(
            SchemeContext,
            users=self.learner.users,
            _find_rng=partial(self.world.streams.generator, "scheme", self.number, held.episode, held.number),
            answers_epochs=answers.epochs,
            answers_privacy=answers.privacy,
            takes_part=answers.takes_part & present if self.scheme.plays_game else present,
            ranking=None if ranking is None else np.where(present, ranking, -np.inf),
            round_share=settings.learning.round_share,
            fixed_epochs=settings.game.default_epochs,
            privacy_range=settings.game.privacy_range,
        )
        plan = self.scheme.choose(context)
        epochs, left = plan.epochs, self.learner.epochs_left
        if left is not None:  # who has spent its budget takes part no more
            epochs = np.minimum(epochs, left[plan.users])
        here = present[plan.users] & (epochs > 0)  # who is away works for no scheme
        if self.sums_securely and np.count_nonzero(here) <= settings.learning.privacy.colluders:
            here[:] = False  # nobody's noise may be missing, and nobody is sure to add any
        users, privacy = plan.users[here], plan.privacy[here]
        return Participation(users, epochs[here], self._contract(held, users, privacy))

    def _contract(self, held: Round, users: Ints, privacy: Floats) -> Floats:
        """Bind who trains for the first time to its ε (n,) where one is for the whole minting; returns what holds."""
        if self.contracts is None:
            return privacy
        held.contracted = np.zeros(len(self.members), dtype=bool)
        held.contracted[users] = np.isnan(self.contracts[users])
        self.contracts[users] = np.where(held.contracted[users], privacy, self.contracts[users])
        return self.contracts[users]

    def _rank(self, number: int) -> Process:
        """Ranking schemes pay for a forward pass over local data, on the clock; returns scores (N,) or None."""
        if self.scheme.ranks_by is None:
            return None
        seconds = FORWARD_SHARE * self.seconds_per_epoch
        with self.doing("ranking", round=number, dao=self.label):
            yield self.world.env.timeout(float(seconds.max() if self.host is None else seconds.sum()))
        return self.learner.rank(self.learner.users, self.scheme.ranks_by)

    def _work(self, held: Round) -> Process:
        """Let those who take part do their work; returns their `Work`."""
        draws = self._failures.random((len(self.members), 3))
        if self.scheme.centralized:
            return (yield from self._train_centrally(held))
        if not len(held.plan.users):
            yield self.world.env.timeout(self._patience_s())
            return Work.begun(0, self.world.env.now)
        train_s = held.plan.epochs * self.seconds_per_epoch[held.plan.users]
        if self.sums_securely and isinstance(self.members, Individuals):
            return (yield from sum_securely(self, self.members, held, train_s, draws))
        return (yield from self.members.work(held, train_s, self.learner.model.upload_bits, draws))

    def _patience_s(self) -> float:
        """How long the DAO waits for updates where nobody works: to the deadline, else as long as a round would take.

        That is until the slowest member's update would be final, trained for as long as its last one was.
        """
        deadline_s = self.world.settings.timeline.round_deadline_s
        foreseen_s = self.experience.last_epochs * self.seconds_per_epoch + self.experience.fixed_age_s
        return float(foreseen_s.max()) if deadline_s is None else deadline_s

    def _train_centrally(self, held: Round) -> Process:
        """All data in one place: the first member's device trains on everything; nothing is uploaded or agreed on."""
        env, plan = self.world.env, held.plan
        work, samples = Work.begun(len(plan.users), env.now), float(self.shard_sizes.sum())
        with self.doing("training", round=held.number, dao=self.label):
            yield env.timeout(int(plan.epochs.max()) * self.cycles_per_sample * samples / self.members.cpu_hz[0])
        work.train_s[:] = env.now - work.started_s
        work.final_s[:], work.outcomes[:] = env.now, Outcome.FINAL
        return work

    def _take_in(self, held: Round) -> None:
        """Credit who delivered, aggregate what arrived, and learn from it."""
        game, work, now_s = self.world.settings.game, held.work, self.world.env.now
        self.deliveries.count(held)
        if not work.arrived.any():
            return
        self.terms.credit(self, held)
        coalitions = seen(self, held)
        self.learner.aggregate(held.updates, work.arrived)
        measure_round(self, held, coalitions)
        self._judge(held)
        self.deliveries.credit(
            held,
            self.world.measures.pays_by,
            freshness_horizon_s=game.freshness_horizon_s,
            reputation=self.reputation,
        )
        self.experience.learn(held)
        self.age.update(now_s, float(work.started_s[work.arrived].max()))
        self.world.spans.add(self.name, "aggregation", now_s, now_s, round=held.number, dao=self.label)

    def _judge(self, held: Round) -> None:
        """Let what was measured of who delivered count for its reputation, where there is any."""
        judged_by, smoothing = self.world.measures.judged_by, self.world.settings.game.reputation
        if smoothing > 0 and judged_by is not None:
            members = held.plan.users[held.work.arrived]
            self.reputation[members] = reputation_after(
                self.reputation[members], held.measured[judged_by].values, smoothing=smoothing
            )

    # ---- minting and asking ----------------------------------------------------------------------------------------

    def _mint(self, last: Round) -> Process:
        """Make the mint transaction, which names the model and fl-nft.js by their hashes, final on the public chain."""
        suffix = "" if self.label == "dao-0" else f"-{self.label}"
        shares = self.terms.shares(self, last.decision)
        of_members = zip(self.members.addresses, shares.tolist(), strict=True)
        told: dict[str, Any] = {
            "minted_at_s": self.world.env.now,
            "dao_public_key": self.key.public_hex,
            "shares": {address: share for address, share in of_members if share > 0},
            "dao": self.name,
            "episode": last.episode,
        }
        if keywords := Content.named(self.category).keywords:
            told["keywords"] = sorted(keywords)
        files = Manuscript(self.learner.weights(), told, f"fl-nft{suffix}.js", f"model{suffix}.safetensors")
        with self.doing("minting", dao=self.label):
            message = self.world.onchain.minting(self, files)
            receipt = yield self.world.public_chain.submit("mint", self.key, files.payload(self.name), message=message)
        final_s = self.world.env.now
        token = self.world.onchain.minted(self, receipt)
        self.nft = FlNft(self.label, last.decision, shares, files, final_s, token)
        self.last_minted = self.nft
        self.mintings += 1

    def vote_on_asks(self, auction: str, nft: FlNft) -> Process:
        """Contributors propose asks and judge one another's (Eq. 34) on the DAO's ledger; returns the `VoteResult`.

        Who delivered nothing in the whole minting neither asks nor votes. Returns None where the ledger cannot decide:
        a DAO that cannot agree on an ask sells nothing.
        """
        voting = self.world.settings.market.voting
        rng = self.world.streams.generator("voting", self.number, _stable(auction))
        fair = nft.due
        # In a crowd the votes of N² pairs would not fit into memory: there all voters share one estimate of each.
        crowd = len(fair) > self.world.settings.population.crowd_from
        pairs = (len(fair),) if crowd else (len(fair), len(fair))
        errors = np.exp(voting.estimate_noise * rng.standard_normal(pairs))
        result: VoteResult = vote(
            np.where(self.members.inflates, voting.inflation * fair, fair),
            fair * errors,
            tolerance=voting.tolerance,
            rule=voting.rule,
            candidates=nft.shares > 0,
        )
        self.members.show("voting")
        try:
            with self.doing("voting", auction=auction):
                candidates = int(np.count_nonzero(nft.shares))
                outcome = {"auction": auction, "approved": int(result.approved.sum()), "of": candidates}
                yield self.ledger.submit("vote", self.key, outcome)
        except ConsensusStalled:
            return None
        finally:
            self.members.show("idle")
        self.world.onchain.post_vote(self, auction, result)
        return result

    def vote_on_total(self, auction: str, due_money: float) -> Process:
        """Members name the pot that they need, and the lower median is asked, on the DAO's ledger; returns money.

        Everybody can work out `due_money`; who inflates names more. Returns None where the ledger cannot decide.
        """
        inflation = self.world.settings.market.voting.inflation
        ask = lower_median(np.where(self.members.inflates, inflation * due_money, due_money))
        self.members.show("voting")
        try:
            with self.doing("voting", auction=auction):
                yield self.ledger.submit("vote", self.key, {"auction": auction, "total_units": to_units(ask)})
        except ConsensusStalled:
            return None
        finally:
            self.members.show("idle")
        return ask


def _stable(text: str) -> int:
    """A number for a name that is the same in every process (Python's own hash is not)."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
