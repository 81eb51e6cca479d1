"""Draw the keywords that FL-NFTs carry and providers demand."""

from flnft_sim.scenario.schema import Population
from flnft_sim.streams import Streams


def demanded(population: Population, streams: Streams, provider: int) -> frozenset[str]:
    """What a provider demands of an FL-NFT beside its category: a set of a size between the two limits."""
    if not population.keywords:
        return frozenset()
    rng, (least, most) = streams.generator("keywords demanded", provider), population.keywords_demanded
    drawn = rng.choice(population.keywords, size=int(rng.integers(least, most + 1)), replace=False)
    return frozenset(f"keyword-{each}" for each in drawn.tolist())


def carried(population: Population, streams: Streams, dao: int) -> frozenset[str]:
    """What a DAO's FL-NFTs carry: all that one provider of its category demands, drawn by lot, and others beside it.

    So nobody trains for a demand that there is not; how much of it there is, the DAO does not know.
    """
    if not population.keywords:
        return frozenset()
    rng = streams.generator("keywords carried", dao)
    of_category = range(dao % population.categories, population.providers, population.categories)
    wanted = demanded(population, streams, of_category[int(rng.integers(len(of_category)))])
    others = [word for each in range(population.keywords) if (word := f"keyword-{each}") not in wanted]
    beside = rng.choice(len(others), size=population.keywords_carried - len(wanted), replace=False)
    return wanted | {others[each] for each in beside.tolist()}
