"""Partitions: one file each; `partition` finds them by name."""

from flnft_sim.learning.partitions import dirichlet, iid, shards, sizes  # noqa: F401 - importing registers them
from flnft_sim.learning.partitions.base import PARTITIONS, PartitionError, Split, partition, partition_table

__all__ = ["PARTITIONS", "PartitionError", "Split", "partition", "partition_table"]
