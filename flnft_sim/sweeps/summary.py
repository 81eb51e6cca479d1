"""Means, 95 % confidence intervals and paired differences, a row per point and metric."""

import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flnft_sim.statistics import STATISTICS, statistics
from flnft_sim.sweeps.plan import Point
from flnft_sim.sweeps.tables import Results, cell, write_csv

BySeed = dict[int, dict[str, Any]]  # seed -> summary of a run that ended well


def write_summary(path: Path, results: Results) -> None:
    """Write summary.csv: n, mean, standard deviation and confidence interval over a point's seeds."""
    header = ("point", *results.plan.parameters, "failed", "metric", *STATISTICS)
    write_csv(path, header, _summary_rows(results))


def write_differences(path: Path, results: Results, baseline: Mapping[str, Any]) -> None:
    """Write differences.csv: each point minus the one with the baseline's values, seed by seed.

    Common random numbers make the two runs of a seed alike in everything the parameter leaves alone, so the interval of
    the mean difference is narrower than two intervals side by side suggest.
    """
    header = ("point", *results.plan.parameters, "metric", "baseline_point", *STATISTICS)
    write_csv(path, header, _difference_rows(results, baseline))


def by_point(results: Results) -> Iterator[tuple[int, Point, BySeed, int]]:
    """Each point with its runs that ended well, by seed, and the number that failed."""
    for number, group in itertools.groupby(results.records(), key=lambda pair: pair[0].point):
        runs = list(group)
        ended = {run.seed: record["summary"] for run, record in runs if record["status"] == "ok"}
        yield number, runs[0][0].parameters, ended, len(runs) - len(ended)


def numbers(ended: BySeed, metric: str) -> dict[int, float]:
    """A metric by seed, where it is a finite number."""
    found = {seed: summary.get(metric) for seed, summary in ended.items()}
    return {seed: float(v) for seed, v in found.items() if isinstance(v, int | float) and math.isfinite(v)}


def _summary_rows(results: Results) -> Iterator[list[Any]]:
    for number, parameters, ended, failed in by_point(results):
        for metric in results.numeric:
            found = numbers(ended, metric)
            yield [number, *parameters.values(), failed, metric, *statistics(list(found.values()))]


def _difference_rows(results: Results, baseline: Mapping[str, Any]) -> Iterator[list[Any]]:
    references = {
        _others(parameters, baseline): (number, ended)
        for number, parameters, ended, _ in by_point(results)
        if number in results.references
    }
    for number, parameters, ended, _ in by_point(results):
        reference = references.get(_others(parameters, baseline))
        if reference is None or reference[0] == number:
            continue
        for metric in results.numeric:
            ours, theirs = numbers(ended, metric), numbers(reference[1], metric)
            differences = [ours[seed] - theirs[seed] for seed in ours if seed in theirs]
            yield [number, *parameters.values(), metric, reference[0], *statistics(differences)]


def _others(parameters: Point, baseline: Mapping[str, Any]) -> str:
    """The parameters that the baseline leaves free, as a key."""
    return cell({field: value for field, value in parameters.items() if field not in baseline})
