"""Local training of many users on a GPU: `python -m benchmarks gpu`, at most six minutes.

For 10, 100 and 1,000 users and three workloads: samples a second of the stacked PyTorch engine in float32, TF32 and
bfloat16, with and without CUDA graphs; its share of the matrix product's speed that the same card reaches in the same
precision; how many times the plain client loop on that card, and on the CPU, it is; and how far its updates are from
the CPU engine's. Writes `gpu.json` and, into the page of results, its table. Where no card is seen it says so and
measures nothing; `--device cpu` tries the script on tiny rounds, and keeps of them only whether updates agree.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from benchmarks.learning import SETTINGS, WORKLOADS, Shard, Workload, plain_loop
from flnft_sim.learning import build_model, train_users
from flnft_sim.learning.engines.base import Descent
from flnft_sim.learning.engines.torch_stacked import Precision, TorchStacked, computing_in
from flnft_sim.learning.models import Model

DOCS = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- made by benchmarks/gpu.py: begin -->", "<!-- made by benchmarks/gpu.py: end -->"
NO_CARD = "no card was seen"
PATIENCE_S = 330.0  # after which what is left is not begun: six minutes with what has begun
COMPARED_USERS = 4  # whose updates are held against the CPU engine's
PLAIN_USERS = 2
KEPT_OF_TRIAL = ("workload", "users", "precision", "graphs", "distance_from_cpu_engine", "equal", "failed")
TOLERANCES: dict[Precision, float] = {"float32": 3e-3, "tf32": 0.1, "bfloat16": 0.3}  # of an update's norm


@dataclass(frozen=True)
class Extent:
    """How much is measured: users, samples each and passes over them, the side of the matrices, repeats."""

    users: tuple[int, ...] = (10, 100, 1000)
    samples: int = 256
    epochs: int = 4
    side: int = 8192
    turns: int = 2


TRIAL = Extent(
    users=(2, 5), samples=96, epochs=1, side=256, turns=1
)  # whether the script works, not how fast a card is


def main(words: list[str] | None = None) -> int:
    """Measure, print, and write the figures and their table; 0, and 2 without a card."""
    options = _options(words or [])
    if options.device == "cuda" and not torch.cuda.is_available():
        print(f"gpu: {NO_CARD} by PyTorch {torch.__version__}, so nothing is measured; `--device cpu` tries the script")
        return 2
    if obstacle := _unwritable(options.out, options.page):
        print(f"gpu: {obstacle}, so nothing is measured")
        return 2
    try:
        report = measure(options.device, Extent() if options.device == "cuda" else TRIAL)
    except RuntimeError as error:  # as of a card that PyTorch sees and cannot use
        print(f"gpu: nothing is measured, for the matrix product fails already: {_failed(error)['failed']}")
        return 2
    (options.out / "gpu.json").write_text(json.dumps(report, indent=1) + "\n")
    if options.page is not None:
        put_in(options.page, table(report))
    return 0


def measure(device: str, extent: Extent) -> dict[str, Any]:
    """Measure everything on a device; what time does not allow is named as left out."""
    began = perf_counter()
    card = torch.cuda.get_device_name() if device == "cuda" else None
    rows: list[dict[str, Any]] = []
    print(f"gpu: {_note(card)}")
    peaks = {precision: matmul_flops(device, precision, extent.side) for precision in _precisions(device)}
    for users in extent.users:
        for workload in WORKLOADS:
            late = partial(_late, began)
            for row in _whatever_happens(workload, users, _cell(device, workload, users, extent, peaks, late)):
                print(f"  {row}", flush=True)
                rows.append(row)
    return {
        "card": card,
        "note": _note(card),
        "torch": torch.__version__,
        "extent": asdict(extent),
        "matmul_flops": peaks if card else {},
        "rows": rows if card else [{name: row[name] for name in KEPT_OF_TRIAL if name in row} for row in rows],
    }


def _late(began: float) -> bool:
    return perf_counter() - began > PATIENCE_S


def _whatever_happens(workload: Workload, users: int, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of a cell; where all of it fails, as on a card that answers no more, one that says so."""
    try:
        yield from rows
    except RuntimeError as error:
        yield {"workload": workload.label, "users": users, "precision": "all", "graphs": False} | _failed(error)


def _failed(error: RuntimeError) -> dict[str, str]:
    return {"failed": (str(error).splitlines() or [type(error).__name__])[0][:200]}


def _cell(
    device: str,
    workload: Workload,
    users: int,
    extent: Extent,
    peaks: dict[Precision, float],
    late: Callable[[], bool],
) -> Iterator[dict[str, Any]]:
    """One row for each precision, with and without graphs, of so many users of a workload."""
    model = build_model(workload.model, workload.shape, 10)
    shard, start = _images(workload, extent.samples), model.initial(0)
    plain = {where: _plain_per_s(where, model, start, shard) for where in dict.fromkeys((device, "cpu"))}
    few = [shard] * min(users, COMPARED_USERS)
    expected = train_users(model, start, few, **SETTINGS | {"epochs": extent.epochs}).params
    for precision in peaks:
        for graphs in (False, True) if device == "cuda" else (False,):
            row = {"workload": workload.label, "users": users, "precision": precision, "graphs": graphs}
            if late():
                yield row | {"failed": "left out, time was over"}
                continue
            engine = TorchStacked(device, precision=precision, graphs=graphs)
            try:
                work = partial(_train, engine, model, start, [shard] * users, extent.epochs)
                seconds, params = _timed(work, extent.turns, device)
            except RuntimeError as error:  # what a card cannot do is a result, and the rest is measured all the same
                yield row | _failed(error)
                continue
            per_s = users * extent.samples * extent.epochs / seconds
            off = distance(params[: len(few)], expected, start)
            yield row | {
                "samples_per_s": round(per_s),
                "share_of_matmul": round(per_s * model.flops_per_sample / peaks[precision], 4),
                "times_plain_loop": round(per_s / plain[device], 2),
                "times_plain_loop_on_cpu": round(per_s / plain["cpu"], 2),
                "distance_from_cpu_engine": float(f"{off:.3g}"),
                "equal": off <= TOLERANCES[precision],
            }


