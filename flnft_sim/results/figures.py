"""The address that `flnft_sim.figures` had before, for parts of other packages that still name it."""

import sys
from importlib import import_module

for _name, _home in {"": "", ".style": ".style", ".series": ".run.series"}.items():
    sys.modules[__name__ + _name] = import_module(f"flnft_sim.figures{_home}")
