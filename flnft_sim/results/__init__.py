"""What a run leaves: spans, ages, tables, files and the summary.

The names below are imported when they are first used: a figure-drawing process is started before pandas is imported.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flnft_sim.results.age import AgeOfInformation
    from flnft_sim.results.claim import Claim
    from flnft_sim.results.comparison import Comparison, compare
    from flnft_sim.results.folder import altered_files, prepare_folder
    from flnft_sim.results.page import summary_text
    from flnft_sim.results.phase import Phase
    from flnft_sim.results.phases import phase_breakdown
    from flnft_sim.results.reading import read_manifest
    from flnft_sim.results.run_result import RunResult, weights_bytes
    from flnft_sim.results.spans import SpanLog
    from flnft_sim.results.summary import summarise

__all__ = [
    "AgeOfInformation",
    "Claim",
    "Comparison",
    "Phase",
    "RunResult",
    "SpanLog",
    "altered_files",
    "compare",
    "phase_breakdown",
    "prepare_folder",
    "read_manifest",
    "summarise",
    "summary_text",
    "weights_bytes",
]

_HOMES = {
    "AgeOfInformation": "age",
    "Claim": "claim",
    "Comparison": "comparison",
    "Phase": "phase",
    "RunResult": "run_result",
    "SpanLog": "spans",
    "altered_files": "folder",
    "compare": "comparison",
    "phase_breakdown": "phases",
    "prepare_folder": "folder",
    "read_manifest": "reading",
    "summarise": "summary",
    "summary_text": "page",
    "weights_bytes": "run_result",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'flnft_sim.results' has no attribute {name!r}")
    return getattr(import_module(f"flnft_sim.results.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