def _train(engine: TorchStacked, model: Model, start: np.ndarray, shards: list[Shard], epochs: int) -> np.ndarray:
    passes = np.full(len(shards), epochs)
    descent = Descent(passes, batch_size=64, lr=SETTINGS["lr"], momentum=SETTINGS["momentum"], seed=SETTINGS["seed"])
    starts = np.broadcast_to(start, (len(shards), len(start)))
    return engine.train(model, starts, shards, descent, users=np.arange(len(shards))).params


def distance(params: np.ndarray, expected: np.ndarray, start: np.ndarray) -> float:
    """How far models (n, P) are from what is expected, as a share of how far these went from their start (P,)."""
    return float(np.linalg.norm(params - expected) / np.linalg.norm(expected - start))


def _plain_per_s(device: str, model: Model, start: np.ndarray, shard: Shard) -> float:
    """Samples a second of the plain client loop on the device."""
    module = model.module().to(device)
    seconds, _ = _timed(lambda: plain_loop(module, start, [shard] * PLAIN_USERS), 1, device)
    return PLAIN_USERS * len(shard[1]) / seconds


def matmul_flops(device: str, precision: Precision, side: int) -> float:
    """Float operations a second of the matrix product on a device, the best of a few."""
    a, b = torch.randn((2, side, side), device=device)
    with computing_in(precision, device):
        return 2 * side**3 / _timed(lambda: a @ b, 5, device)[0]


def _timed[T](work: Callable[[], T], turns: int, device: str) -> tuple[float, T]:
    """(The least seconds of some calls, after one to warm up; what the last one gave)."""
    times, given = [], work()
    for _ in range(turns):
        _wait(device)
        began = perf_counter()
        given = work()
        _wait(device)
        times.append(perf_counter() - began)
    return min(times), given


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _images(workload: Workload, samples: int) -> Shard:
    rng = np.random.default_rng(0)
    return rng.standard_normal((samples, *workload.shape), np.float32), rng.integers(0, 10, samples)


def _precisions(device: str) -> list[Precision]:
    """All of them on a card; a CPU has no TF32."""
    return [each for each in TOLERANCES if device == "cuda" or each != "tf32"]


def _note(card: str | None) -> str:
    if card is not None:
        return f"measured on {card}"
    return f"{NO_CARD}: these are tiny rounds on a CPU, which show that the script works and nothing of a GPU"


def table(report: dict[str, Any]) -> str:
    """The figures as Markdown: without a card only whether updates agree, for a CPU's speed tells nothing of one."""
    lines = [f"{report['note'][0].upper()}{report['note'][1:]} (PyTorch {report['torch']}).", ""]
    with_card = report["card"] is not None
    heads = [
        "workload",
        "users",
        "precision",
        "CUDA graphs",
        "distance from the CPU engine's updates",
        "within tolerance",
    ]
    if with_card:
        peaks = ", ".join(f"{name} {flops / 1e12:.1f}" for name, flops in report["matmul_flops"].items())
        lines[1:1] = ["", f"Measured matmul peaks, TFLOP/s: {peaks}."]
        heads[4:4] = ["samples/s", "share of matmul peak", "times the plain loop", "times that on the CPU"]
    lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in report["rows"]:
        lines.append(f"| {' | '.join(_cells(row, with_card))} |")
    return "\n".join(lines)


def _cells(row: dict[str, Any], with_card: bool) -> list[str]:
    cells = [row["workload"], f"{row['users']:,}", row["precision"], "yes" if row["graphs"] else "no"]
    if "failed" in row:
        return [*cells, *(["–"] * (5 if with_card else 1)), row["failed"]]
    if with_card:
        cells += [f"{row['samples_per_s']:,}", f"{row['share_of_matmul']:.0%}"]
        cells += [f"{row[name]:.1f}" for name in ("times_plain_loop", "times_plain_loop_on_cpu")]
    return [*cells, f"{row['distance_from_cpu_engine']:.1e}", "yes" if row["equal"] else "**no**"]


def _unwritable(out: Path, page: Path | None) -> str | None:
    """What would lose the figures after the minutes that they take."""
    if not out.is_dir():
        return f"--out {out} is no folder; make it first"
    if page is not None and not page.is_file():
        return f"--page {page} is no file; name one that holds the marks {BEGIN} and {END}"
    if page is not None and not 0 <= (text := page.read_text()).find(BEGIN) < text.find(END):
        return f"--page {page} lacks the marks {BEGIN} and {END}, in this order; put them where the table shall be"
    return None


def put_in(page: Path, text: str) -> None:
    """Write the table between its marks on a page."""
    before, rest = page.read_text().split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")


def _options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--out", type=Path, default=DOCS / "results", help="folder of gpu.json")
    parser.add_argument("--page", type=Path, default=None, help="page whose table is replaced; that of docs by default")
    options = parser.parse_args(words)
    if options.page is None and options.out == DOCS / "results":
        options.page = DOCS / "results.md"
    return options


if __name__ == "__main__":
    raise SystemExit(main())
