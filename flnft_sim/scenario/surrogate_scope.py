"""What the surrogate learner cannot know: settings its curves have no notion of, refused when a scenario is read."""

import json
from functools import cache
from pathlib import Path
from typing import Any

# Read as a file and not through flnft_sim.learning, whose libraries take a second to import.
_FITTED = Path(__file__).parents[1] / "learning" / "surrogate.json"


def refuse_unknown(learning: Any) -> None:
    """Raise `ValueError` naming all in a section `learning` of which the fitted curves know nothing."""
    unknown = [*_no_curve(learning), *_other_than_fitted(learning), *_trained_otherwise(learning)]
    if unknown:
        raise ValueError(f"learner surrogate {'; '.join(unknown)}; change that, or use learner real")


def fitted_workloads() -> list[str]:
    """The workloads, as "dataset/model", that have a fitted curve."""
    return list(_document()["workloads"])


def _no_curve(learning: Any) -> list[str]:
    workload, known = f"{learning.dataset}/{learning.model}", _document()["workloads"]
    return [] if workload in known else [f"has no curve for {workload}, only for {', '.join(known)}"]


def _other_than_fitted(learning: Any) -> list[str]:
    """What differs from what all fitted runs had in common."""
    told = []
    for field, fitted in _document()["common"].items():
        value = learning.partition.kind if field == "partition" else getattr(learning, field)
        allowed = fitted if isinstance(fitted, list) else [fitted]
        if value not in allowed:
            name = "partition.kind" if field == "partition" else field
            told.append(
                f"knows nothing of {name} = {_shown(value)}, it was fitted to {' or '.join(map(_shown, allowed))}"
            )
    return told


def _trained_otherwise(learning: Any) -> list[str]:
    """What came after the fits, with the value that all fitted runs had."""
    values = {"activation": (learning.activation, "relu"), "inputs": (learning.inputs, "standard")}
    told = [
        f"{name} = {value}, it was fitted to {fitted}" for name, (value, fitted) in values.items() if value != fitted
    ]
    if learning.privacy.trains_privately:
        told.append(f"privacy.mechanism = {learning.privacy.mechanism}, it was fitted to paper and none")
    return [f"knows nothing of {each}" for each in told]


def _shown(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_FITTED.read_text(encoding="utf-8"))
    return document
