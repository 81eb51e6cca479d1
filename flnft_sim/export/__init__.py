"""A run in other programs' formats: LaTeX tables, GraphML graphs, a Mermaid diagram."""

from flnft_sim.export.graphs import graphml, market_graph, topology_graph
from flnft_sim.export.latex import latex_tables
from flnft_sim.export.mermaid import auction_diagram

__all__ = ["auction_diagram", "graphml", "latex_tables", "market_graph", "topology_graph"]
