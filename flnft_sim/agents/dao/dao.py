"""A MU-DAO: it trains with its members round after round, mints the model, and agrees on what to ask for it."""

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
import simpy
from numpy.typing import NDArray

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.dao.decision import Decision, DecisionPhase
from flnft_sim.agents.dao.deliveries import Deliveries
from flnft_sim.agents.dao.experience import Experience
from flnft_sim.agents.dao.members import Membership
from flnft_sim.agents.dao.recording import record_round
from flnft_sim.agents.dao.work import Work, no_work
from flnft_sim.arrays import Floats, Ints
from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.learning import Learner, LocalUpdates, Participation, Scheme, SchemeContext
from flnft_sim.ledger import ConsensusStalled, fl_nft_document, mint_payload, model_hash
from flnft_sim.market import VoteResult, vote
from flnft_sim.results import AgeOfInformation, weights_bytes

if TYPE_CHECKING:
    from flnft_sim.agents.world import World

Process = Generator[simpy.Event, Any, Any]

RANKING_SHARE = 1 / 3  # a forward pass is a third of the forward and backward passes of training


@dataclass(frozen=True)
class FlNft:
    """A minted model: what is sold, the satisfaction it gives, whose work it is, and its files."""

    name: str
    decision: Decision  # the last round's, whose prices become bids
    shares: Floats  # (N,) of what it earns, by what each member delivered over the whole minting
    document: str
    document_file: str
    weights: dict[str, NDArray[Any]]
    weights_file: str
    final_s: float

    @property
    def due(self) -> Floats:
        """What each member's deliveries entitle it to of all announced rewards: (N,) money."""
        return self.shares * float(self.decision.rewards.sum())


