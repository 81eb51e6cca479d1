"""Build the service providers, each with its taste."""

import mesa

from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.world import World
from flnft_sim.market import Content
from flnft_sim.scenario import Scenario
from flnft_sim.simulation.building.keywords import demanded


def build_providers(model: mesa.Model, world: World, settings: Scenario) -> list[ServiceProvider]:
    """All providers of a scenario, dealt out over the categories; the last ones overspend."""
    population, game = settings.population, settings.game
    spread = world.streams.generator("elasticities").uniform(-1.0, 1.0, population.providers) * game.elasticity_spread
    overspenders = population.providers - settings.failures.overspenders
    return [
        ServiceProvider(
            model,
            world,
            number,
            category=Content(
                f"category-{number % population.categories}", demanded(population, world.streams, number)
            ).name,
            quality_elasticity=game.quality_elasticity + float(spread[number]),
            overspends=number >= overspenders,
        )
        for number in range(population.providers)
    ]
