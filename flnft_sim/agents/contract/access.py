"""Access to a model that was sold: who holds a licence fetches the weights, the first in rank first."""

from collections.abc import Generator, Sequence
from typing import Any

import simpy

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.world import World
from flnft_sim.results import AgeOfInformation
from flnft_sim.results.phase import Phase
from flnft_sim.results.tables import LicenceRow

Process = Generator[simpy.Event, Any, Any]
type Fetch = tuple[ServiceProvider, LicenceRow]


class Access:
    """Serves holders beside the story, DAO by DAO: nobody waits for it but the end of the run.

    Every replica of a DAO's ledger keeps the weights; they are asked in turn, over the ledger's topology from the edge
    server, replica 0. What they send goes over the base station's downlink, to one holder of a DAO after another in
    order of rank: the later in rank, the older the model that one has. DAOs that serve at the same time share the band.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._serving: dict[str, simpy.Process] = {}  # by DAO, the last
        self._fetching: dict[int, simpy.Event] = {}  # by provider, the last

    def begin(self, dao: MuDao, fetches: Sequence[Fetch]) -> None:
        """Let these holders fetch what the DAO has minted last, in this order, after those whom it serves already.

        When each has it, and how old it is then, is written into its row.
        """
        bits, before = dao.learner.model.upload_bits, self._serving.get(dao.name)
        life = self._serve(dao.replica_delays_s.tolist(), dao.age, bits, list(fetches), before)
        self._serving[dao.name] = self._world.env.process(life)

    def all_served(self) -> simpy.Event:
        """Succeeds when nobody is waiting for a model any more."""
        return self._world.env.all_of(list(self._serving.values()))

    def _serve(
        self,
        delays_s: Sequence[float],
        age: AgeOfInformation,
        bits: int,
        fetches: Sequence[Fetch],
        before: simpy.Process | None,
    ) -> Process:
        if before is not None:
            yield before
        for provider, row in fetches:
            with provider.doing(Phase.ACCESS, auction=row.auction):
                yield self._world.env.timeout(2.0 * delays_s[(row.priority - 1) % len(delays_s)])  # there and back
                yield from self._send(provider.number, bits)
            row.accessed_at_s, row.model_age_s = self._world.env.now, age.age(self._world.env.now)

    def _send(self, receiver: int, bits: int) -> Process:
        """Send as soon as the receiver has what another DAO is sending to it."""
        while self._world.downlink.is_sending_to(receiver):
            yield self._fetching[receiver]
        self._fetching[receiver] = self._world.downlink.send(receiver, bits)
        yield self._fetching[receiver]
