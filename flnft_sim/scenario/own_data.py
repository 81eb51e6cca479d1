"""Data of one's own in a scenario: a path, counted from the scenario's file, becomes a path and a SHA-256."""

from pathlib import Path
from typing import Any

from flnft_sim.errors import bare
from flnft_sim.files import digest_of

OWN_DATA = "file:"


def data_beside(fields: dict[str, Any], file: Path) -> None:
    """Let `learning.dataset: file:blobs.npz` in the fields of a scenario's file mean what lies beside the file."""
    learning = fields.get("learning")
    if not isinstance(learning, dict):
        return
    named = learning.get("dataset")
    if isinstance(named, str) and named.startswith(OWN_DATA):
        fields["learning"] = {**learning, "dataset": f"{OWN_DATA}{file.parent / named.removeprefix(OWN_DATA)}"}


def pinned_data(named: str) -> dict[str, str]:
    """The fields that `file:PATH` stands for; raises `ValueError` where there is nothing to read."""
    path = Path(named.removeprefix(OWN_DATA)).expanduser().absolute()
    try:
        return {"dataset": OWN_DATA.rstrip(":"), "path": str(path), "sha256": digest_of(path)}
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "there is no such file"
        raise ValueError(
            f"dataset = {bare(named)}: cannot be read ({why}); name an .npz file or a folder of images by class"
        ) from None
