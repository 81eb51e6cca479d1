"""Which parameter moves a metric: Sobol' indices and Morris' elementary effects, by SALib."""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.sweeps.designs import DESIGNS, MORRIS_LEVELS, unit_problem
from flnft_sim.sweeps.plan import Sample
from flnft_sim.sweeps.summary import by_point, numbers
from flnft_sim.sweeps.tables import Results, write_csv

INDICES = {
    "sobol": ("S1", "S1_conf", "ST", "ST_conf"),
    "morris": ("mu", "mu_star", "mu_star_conf", "sigma"),
}


def write_sensitivity(path: Path, results: Results, sample: Sample) -> None:
    """Write sensitivity.csv for a plan whose sample is a `sobol` or `morris` design.

    The output of a point is the mean over its seeds. Effects are per whole range of a parameter. A metric that is
    missing or constant at some point of the design has no indices, and its cells stay empty.
    """
    fixed = [field for field in results.plan.parameters if field not in sample.ranges]
    write_csv(path, (*fixed, "metric", "parameter", *INDICES[sample.method]), _rows(results, sample, fixed))


def _rows(results: Results, sample: Sample, fixed: list[str]) -> Iterator[list[Any]]:
    size = len(DESIGNS.get(sample.method)(len(sample.ranges), sample.n, sample.seed))
    outputs = {number: (parameters, ended) for number, parameters, ended, _ in by_point(results)}
    for design in itertools.batched(range(len(results.plan.points())), size):  # samples vary fastest
        known = [outputs[number] for number in design if number in outputs]
        cells = [known[0][0][field] for field in fixed] if known else [None] * len(fixed)
        for metric in results.numeric:
            means = [_mean(list(numbers(ended, metric).values())) for _, ended in known]
            indices = analyse(sample, np.array(means))
            for i, parameter in enumerate(sample.ranges):
                yield [*cells, metric, parameter, *(column[i] for column in indices)]


def analyse(sample: Sample, outputs: Floats) -> list[Floats]:
    """The columns of `INDICES[sample.method]`, a value per parameter; NaN where they are undefined."""
    dimensions = len(sample.ranges)
    design = DESIGNS.get(sample.method)(dimensions, sample.n, sample.seed)
    names = INDICES[sample.method]
    if len(outputs) < len(design) or not np.isfinite(outputs).all() or np.ptp(outputs) == 0:
        return [np.full(dimensions, np.nan) for _ in names]
    problem = unit_problem(dimensions)
    if sample.method == "sobol":
        from SALib.analyze import sobol

        seed = sample.seed + 1  # SALib takes 0 for "no seed"
        indices = sobol.analyze(problem, outputs, calc_second_order=False, seed=seed)
    else:
        from SALib.analyze import morris

        indices = morris.analyze(problem, design, outputs, num_levels=MORRIS_LEVELS, seed=sample.seed)
    return [np.asarray(indices[name], dtype=float) for name in names]


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan
