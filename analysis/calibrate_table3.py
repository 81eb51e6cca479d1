"""Fit Table 3's four constants on its row random-FL, and write them where the package reads them.

usage: python analysis/calibrate_table3.py [SEEDS]
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from flnft_sim.paper import calibrate

TARGET = Path(__file__).parents[1] / "flnft_sim/paper/table3.json"


def main(seeds: int) -> None:
    with TemporaryDirectory() as folder:  # constants of other sources are of no use
        constants = calibrate(seeds=seeds, out=Path(folder))
    what = "CPU cycles to train on one sample once, from Table 3's row random-FL; by analysis/calibrate_table3.py"
    cycles = {f"{model}-{dataset}": round(c, 1) for (dataset, model), c in constants.items()}
    record = {"what": what, "seeds": seeds, "cycles_per_sample": cycles}
    TARGET.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(TARGET.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
