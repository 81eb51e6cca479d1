"""Run benchmarks: `python -m benchmarks` for all, `summary` for a page of ratios, `game ledger` for some.

`--list` says their names. What follows a name and begins with a dash is for that benchmark: `python -m benchmarks gpu
--device cpu`.
"""

import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def main(words: list[str]) -> int:
    """Run the benchmarks named, each printing its own figures; 2 for an unknown name, or what one of them returns."""
    if "--list" in words:
        print("\n".join(NAMES))
        return 0
    first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    words, options = words[:first], words[first:]
    if options and words != ["gpu"]:
        print(f"option {options[0]!r} belongs to no benchmark named; give it after gpu alone", file=sys.stderr)
        return 2
    unknown = [word for word in words if word not in NAMES]
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; known: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    failed = 0
    for name in words or [name for name in NAMES if name != "summary"]:  # it is made of the others
        print(f"\n== {name}", flush=True)
        benchmark = import_module(f"benchmarks.{name}")
        failed |= (benchmark.main(options) if options else benchmark.main()) or 0
    return failed if words else 0  # of all of them, those that this machine cannot serve say so, and fail nothing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
