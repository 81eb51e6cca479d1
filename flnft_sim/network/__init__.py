"""The radio uplink that users share, where they stand and move, and the delays between replicas."""

from flnft_sim.network.links import Links
from flnft_sim.network.mobility import Fixed, Mobility, RandomWaypoint
from flnft_sim.network.placement import TRACE_POINTS, Area, distances_m, random_positions
from flnft_sim.network.radio import noise_power_w, path_loss_db, uplink_rate
from flnft_sim.network.secure_sum import SecureSum
from flnft_sim.network.topology import TOPOLOGIES, Jitter, link_delays, replica_delays, with_jitter
from flnft_sim.network.uplink import Completion, SharedUplink
from flnft_sim.settings.radio import RadioSettings, WalkSettings

__all__ = [
    "TOPOLOGIES",
    "TRACE_POINTS",
    "Area",
    "Completion",
    "Fixed",
    "Jitter",
    "Links",
    "Mobility",
    "RadioSettings",
    "RandomWaypoint",
    "SecureSum",
    "SharedUplink",
    "WalkSettings",
    "distances_m",
    "link_delays",
    "noise_power_w",
    "path_loss_db",
    "random_positions",
    "replica_delays",
    "uplink_rate",
    "with_jitter",
]