class MuDao(Actor):
    """The members' organisation; its rounds run on its own ledger, its model is sold on the public chain."""

    role = "dao"

    def __init__(
        self,
        model: mesa.Model,
        world: "World",
        number: int,
        *,
        members: Membership,
        category: str,
        make_learner: Callable[[int], Learner],
        scheme: Scheme,
        ledger: PrivateLedger,
        host: simpy.Resource | None,
        withdraws: bool,
    ) -> None:
        super().__init__(model, world, number)
        self.members, self.category, self.scheme, self.ledger = members, category, scheme, ledger
        self.host = host  # the one machine all members share, None where each has its own
        self.withdraws = withdraws
        self.ages = [AgeOfInformation(self.name)]  # one a minting
        self.nft: FlNft | None = None  # this episode's, None before it is minted and where there is nothing to mint
        self.mintings = self.mintings_without_updates = 0  # how many episodes ended so
        self.last_decision: Decision | None = None
        self.last_minted: FlNft | None = None  # the newest of all episodes, whose files a run keeps
        self.label = self.name  # of spans: tells episodes apart where there are several
        self._make_learner = make_learner
        self.learner = make_learner(0)
        self.experience = Experience.of_nothing(self)
        self.deliveries = Deliveries.of_nothing(len(members))
        self.decision_phase = DecisionPhase(self)
        self._failures = world.streams.generator("failures", number)

    # ---- an episode ---------------------------------------------------------------------------------------------

    def mint_nft(self, episode: int) -> Process:
        """Train round after round; then hash the model and make its transaction final on the public chain.

        Where not one update was aggregated in all rounds there is no work to sell: nothing is minted.
        """
        settings, self.nft = self.world.settings, None
        if episode > 0:
            self.learner = self._make_learner(episode)
            self.experience = Experience.of_nothing(self)
            self.deliveries = Deliveries.of_nothing(len(self.members))
            self.ages.append(AgeOfInformation(self.name, start_s=self.world.env.now, episode=episode))
        if settings.market.auctions > 1:
            self.label = f"{self.name}-e{episode}"
        for number in range(1, settings.learning.rounds + 1):
            decision = yield from self.run_round(episode, number)
        self.last_decision = decision
        if self.deliveries.any:
            yield from self._mint(episode, decision)
        else:
            self.mintings_without_updates += 1
        self.age.end_s = self.world.env.now

    def run_round(self, episode: int, number: int) -> Process:
        """One FL round: decide, rank, train and upload side by side, aggregate; returns the decision."""
        started_s = self.world.env.now
        decision: Decision = yield from self.decision_phase.hold(number)
        ranking = yield from self._rank(number)
        plan = self._choose(decision, ranking, episode, number)
        updates = self.learner.train(number, plan.users, plan.epochs, plan.privacy)
        work = yield from self._work(plan, updates, episode, number)
        self.deliveries.take_in(self, plan, work, updates)
        if work.arrived.any():
            self.learner.aggregate(updates, work.arrived)
            self.experience.learn(plan, work, updates)
            self.age.update(self.world.env.now, float(work.started_s[work.arrived].max()))
            now_s = self.world.env.now
            self.world.spans.add(self.name, "aggregation", now_s, now_s, round=number, dao=self.label)
        accuracy, loss = self.learner.evaluate()
        record_round(self, episode, number, started_s, decision, plan, work, updates, accuracy, loss)
        return decision

    # ---- the parts of a round -----------------------------------------------------------------------------------

    @property
    def age(self) -> AgeOfInformation:
        """How old the model is that is being trained, or was last."""
        return self.ages[-1]

    @property
    def shard_sizes(self) -> Ints:
        """|D_i|, samples of each member: (N,)."""
        return self.learner.shard_sizes

    @property
    def cycles_per_sample(self) -> float:
        """CPU cycles to train on one sample once: the scenario's constant, else the model's FLOPs."""
        devices = self.world.settings.devices
        return devices.cycles_per_sample or devices.cycles_per_flop * self.learner.model.flops_per_sample

    @property
    def seconds_per_epoch(self) -> Floats:
        """T^m for one local epoch, cycles per sample × samples / clock: (N,) seconds."""
        return self.cycles_per_sample * self.shard_sizes / self.members.cpu_hz

    def _rank(self, number: int) -> Process:
        """Ranking schemes pay for a forward pass over local data, on the clock; returns scores (N,) or None."""
        if self.scheme.ranks_by is None:
            return None
        seconds = RANKING_SHARE * self.seconds_per_epoch
        with self.doing("ranking", round=number, dao=self.label):
            yield self.world.env.timeout(float(seconds.max() if self.host is None else seconds.sum()))
        return self.learner.rank(self.learner.users, self.scheme.ranks_by)

    def _choose(self, decision: Decision, ranking: Floats | None, episode: int, number: int) -> Participation:
        settings = self.world.settings
        present = self.members.present()
        context = SchemeContext(
            users=self.learner.users,
            rng=self.world.streams.generator("scheme", self.number, episode, number),
            answers_epochs=decision.step.epochs,
            answers_privacy=decision.step.privacy,
            takes_part=decision.step.takes_part & present if self.scheme.plays_game else present,
            ranking=None if ranking is None else np.where(present, ranking, -np.inf),
            round_share=settings.learning.round_share,
            fixed_epochs=settings.game.default_epochs,
            privacy_range=settings.game.privacy_range,
        )
        plan = self.scheme.choose(context)
        here = present[plan.users]  # who is away works for no scheme
        return Participation(plan.users[here], plan.epochs[here], plan.privacy[here])

    def _work(self, plan: Participation, updates: LocalUpdates, episode: int, number: int) -> Process:
        """Let those who take part do their work; returns their `Work`."""
        draws = self._failures.random((len(self.members), 3))
        if self.scheme.centralized:
            return (yield from self._train_centrally(plan, number))
        if not len(plan.users):
            yield self.world.env.timeout(self._patience_s())
            return no_work()
        return (yield from self.members.work(self, plan, updates, episode=episode, round_number=number, draws=draws))

    def _patience_s(self) -> float:
        """How long the DAO waits for updates where nobody works: to the deadline, else as long as a round would take.

        That is until the slowest member's update would be final, trained for as long as its last one was.
        """
        deadline_s = self.world.settings.timeline.round_deadline_s
        foreseen_s = self.experience.last_epochs * self.seconds_per_epoch + self.experience.fixed_age_s
        return float(foreseen_s.max()) if deadline_s is None else deadline_s

    def _train_centrally(self, plan: Participation, number: int) -> Process:
        """All data in one place: the first member's device trains on everything; nothing is uploaded or agreed on."""
        env = self.world.env
        started_s, samples = env.now, float(self.shard_sizes.sum())
        with self.doing("training", round=number, dao=self.label):
            yield env.timeout(int(plan.epochs.max()) * self.cycles_per_sample * samples / self.members.cpu_hz[0])
        every = np.ones(len(plan.users))
        took_s = (env.now - started_s) * every
        final = np.full(len(every), "final", dtype="<U11")
        return Work(started_s * every, took_s, 0 * every, 0 * every, env.now * every, final)

    # ---- minting and asking ----------------------------------------------------------------------------------------

    def _mint(self, episode: int, decision: Decision) -> Process:
        """Hash the weights, write fl-nft.js, and make the mint transaction final on the public chain."""
        suffix = "" if self.label == "dao-0" else f"-{self.label}"
        document_file, weights_file = f"fl-nft{suffix}.js", f"model{suffix}.safetensors"
        weights, shares = self.learner.weights(), self.deliveries.shares(decision)
        of_members = zip(self.members.addresses, shares.tolist(), strict=True)
        document = fl_nft_document(
            model_hash=model_hash(weights_bytes(weights)),
            parameter_uri=weights_file,
            minted_at_s=self.world.env.now,
            dao_public_key=self.key.public_key.hex(),
            shares={address: share for address, share in of_members if share > 0},
            dao=self.name,
            episode=episode,
        )
        with self.doing("minting", dao=self.label):
            payload = mint_payload(document, dao=self.name, nft_file=document_file, model_file=weights_file)
            yield self.world.public_chain.submit("mint", self.key, payload)
        final_s = self.world.env.now
        self.nft = FlNft(self.label, decision, shares, document, document_file, weights, weights_file, final_s)
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
        return result


def _stable(text: str) -> int:
    """A number for a name that is the same in every process (Python's own hash is not)."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
