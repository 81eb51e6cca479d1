"""What code a result was computed by."""

import hashlib
from functools import cache
from pathlib import Path

import flnft_sim


@cache
def code_version() -> str:
    """The package's version and a hash of its sources, such as `0.1.0+3f9c2a51d0e4`; read once a process."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.suffix in {".py", ".json", ".yaml"}:
            digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{flnft_sim.__version__}+{digest.hexdigest()[:12]}"
