"""The paper's tables and figures, made anew and set beside what is printed."""

from flnft_sim.paper.parts import PARTS
from flnft_sim.paper.reproduction import Reproduction, reproduce
from flnft_sim.paper.scale import FULL, QUICK, Scale
from flnft_sim.paper.table3 import calibrate

__all__ = ["FULL", "PARTS", "QUICK", "Reproduction", "Scale", "calibrate", "reproduce"]
