"""What the surrogate learner cannot know: settings its curves have no notion of, refused when a scenario is read."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

# Read as files and not through flnft_sim.learning, whose libraries take a second to import.
_FITTED = Path(__file__).parents[1] / "learning" / "surrogate.json"
_FITTED_PRIVATELY = Path(__file__).parents[1] / "learning" / "private_surrogate.json"

# What came after the fits, with the value that all fitted runs had.
_SINCE = {"activation": "relu", "inputs": "standard"}


def refuse_unknown(learning: Any) -> None:
    """Raise `ValueError` naming all in a section `learning` of which the fitted curves know nothing."""
    private = learning.privacy.trains_privately
    document = _document(_FITTED_PRIVATELY if private else _FITTED)
    unknown = [*_no_curve(learning, document["workloads"], "private training of " if private else "")]
    if not unknown:
        common = _trained_by(learning, document) if private else document["common"] | _SINCE
        unknown = list(_other_than_fitted(learning, common))
    if unknown:
        raise ValueError(f"learner surrogate {'; '.join(unknown)}; change that, or use learner real")


def fitted_workloads() -> list[str]:
    """The workloads, as "dataset/model", that have a fitted curve."""
    return list(_document(_FITTED)["workloads"])


def _no_curve(learning: Any, known: Mapping[str, Any], of: str) -> list[str]:
    workload = f"{learning.dataset}/{learning.model}"
    return [] if workload in known else [f"has no curve for {of}{workload}, only for {', '.join(known)}"]


def _trained_by(learning: Any, document: Mapping[str, Any]) -> dict[str, Any]:
    """How a workload's private runs were trained: by field, a field of `privacy` after a dot."""
    fitted = dict(document["workloads"][f"{learning.dataset}/{learning.model}"]["trained_by"])
    return {f"privacy.{name}": value for name, value in fitted.pop("privacy").items()} | fitted


def _other_than_fitted(learning: Any, common: Mapping[str, Any]) -> Iterator[str]:
    """What differs from what all fitted runs had in common."""
    for field, fitted in common.items():
        name = "partition.kind" if field == "partition" else field
        section, _, last = name.rpartition(".")
        value = getattr(getattr(learning, section) if section else learning, last)
        allowed = fitted if isinstance(fitted, list) else [fitted]
        if value not in allowed:
            yield f"knows nothing of {name} = {_shown(value)}, it was fitted to {' or '.join(map(_shown, allowed))}"


def _shown(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


@cache
def _document(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document
