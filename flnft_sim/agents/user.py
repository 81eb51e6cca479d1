"""A Metaverse user: it trains, uploads, and waits for consensus."""

from collections.abc import Generator
from typing import Any, NamedTuple

import mesa
import simpy

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.world import World
from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.clock.work import Work
from flnft_sim.ledger import ConsensusStalled
from flnft_sim.results.outcome import Outcome

Process = Generator[simpy.Event, Any, Any]


class Assignment(NamedTuple):
    """What a user, its DAO's `member` of that number, is to do in one FL round, and what will go wrong.

    `drops_at` is the share of its training after which it drops out, None if it does not. An update that is not final
    by `closes_s` is late: the DAO's ledger refuses it.
    """

    dao: str  # the label of the DAO's minting, for spans
    member: int
    episode: int
    round: int
    train_s: float
    mask_s: float  # computing masks on the update before it is sent
    upload_bits: int
    update_hash: str
    drops_at: float | None
    link_fails: bool
    closes_s: float


class MetaverseUser(Actor):
    """One member of a DAO, with a device and a place."""

    role = "user"

    def __init__(
        self,
        model: mesa.Model,
        world: World,
        number: int,
        *,
        cpu_hz: float,
        inflates: bool,
        ledger: PrivateLedger,
        host: simpy.Resource | None,
    ) -> None:
        super().__init__(model, world, number)
        self.cpu_hz = cpu_hz
        self.inflates = inflates  # asks for more than its due
        self.away_until_s = 0.0
        self._ledger, self._host = ledger, host  # its DAO's, and the machine that all its members share, if they do

    @property
    def away(self) -> bool:
        """Whether the user has dropped out and is not back yet."""
        return self.world.env.now < self.away_until_s

    def contribute(self, assignment: Assignment, work: Work, row: int) -> Process:
        """Train, upload, and wait until the DAO's ledger holds the update: one FL round in a user's life.

        How it goes is written into `row` of the round's `work`; an interrupt (the round's deadline) ends it anywhere.
        """
        env, labels = self.world.env, {"round": assignment.round, "dao": assignment.dao}
        try:
            yield from self._train(assignment, work, row, labels)
            if assignment.drops_at is not None:
                self.away_until_s = env.now + self.world.settings.failures.return_s
                work.outcomes[row] = Outcome.DROPPED_OUT
                return
            if assignment.mask_s > 0:
                yield from self.mask(assignment.mask_s, labels)
            with self.doing("upload", **labels):
                receipt = yield from self._upload(assignment)
            work.upload_s[row] = receipt.seconds
            with self.doing("consensus", **labels):
                receipt = yield from self._agree(assignment)
            work.consensus_s[row], work.final_s[row] = receipt.waited_s, env.now
            work.outcomes[row] = Outcome.FINAL
        except simpy.Interrupt:
            work.outcomes[row] = Outcome.LATE
        except ConsensusStalled:
            work.outcomes[row] = Outcome.STALLED

    def mask(self, seconds: float, labels: dict[str, Any], *, sends_bits: int = 0, answer_s: float = 0.0) -> Process:
        """Compute for a secure sum, send what belongs to it, if anything, and wait for the answer."""
        with self.doing("masking", **labels):
            yield self.world.env.timeout(seconds)
            if sends_bits:
                yield self.world.cell.upload(self.number, sends_bits)
            yield self.world.env.timeout(answer_s)

    def _train(self, assignment: Assignment, work: Work, row: int, labels: dict[str, Any]) -> Process:
        """Hold the device for as long as the epochs take; on a single host, queue for it first."""
        env = self.world.env
        seconds = assignment.train_s * (1.0 if assignment.drops_at is None else assignment.drops_at)
        if self._host is None:
            with self.doing("training", **labels):
                yield env.timeout(seconds)
        else:
            with self._host.request() as turn:
                with self.doing("waiting", **labels, waits_for="host"):
                    yield turn
                work.started_s[row] = env.now
                with self.doing("training", **labels):
                    yield env.timeout(seconds)
        work.train_s[row] = seconds

    def _upload(self, assignment: Assignment) -> Process:
        """Send the update through the cell; a failing link pauses it until it is repaired."""
        cell = self.world.cell
        if assignment.link_fails:
            cell.fail(self.number)
            self.world.env.process(self._repair(self.world.settings.failures.link_repair_s))
        sent = cell.upload(self.number, assignment.upload_bits)
        try:
            return (yield sent)
        except simpy.Interrupt:
            if not sent.triggered:
                cell.abort(self.number)
            raise

    def _agree(self, assignment: Assignment) -> Process:
        """Wait until the update is final; who gives up leaves nobody to be told how it ended."""
        payload = {"episode": assignment.episode, "round": assignment.round, "update": assignment.update_hash}
        submitted = self._ledger.submit(
            "update", self.key, payload, submitter=assignment.member, closes_s=assignment.closes_s
        )
        try:
            return (yield submitted)
        except simpy.Interrupt:
            submitted.defused = True
            raise

    def _repair(self, after_s: float) -> Process:
        yield self.world.env.timeout(after_s)
        self.world.cell.repair(self.number)
