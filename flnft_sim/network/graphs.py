"""The topologies that ship, each a graph of networkx, which is imported with them: no complete network needs it."""

import networkx as nx
import numpy as np

from flnft_sim.network.topology import TOPOLOGIES


@TOPOLOGIES.register("complete")
def complete(n: int, _rng: np.random.Generator) -> nx.Graph:
    """Everyone linked to everyone."""
    return nx.complete_graph(n)


@TOPOLOGIES.register("ring")
def ring(n: int, _rng: np.random.Generator) -> nx.Graph:
    """Everyone linked to two neighbours."""
    return nx.cycle_graph(n)


@TOPOLOGIES.register("star")
def star(n: int, _rng: np.random.Generator) -> nx.Graph:
    """Everyone linked to node 0, the edge server."""
    return nx.star_graph(n - 1)


@TOPOLOGIES.register("small-world")
def small_world(n: int, rng: np.random.Generator) -> nx.Graph:
    """Watts and Strogatz 1998: a ring lattice of degree 4, one link in ten rewired, kept connected."""
    if n <= 5:  # the lattice of degree 4 is complete already
        return nx.complete_graph(n)
    return nx.connected_watts_strogatz_graph(n, k=4, p=0.1, tries=1000, seed=rng)


@TOPOLOGIES.register("geometric")
def geometric(n: int, rng: np.random.Generator) -> nx.Graph:
    """Random points in a square, linked where they are near, as in a mesh of radios; an edge's length is its distance.

    The range starts at the connectivity threshold √(ln n / (π n)) and grows until the graph is connected.
    """
    points = dict(enumerate(rng.random((n, 2)).tolist()))
    reach = np.sqrt(np.log(n) / (np.pi * n))
    while True:
        graph = nx.random_geometric_graph(n, reach, pos=points)
        if nx.is_connected(graph):
            break
        reach *= 1.1
    for a, b in graph.edges:
        graph.edges[a, b]["weight"] = float(np.hypot(*np.subtract(points[a], points[b])))
    return graph
