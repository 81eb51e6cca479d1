"""Build the service providers, each with its taste."""

import mesa

from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.world import World


def build_providers(model: mesa.Model, world: World) -> list[ServiceProvider]:
    population, game = world.settings.population, world.settings.game
    spread = world.streams.generator("elasticities").uniform(-1.0, 1.0, population.providers) * game.elasticity_spread
    overspenders = population.providers - world.settings.failures.overspenders
    return [
        ServiceProvider(
            model,
            world,
            number,
            category=f"category-{number % population.categories}",
            quality_elasticity=game.quality_elasticity + float(spread[number]),
            overspends=number >= overspenders,
        )
        for number in range(population.providers)
    ]
