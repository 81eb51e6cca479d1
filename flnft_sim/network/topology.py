"""Who is linked to whom in a replicated ledger, and how long a message takes between any two."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from flnft_sim import families
from flnft_sim.checks import not_negative, whole
from flnft_sim.errors import InputError
from flnft_sim.registry import Registry
from flnft_sim.settings.consensus import ReplicaSettings

if TYPE_CHECKING:
    import networkx as nx

MEAN_S, SD_S = ReplicaSettings.delay_ms / 1e3, ReplicaSettings.delay_sd_ms / 1e3

type Topology = Callable[[int, np.random.Generator], nx.Graph]
"""n nodes 0 … n−1 and a generator in, a connected graph out; an edge's `weight` is its length (1 where absent)."""

TOPOLOGIES: Registry[Topology] = families.TOPOLOGIES


def link_delays(n: int, *, topology: str = "complete", mean_s: float = MEAN_S, rng: np.random.Generator) -> np.ndarray:
    """Mean delay from every replica to every other along the shortest path: (n, n) seconds, diagonal 0.

    `mean_s` is the mean delay of one link; on weighted graphs a link's delay is in proportion to its length.
    """
    whole("the number of replicas", n, least=1)
    not_negative("mean_s", mean_s, "s")
    if n == 1:
        return np.zeros((1, 1))
    lengths = _link_lengths(n, topology, rng)
    of_links = lengths[np.isfinite(lengths)]
    np.fill_diagonal(lengths, 0.0)
    if 2.0 * of_links.min() < lengths.max():  # else no detour over two links beats a direct one
        from scipy.sparse.csgraph import shortest_path  # here: it takes longer to import than most graphs need

        lengths = shortest_path(np.where(np.isfinite(lengths), lengths, 0.0), directed=False)
    return lengths * (mean_s / of_links.mean())


def _link_lengths(n: int, topology: str, rng: np.random.Generator) -> np.ndarray:
    """The length of the link between any two replicas, (n, n); infinite where there is none, as on the diagonal."""
    if topology == "complete":  # its links take longer to make than to count
        return np.where(np.eye(n, dtype=bool), np.inf, 1.0)
    import networkx as nx  # here: it takes a while, and most networks are complete

    graph = TOPOLOGIES.get(topology)(n, rng)
    if graph.number_of_nodes() != n or not nx.is_connected(graph):
        raise InputError(f"topology {topology!r} gave no connected graph of {n} nodes; mend it or choose another")
    return nx.to_numpy_array(graph, nodelist=range(n), nonedge=np.inf)


def with_jitter(
    delays_s: np.ndarray, *, mean_s: float, sd_s: float, rng: np.random.Generator, phases: int = 3
) -> np.ndarray:
    """One draw of every message's delay: (phases, n, n) seconds, diagonal 0. See `Jitter`, for many draws."""
    return Jitter(delays_s, mean_s=mean_s, sd_s=sd_s).draw(rng, phases)


class Jitter:
    """Delays of messages about their means `delays_s` (n, n), over links of `mean_s` and deviation `sd_s` each.

    A message over one mean link is N(mean_s, sd_s²), cut off at 0; over a path the links' independent variances add
    up, so the deviation grows with the root of the path's delay.
    """

    def __init__(self, delays_s: np.ndarray, *, mean_s: float, sd_s: float) -> None:
        not_negative("sd_s", sd_s, "s")
        self._delays_s = delays_s
        self._deviation_s = sd_s * np.sqrt(delays_s / mean_s) if mean_s > 0.0 else np.zeros_like(delays_s)

    def draw(self, rng: np.random.Generator, phases: int = 3) -> np.ndarray:
        """Draw every message's delay once a phase: (phases, n, n) seconds, diagonal 0."""
        drawn = rng.standard_normal((phases, *self._delays_s.shape))
        drawn *= self._deviation_s
        drawn += self._delays_s
        return np.maximum(drawn, 0.0, out=drawn)


def replica_delays(
    n: int,
    *,
    topology: str = "complete",
    mean_s: float = MEAN_S,
    sd_s: float = SD_S,
    rng: np.random.Generator,
) -> np.ndarray:
    """Delays of one consensus instance, (3, n, n) seconds: a matrix a phase, [sender, receiver], diagonal 0.

    For many instances over one topology, call `link_delays` once and draw each from its `Jitter`.
    """
    base_s = link_delays(n, topology=topology, mean_s=mean_s, rng=rng)
    return with_jitter(base_s, mean_s=mean_s, sd_s=sd_s, rng=rng)
