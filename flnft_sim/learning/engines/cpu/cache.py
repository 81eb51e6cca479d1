"""Where this engine's compiled kernels are kept: by its sources, and by the vector width that they are compiled for.

A kernel compiled against another vector width or another layout of the workspace would corrupt memory.
"""

from pathlib import Path

from flnft_sim.compiled import Kept
from flnft_sim.learning.engines.cpu.host import vector_width

KEPT = Kept(Path(__file__).parent, salt=lambda: str(vector_width()))
