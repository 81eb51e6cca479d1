"""A run's two graphs: who exchanges messages with whom, and who sold to whom."""

import io

import networkx as nx
import pandas as pd

from flnft_sim.results.record import RunRecord
from flnft_sim.scenario import Scenario
from flnft_sim.simulation.building.private_ledger import replica_links
from flnft_sim.streams import Streams


def topology_graph(result: RunRecord) -> nx.Graph:
    """The network below the market: users, the DAO's ledger that they keep replicas of, and the base station.

    Edges have a `kind`: `member` (a user and its DAO), `replica` (a link between two replicas, with its `length`) and
    `radio` (a user and the base station, with the `rate_bps` of its link with the band to itself).
    """
    graph = nx.Graph()
    members = result.users[["dao", "user"]].drop_duplicates()
    for dao, users in members.groupby("dao", sort=False)["user"]:
        graph.add_node(dao, role="dao")
        graph.add_nodes_from(users, role="user")
        graph.add_edges_from(((dao, user) for user in users), kind="member")
        _add_replicas(graph, result, str(dao), users.tolist())
    _add_radio(graph, result.positions)
    return graph


def _add_replicas(graph: nx.Graph, result: RunRecord, dao: str, users: list[str]) -> None:
    settings = Scenario.model_validate(result.manifest["scenario"])
    number = int(dao.rpartition("-")[2])
    links = replica_links(settings, Streams(settings.seed), number, len(users))
    for a, b, length in links.edges(data="weight", default=1.0):
        graph.add_edge(users[a], users[b], kind="replica", length=float(length))


def _add_radio(graph: nx.Graph, positions: pd.DataFrame) -> None:
    for row in positions.to_dict("records"):
        graph.add_node(row["name"], role=str(row["role"]), x_m=float(row["x_m"]), y_m=float(row["y_m"]))
    stations = positions.loc[positions["role"] == "base station", "name"]
    for row in positions[positions["role"] == "user"].to_dict("records"):
        graph.add_edges_from(
            ((row["name"], station) for station in stations), kind="radio", rate_bps=float(row["rate_bps"])
        )


def market_graph(result: RunRecord) -> nx.MultiDiGraph:
    """The market: an edge for every accepted bid (provider to auction) and every licence (seller to holder).

    Edges have a `kind`: `bid` with `total_money` and `won`, `licence` with `price_money`, and `sale` from a seller to
    the auction.
    """
    graph = nx.MultiDiGraph()
    for row in result.auctions.to_dict("records"):
        graph.add_node(row["auction"], role="auction", category=str(row["category"]), rule=str(row["rule"]))
    for row in result.bids[result.bids["status"] == "accepted"].to_dict("records"):
        graph.add_node(row["provider"], role="provider")
        graph.add_edge(
            row["provider"], row["auction"], kind="bid", total_money=float(row["total_money"]), won=bool(row["won"])
        )
    for row in result.licences.to_dict("records"):
        graph.add_node(row["seller"], role="dao" if str(row["seller"]).startswith("dao") else "provider")
        graph.add_node(row["holder"], role="provider")
        graph.add_edge(row["seller"], row["auction"], kind="sale")
        graph.add_edge(
            row["seller"],
            row["holder"],
            kind="licence",
            auction=str(row["auction"]),
            price_money=float(row["price_money"]),
        )
    return graph


def graphml(graph: nx.Graph) -> str:
    """The graph as GraphML, as Gephi, yEd, igraph and networkx read it."""
    buffer = io.BytesIO()
    nx.write_graphml(graph, buffer, named_key_ids=True)
    return buffer.getvalue().decode() + "\n"
