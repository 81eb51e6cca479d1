"""Write the golden tables of `flnft paper --quick` anew, after a change that is meant to change them."""

import shutil
import sys
import tempfile
from pathlib import Path

from flnft_sim.paper import QUICK, reproduce

GOLDEN = Path(__file__).parent / "golden"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        reproduce([], QUICK, out=Path(folder))
        shutil.rmtree(GOLDEN, ignore_errors=True)
        GOLDEN.mkdir()
        for path in sorted(Path(folder).glob("*.csv")):
            shutil.copy(path, GOLDEN)
            sys.stdout.write(f"{path.name}\n")
