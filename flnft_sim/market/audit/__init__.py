"""The audit of clearing rules: does truth pay, does taking part, and does the money balance?"""

from flnft_sim.market.audit.counterexample import Counterexample
from flnft_sim.market.audit.report import PROPERTIES, AuditReport, audit
from flnft_sim.market.audit.sizes import SizeRow, efficiency_by_size
from flnft_sim.market.audit.unclaimed import UnclaimedReport, unclaimed

__all__ = [
    "PROPERTIES",
    "AuditReport",
    "Counterexample",
    "SizeRow",
    "UnclaimedReport",
    "audit",
    "efficiency_by_size",
    "unclaimed",
]
