"""What a run leaves: spans, ages, tables, files, the summary and the figures."""

from flnft_sim.results.age import AgeOfInformation
from flnft_sim.results.claim import Claim
from flnft_sim.results.folder import altered_files, prepare_folder, read_manifest
from flnft_sim.results.page import summary_text
from flnft_sim.results.phases import MINTING_PHASES, phase_breakdown
from flnft_sim.results.run_result import RunResult, weights_bytes
from flnft_sim.results.spans import PHASES, SpanLog
from flnft_sim.results.summary import summarise
from flnft_sim.results.trace import write_trace

__all__ = [
    "MINTING_PHASES",
    "PHASES",
    "AgeOfInformation",
    "Claim",
    "RunResult",
    "SpanLog",
    "altered_files",
    "phase_breakdown",
    "prepare_folder",
    "read_manifest",
    "summarise",
    "summary_text",
    "weights_bytes",
    "write_trace",
]
