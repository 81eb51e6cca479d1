"""YAML files that are found by a name: scenarios and sweeps, the user's own before those that ship."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from flnft_sim.errors import InputError, UnknownNameError, bare
from flnft_sim.files import is_file
from flnft_sim.scenario.yaml_text import TextError, read_file


@dataclass(frozen=True, kw_only=True)
class NamedFiles:
    """Files of one kind: `kind` is what errors call one, `folders` lists where they lie, `error` is what is raised.

    A name that ends in one of `endings` is a path.
    """

    kind: str
    folders: Callable[[], list[Path]]
    endings: tuple[str, ...]
    error: type[InputError]

    def names(self) -> list[str]:
        """List the names that can be found, sorted."""
        return sorted({path.stem for folder in self.folders() for path in folder.glob("*.yaml")})

    def find(self, name: str | Path) -> Path:
        """Return the file of a name or path. Raises `error`, and `UnknownNameError` with the closest name."""
        path = Path(name)
        if path.suffix in self.endings:
            if not is_file(path):
                listed = ", ".join(self.names())
                raise self.error(f"{self.kind} file {bare(str(path))} does not exist; shipped {self.kind}s: {listed}")
            return path
        for folder in self.folders():
            if is_file(folder / f"{name}.yaml"):
                return folder / f"{name}.yaml"
        raise UnknownNameError(self.kind, str(name), self.names())

    def read(self, path: Path) -> Any:
        """Return what the file holds. Raises `error` for what is no strict YAML."""
        try:
            return read_file(path)
        except TextError as error:
            raise self.error(str(error)) from None


def scenario_folders() -> list[Path]:
    """Where names are looked up: the working directory's scenarios/, then those shipped with the package.

    They lie inside an installed package, and beside the package in a source tree.
    """
    package = Path(str(files("flnft_sim")))
    own = [Path("scenarios"), package / "scenarios", package.parent / "scenarios"]
    return [folder for folder in own if folder.is_dir()]


def name_of(path: Path) -> str:
    """What a file that says no name calls its scenario or sweep: the file's own, with `-` for what a name may not hold.

    Thus `my scenario.yaml` is `my-scenario`.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem)[:100]
    return f"_{name[1:]}" if name.startswith(".") else name
