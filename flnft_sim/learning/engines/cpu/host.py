"""What the processor offers: its vector width."""

import os
from functools import cache

WIDTH_VARIABLE = "FLNFT_VECTOR_WIDTH"
NO_VECTORS = 0


@cache
def vector_width() -> int:
    """Floats per vector: 16 with AVX-512, 8 with AVX2 and FMA, 0 where the processor has neither."""
    import llvmlite.binding as llvm

    forced = os.environ.get(WIDTH_VARIABLE)
    if forced in ("8", "16"):
        return int(forced)
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 16
    return 8 if features.get("avx2") and features.get("fma") else NO_VECTORS
