"""What a MU-DAO has and knows; what it does is told in `dao`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mesa
import numpy as np
import simpy
from numpy.typing import NDArray

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.dao.deliveries import Deliveries
from flnft_sim.agents.dao.experience import Experience
from flnft_sim.agents.dao.foresight import Foresight
from flnft_sim.agents.dao.members import Membership
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.world import World
from flnft_sim.arrays import Floats, Ints
from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.learning import Learner, Scheme
from flnft_sim.results import AgeOfInformation


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a DAO is made of."""

    members: Membership
    buyers: Sequence[ServiceProvider]
    """Who demands its category."""
    category: str
    make_learner: Callable[[int], Learner]
    """A fresh learner for the minting of an episode."""
    foresee: Callable[[Learner, float], Foresight | None]
    """What fitted curves tell of a whole minting at so many epochs a round; None where there is none."""
    scheme: Scheme
    ledger: PrivateLedger
    privacy_tastes: Floats
    """By how much a unit of privacy costs each member more than Eq. 7 says: (N,)."""
    host: simpy.Resource | None
    """The one machine that all members share, None where each has its own."""
    withdraws: bool
    idles: bool
    """Whether it would take part in a sale and then mint nothing."""
    replica_delays_s: Floats
    """From the edge server, replica 0, to every replica that keeps the model: (replicas,) mean seconds."""


class Organisation(Actor):
    """Members, their ledger and the learner, who would buy from them, and what was measured in this minting so far."""

    role = "dao"

    def __init__(self, model: mesa.Model, world: World, number: int, parts: Parts) -> None:
        super().__init__(model, world, number)
        self.members, self.buyers, self.category = parts.members, parts.buyers, parts.category
        self.privacy_tastes = parts.privacy_tastes
        self.scheme, self.ledger, self.host = parts.scheme, parts.ledger, parts.host
        self.withdraws, self.idles = parts.withdraws, parts.idles
        self.labels = [self.name]  # of spans: tell mintings apart where there are several
        self.ages = [AgeOfInformation(self.name)]  # one a minting
        self.replica_delays_s = parts.replica_delays_s
        self._make_learner, self._foresee = parts.make_learner, parts.foresee
        self._foreseen: dict[float, Foresight | None] = {}  # by epochs a round
        self._alone_s: dict[float, Floats] = {}  # by bits of an upload
        self.learner = parts.make_learner(0)
        self.experience = self.unmeasured()
        self.deliveries = Deliveries.of_nothing(len(parts.members))
        self.costs_money: list[float] = []  # of each member in each round of the minting so far; not of a crowd
        self.contracts = self._no_contracts()
        self.reputation = np.ones(len(parts.members))  # over all mintings
        self.seen_start: NDArray[np.float32] | None = None  # that free riders saw a round begin with

    @property
    def label(self) -> str:
        """What spans of the minting that is under way, or was last, carry."""
        return self.labels[-1]

    def join(self, category: str, buyers: Sequence[ServiceProvider]) -> None:
        """Offer another category from now on, to those who demand it."""
        self.category, self.buyers = category, buyers

    def begin_anew(self, episode: int, *, first: bool = False) -> None:
        """Start the minting of a later episode: another model, nothing measured, nothing delivered.

        Its `first` minting is the first whose age anybody asks for.
        """
        if first:
            self.ages.clear()
        self.learner = self._make_learner(episode)
        self.experience = self.unmeasured()
        self.deliveries, self.costs_money = Deliveries.of_nothing(len(self.members)), []
        self.contracts = self._no_contracts()
        self.seen_start = None
        self.ages.append(AgeOfInformation(self.name, start_s=self.world.env.now, episode=episode))

    @property
    def chooses_privacy_once(self) -> bool:
        """Whether an ε is a budget for the whole minting, to which a user is bound once it has trained with it."""
        return self.world.settings.learning.privacy.mechanism in ("dp-sgd", "dp-secagg")

    def _no_contracts(self) -> Floats | None:
        """The ε that each member is bound to: (N,), NaN for nobody yet; None where ε is chosen round by round."""
        return np.full(len(self.members), np.nan) if self.chooses_privacy_once else None

    def unmeasured(self) -> Experience:
        """Before anything is measured: the age of an uncontended upload (Eq. 11) and of an expected consensus."""
        alone_s = self._upload_alone_s(self.learner.model.upload_bits)
        return Experience.of_nothing(
            alone_s + self.members.expected_consensus_s(self.ledger),
            classes=self.learner.model.classes,
            epochs=self.world.settings.game.default_epochs,
        )

    def _upload_alone_s(self, bits: float) -> Floats:
        """T^l of Eq. 11 of each member, from where it was when the run began: (N,)."""
        if bits not in self._alone_s:
            self._alone_s[bits] = self.world.cell.links.upload_alone_s(bits)[self.members.numbers]
        return self._alone_s[bits]

    def foresee(self, epochs: float) -> Foresight | None:
        """What is known beforehand of a minting in which everybody trains `epochs` a round; None for nothing."""
        if epochs not in self._foreseen:
            self._foreseen[epochs] = self._foresee(self.learner, epochs)
        return self._foreseen[epochs]

    def expecting(self, epochs: float) -> Experience:
        """What would have been measured by the end of such a minting; of a workload without a curve, nothing."""
        experience, foreseen = self.unmeasured(), self.foresee(epochs)
        if foreseen is not None:
            experience.mean_loss, experience.update_norm = foreseen.mean_loss.copy(), foreseen.update_norm.copy()
        return experience

    def round_s(self, epochs: float) -> float:
        """About how long a round's training, uploads and consensus take in which all train and then send at once."""
        alone_s = self._upload_alone_s(self.learner.model.upload_bits)
        consensus_s = float(np.max(self.members.expected_consensus_s(self.ledger)))
        return float(epochs * self.seconds_per_epoch.max() + alone_s.sum() + consensus_s)

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
