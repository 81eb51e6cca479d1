"""Write the golden runs anew, after a change that is meant to change them."""

import json
from pathlib import Path

from test_whole_runs import playthrough

if __name__ == "__main__":
    folder = Path(__file__).parent / "golden"
    for name in ("tiny", "byzantine", "market-cyclic", "sound10", "sound-failing"):
        (folder / f"{name}.json").write_text(json.dumps(playthrough(name)) + "\n", encoding="utf-8")
