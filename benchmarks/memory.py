"""What a run's memory grows by with its auctions: the whole program, and a model that keeps all of it in memory.

    python -m benchmarks memory

Every line is a fresh interpreter. `flnft run` puts rows and blocks that are over aside on the disk; a model told to
put nothing aside holds them all, and must show it in the figures.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass

FEW, MANY, MOST_GROWTH = 20, 80, 0.15

_PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
_PROGRAM = "from flnft_sim.cli import main; main()"
_KEEPING = (
    "import sys; from flnft_sim import FlnftModel; "
    "model = FlnftModel('market', market__auctions=int(sys.argv[1]), spool=None); model.run(); model.result().tables"
)


@dataclass(frozen=True)
class _Line:
    """One way to run the market, and whether its memory must stay where it is."""

    name: str
    code: str
    words: tuple[str, ...] = ()
    flat: bool = True

    def peak_mb(self, auctions: int) -> float:
        """Megabytes of the process that runs at its largest, figures' processes aside."""
        with tempfile.TemporaryDirectory() as folder:
            words = [word.format(folder=folder) for word in self.words]
            words += ["--set", f"market.auctions={auctions}"] if words else [str(auctions)]
            code = f"import atexit\natexit.register(lambda: exec({_PEAK!r}))\n{self.code}"
            done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
        return int(done.stdout.split()[-1]) / (1024**2 if sys.platform == "darwin" else 1024)


_LINES = (
    _Line("flnft run market", _PROGRAM, ("run", "market", "--out", "{folder}/run")),
    _Line("the same without figures", _PROGRAM, ("run", "market", "--no-figures", "--out", "{folder}/run")),
    _Line("FlnftModel(…, spool=None)", _KEEPING, flat=False),
)


def main() -> int:
    """Print every line's peak and growth; 1 where the program's memory grows with auctions."""
    failed = 0
    print(f"scenario market, {FEW} and {MANY} auctions of each category")
    for line in _LINES:
        few, many = (line.peak_mb(auctions) for auctions in (FEW, MANY))
        growth = many / few - 1
        grows = growth > MOST_GROWTH
        verdict = f"must stay within {MOST_GROWTH:.0%}" if line.flat else "keeps all, so it must grow"
        failed |= int(grows is line.flat)
        print(f"{line.name:<28} {few:6.0f} MB  {many:6.0f} MB  {growth:+.0%}  {verdict}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
