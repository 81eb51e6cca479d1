"""The address that `flnft_sim.figures.palette` had before, for parts of other packages that still name it."""

import sys
from importlib import import_module

sys.modules[__name__] = import_module("flnft_sim.figures.palette")
