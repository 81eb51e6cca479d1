"""Who takes part in a run."""

from dataclasses import dataclass

from flnft_sim.agents.contract.contract import AuctionContract
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.mechanisms import Mechanism
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.world import World
from flnft_sim.scenario import Scenario


@dataclass(frozen=True)
class Cast:
    """All who act, by number, and the world that they share. Users are their DAOs' members."""

    settings: Scenario
    world: World
    providers: list[ServiceProvider]
    daos: list[MuDao]
    contract: AuctionContract
    mechanism: Mechanism

    def next_demand(self) -> None:
        """Move every provider's hidden demand regime on, from one auction to the next."""
        for provider, factor in zip(self.providers, self.world.demand.step(), strict=True):
            provider.feel_demand(float(factor))
