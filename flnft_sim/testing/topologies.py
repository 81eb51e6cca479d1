"""The contract every topology keeps; one of your own inherits its tests:

class TestMyTopology(TopologyContract):
    topology = "my-topology"
"""

import networkx as nx
import numpy as np

from flnft_sim.network import TOPOLOGIES, link_delays

_SIZES = (2, 3, 4, 10, 40)


class TopologyContract:
    """Subclass it in a test module, set `topology` to a registered name, and pytest runs the rest."""

    topology: str

    def build(self, n: int, seed: int = 0) -> nx.Graph:
        """Draw a graph of n nodes."""
        return TOPOLOGIES.get(self.topology)(n, np.random.default_rng(seed))

    def test_it_links_all_nodes_and_no_others(self) -> None:
        """A connected graph on 0 … n−1 whose links have positive lengths."""
        for n in _SIZES:
            graph = self.build(n)
            assert set(graph.nodes) == set(range(n))
            assert nx.is_connected(graph)
            assert all(0 < length < np.inf for _, _, length in graph.edges.data("weight", default=1.0))

    def test_the_same_stream_gives_the_same_graph(self) -> None:
        """A topology draws from its generator alone."""
        for n in _SIZES:
            one, other = (sorted(self.build(n, seed=n).edges.data("weight")) for _ in range(2))
            assert one == other

    def test_delays_are_a_metric_whose_mean_link_is_as_told(self) -> None:
        """Symmetric, 0 on the diagonal alone, and no detour is shorter."""
        for n in (1, *_SIZES):
            delays = link_delays(n, topology=self.topology, mean_s=0.25, rng=np.random.default_rng(n))
            assert delays.shape == (n, n)
            assert np.isfinite(delays).all()
            assert (np.diag(delays) == 0.0).all()
            assert (delays[~np.eye(n, dtype=bool)] > 0.0).all()
            np.testing.assert_allclose(delays, delays.T, rtol=1e-12)
            shortcut = (delays[:, :, None] + delays[None, :, :]).min(axis=1)
            assert (delays <= shortcut + 1e-12).all()
