"""Which providers meet which DAOs: the matched groups χ of one content each, a category and its keywords."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from flnft_sim.errors import InputError


@dataclass(frozen=True)
class Content:
    """What an FL-NFT is about, or what a provider looks for: a category, and a set of keywords."""

    category: str
    keywords: frozenset[str] = frozenset()

    @cached_property
    def name(self) -> str:
        """The category, and the keywords behind it in order: content of one name is sold in one market."""
        return "+".join([self.category, *sorted(self.keywords)])

    @staticmethod
    @cache
    def named(name: str) -> "Content":
        """The content of that name."""
        category, *keywords = name.split("+")
        return Content(category, frozenset(keywords))

    def meets(self, demand: "Content") -> bool:
        """Whether who demands `demand` can use it: the category is the same, and no keyword is missing."""
        return self.category == demand.category and demand.keywords <= self.keywords


def wishes(demand: str, on_offer: Iterable[str]) -> list[str]:
    """The names of the contents on offer that meet the demand of that name, those with least beside it first."""
    wanted, there = Content.named(demand), [Content.named(name) for name in dict.fromkeys(on_offer)]
    return [each.name for each in sorted(there, key=lambda content: len(content.keywords)) if each.meets(wanted)]


@dataclass(frozen=True)
class Group:
    """One market: the DAOs that sell a category and the providers that bid for it (indices, ascending)."""

    category: str
    sellers: tuple[int, ...]
    buyers: tuple[int, ...]


@dataclass(frozen=True)
class Matching:
    """The groups χ, by category, and who found no counterpart."""

    groups: tuple[Group, ...]
    unmatched_sellers: tuple[int, ...]
    unmatched_buyers: tuple[int, ...]


def match(
    seller_categories: Sequence[str],
    buyer_demands: Sequence[Sequence[str]],
    *,
    groups_per_buyer: int | None = None,
) -> Matching:
    """Group sellers and buyers by category; buyer j wants `buyer_demands[j]`, the dearest wish first.

    A buyer bids in every group it demands, or, where its budget allows only `groups_per_buyer` of them, in groups
    chosen so that as many categories as possible find a buyer (maximum bipartite matching); what is left of its
    bids follows its wishes.
    """
    if groups_per_buyer is not None and groups_per_buyer < 1:
        raise InputError(f"a provider may bid in {groups_per_buyer} groups; give at least 1")
    offered = set(seller_categories)
    wanted = [[c for c in dict.fromkeys(demand) if c in offered] for demand in buyer_demands]
    chosen = wanted if groups_per_buyer is None else _within_limit(wanted, groups_per_buyer)
    groups = []
    for category in dict.fromkeys(seller_categories):
        buyers = tuple(j for j, categories in enumerate(chosen) if category in categories)
        sellers = tuple(i for i, c in enumerate(seller_categories) if c == category)
        groups.append(Group(category, sellers, buyers))
    return Matching(
        groups=tuple(group for group in groups if group.buyers),
        unmatched_sellers=tuple(sorted(i for group in groups if not group.buyers for i in group.sellers)),
        unmatched_buyers=tuple(j for j, categories in enumerate(chosen) if not categories),
    )


def _within_limit(wishes: list[list[str]], limit: int) -> list[list[str]]:
    """At most `limit` categories a buyer, covering as many categories as any such choice can."""
    if all(len(categories) <= limit for categories in wishes):
        return wishes  # nobody has to choose
    import networkx as nx  # here: few markets make anybody choose, and it takes a while to import

    # Nodes are numbers: of words the order in sets, and with it the matching, would differ from process to process.
    names = list(dict.fromkeys(category for categories in wishes for category in categories))
    number = {category: -1 - place for place, category in enumerate(names)}
    slots = range(len(wishes) * limit)
    graph = nx.Graph()
    graph.add_nodes_from(slots)
    graph.add_edges_from((slot, number[category]) for slot in slots for category in wishes[slot // limit])
    partner = nx.bipartite.hopcroft_karp_matching(graph, slots)
    chosen = []
    for buyer, categories in enumerate(wishes):
        covering = {partner[slot] for slot in range(buyer * limit, (buyer + 1) * limit) if slot in partner}
        by_wish = sorted(categories, key=lambda c: number[c] not in covering)  # stable: wishes keep their order
        chosen.append(by_wish[:limit])
    return chosen
