"""The story of `flnft paper`: run the studies that the parts need, let each part tell, write the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.paper.parts import PARTS
from flnft_sim.paper.report import write_report, write_section
from flnft_sim.paper.scale import Scale
from flnft_sim.paper.section import Section
from flnft_sim.paper.study import Study, StudyPlan, run_studies
from flnft_sim.results import prepare_folder
from flnft_sim.sweeps import Reporter, SweepOptions


@dataclass(frozen=True)
class Reproduction:
    """What was made: the sections by part, the studies by name, the page, and the parts that wait for their runs."""

    sections: dict[str, Section]
    studies: dict[str, Study]
    report: Path
    waiting: tuple[str, ...]


def reproduce(
    parts: Sequence[str],
    scale: Scale,
    *,
    options: SweepOptions | None = None,
    out: Path,
    reporter: Reporter | None = None,
) -> Reproduction:
    """Make the parts (all if none is named) at a scale in `out`: `runs/`, CSVs, figures, `report.md`, `report.html`.

    Stopped at any instant and started again, it goes on where it was. Raises `UnknownNameError` for a part, and what
    `run_sweep` raises; a part none of whose runs has finished is left out and named in the report.
    """
    chosen = _chosen(parts)
    reporter = reporter or Reporter()
    prepare_folder(out)
    plans: dict[str, StudyPlan] = {}
    for part in chosen:
        plans |= {plan.name: plan for plan in PARTS[part].studies(scale)}
    studies = dict(run_studies(list(plans.values()), out, options or SweepOptions(), reporter))
    sections, waiting = {}, []
    for part in chosen:
        if any(studies[plan.name].runs.empty for plan in PARTS[part].studies(scale)):
            waiting.append(part)
            continue
        reporter.note(f"{part}: writing tables and figures")
        sections[part] = PARTS[part].tell(studies, scale)
        write_section(sections[part], out)
    if not sections:
        raise InputError(f"{out} has no finished run of {', '.join(chosen)} yet; start without --finished-only")
    report = write_report(sections, studies, scale, out, waiting=waiting)
    return Reproduction(sections, studies, report, tuple(waiting))


def _chosen(parts: Sequence[str]) -> list[str]:
    for part in parts:
        if part not in PARTS:
            raise UnknownNameError("part of the paper", part, list(PARTS))
    return [part for part in PARTS if not parts or part in parts]
