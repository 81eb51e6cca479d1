"""A program that runs one toy sweep: tests start it, kill it, and start it again."""

import json
import sys

from sweep_toys import Toy

from flnft_sim.sweeps import SweepOptions, run_sweep

if __name__ == "__main__":
    setting = json.loads(sys.argv[1])
    run_sweep(setting["plan"], SweepOptions(**setting["options"]), out=setting["out"], simulator=Toy(**setting["toy"]))
