"""Delays between replicas against graphs whose shortest paths are known."""

import networkx as nx
import numpy as np
import pytest

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.network import TOPOLOGIES, link_delays, replica_delays, with_jitter


def test_known_graphs() -> None:
    rng = np.random.default_rng(0)
    ring = link_delays(6, topology="ring", mean_s=1.0, rng=rng)
    np.testing.assert_allclose(ring[0], [0, 1, 2, 3, 2, 1])
    star = link_delays(4, topology="star", mean_s=1.0, rng=rng)
    np.testing.assert_allclose(star[1], [1, 0, 2, 2])
    complete = link_delays(5, topology="complete", mean_s=0.25, rng=rng)
    np.testing.assert_allclose(complete, 0.25 * (1 - np.eye(5)))


@pytest.mark.parametrize("n", [2, 3, 17])
def test_the_delays_of_a_complete_network_are_those_of_its_graph(n: int) -> None:
    rng = np.random.default_rng(0)
    name = "complete, drawn"
    TOPOLOGIES.register(name)(TOPOLOGIES.get("complete"))
    try:
        drawn = link_delays(n, topology=name, mean_s=0.25, rng=rng)
    finally:
        del TOPOLOGIES._parts[name]
    assert np.array_equal(link_delays(n, topology="complete", mean_s=0.25, rng=rng), drawn)
    assert not np.array_equal(link_delays(n, topology="star", mean_s=0.25, rng=rng), drawn) or n == 2


def test_weighted_paths_are_dijkstras() -> None:
    n, seed = 30, 4
    graph = TOPOLOGIES.get("geometric")(n, np.random.default_rng(seed))
    lengths = dict(nx.all_pairs_dijkstra_path_length(graph))
    scale = 0.25 / np.mean([weight for *_, weight in graph.edges.data("weight")])
    delays = link_delays(n, topology="geometric", mean_s=0.25, rng=np.random.default_rng(seed))
    for a in range(n):
        for b in range(n):
            assert delays[a, b] == pytest.approx(scale * lengths[a][b])


def test_jitter_is_normal_per_message_and_grows_with_the_path() -> None:
    n = 200
    drawn = replica_delays(n, mean_s=0.25, sd_s=0.05, rng=np.random.default_rng(0))
    assert drawn.shape == (3, n, n)
    off_diagonal = drawn[:, ~np.eye(n, dtype=bool)]
    assert off_diagonal.mean() == pytest.approx(0.25, rel=1e-3)
    assert off_diagonal.std() == pytest.approx(0.05, rel=1e-2)
    assert np.all(drawn[:, np.arange(n), np.arange(n)] == 0.0)
    four_links = np.array([[0.0, 1.0], [1.0, 0.0]])
    rng = np.random.default_rng(1)
    longer = with_jitter(four_links, mean_s=0.25, sd_s=0.05, rng=rng, phases=20_000)[:, 0, 1]
    assert longer.std() == pytest.approx(0.10, rel=0.02)


def test_delays_are_never_negative() -> None:
    assert replica_delays(50, mean_s=0.01, sd_s=0.5, rng=np.random.default_rng(0)).min() == 0.0
    assert np.all(replica_delays(4, mean_s=0.0, sd_s=0.5, rng=np.random.default_rng(0)) == 0.0)


def test_bad_input_is_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UnknownNameError, match="did you mean 'ring'"):
        link_delays(4, topology="rings", rng=rng)
    with pytest.raises(InputError, match="replicas is 0"):
        link_delays(0, rng=rng)
    for mean_s in (-1.0, np.nan):
        with pytest.raises(InputError, match="mean_s"):
            link_delays(4, mean_s=mean_s, rng=rng)
    with pytest.raises(InputError, match="sd_s"):
        replica_delays(4, sd_s=-0.1, rng=rng)
