"""Everything one run leaves, in memory and as a folder of files that reads back to the same."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import safetensors
import safetensors.numpy

from flnft_sim.errors import FORMLESS, InputError
from flnft_sim.formats import Figures, Format, figure_format
from flnft_sim.imports import FOLDER
from flnft_sim.results.claim import Claim
from flnft_sim.results.closing import closed
from flnft_sim.results.comparison import Comparison, compare
from flnft_sim.results.folder import LEDGER, Content, add_files, write_folder
from flnft_sim.results.glance import glance_html, glance_text
from flnft_sim.results.page import summary_text
from flnft_sim.results.pictures import Draw, picture, render_all
from flnft_sim.results.reading import damaged, read_file, read_manifest
from flnft_sim.results.record import RunRecord
from flnft_sim.results.tables import COLUMNS, as_of_now, csv_of, from_csv
from flnft_sim.results.trace import trace_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IMPORTS = f"{FOLDER}/"
SUMMARY = "summary.txt"


def weights_bytes(weights: Mapping[str, np.ndarray]) -> bytes:
    """The weights as the bytes of a safetensors file: what is written, and what an FL-NFT's model hash is of."""
    return safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in weights.items()})


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RunResult(RunRecord):
    """What a run found out, to be saved into a folder and read back; `RunRecord` says what it holds.

    A notebook shows it as its summary, small tables and figures.
    """

    def __repr__(self) -> str:
        return glance_text(self)

    def _repr_html_(self) -> str:
        return glance_html(self)

    def plot(self, name: str = "accuracy") -> "Figure":
        """Draw the figure of that name as a matplotlib figure, which a notebook shows.

        Raises `UnknownNameError` for a name that no figure has, `InputError` where the run has nothing to show in it.
        """
        return picture(name, self)

    def compare(self, other: "RunResult") -> Comparison:
        """Set another run beside this one: settings that differ, figures, differences (the other's less this one's)."""
        return compare({"this": self, "other": other})

    def save(
        self,
        directory: str | Path,
        *,
        force: bool = False,
        figures: bool | Figures = True,
        claim: Claim | None = None,
    ) -> None:
        """Write the run's files into `directory`, each atomically: the data, the manifest with their SHA-256, figures.

        `figures` is the format of the figures, "png" (as True), "pdf" or "svg", or "none" (as False); the manifest is
        written anew after each. Whoever has claimed the folder already hands over the `claim`. Raises `InputError` for
        another format, and for a folder that holds something already (unless `force`) or cannot be written.
        """
        format, directory = figure_format(figures), Path(directory)
        types = {name: self.types(name) for name in COLUMNS}
        manifest = self.manifest | {"summary": self.summary, "tables": types}
        with nullcontext() if claim else Claim(directory, force=force):
            write_folder(directory, self._contents(), manifest, self._closed_ledger, force=force)
            if format:
                self.save_figures(directory, format)

    def save_figures(self, directory: str | Path, format: Format = "png", *, draw: Draw | None = None) -> None:
        """Draw `figures/*` into the folder where the run was saved, and list them in its manifest.

        `draw` is another way to draw them, such as `flnft_sim.figures.Drawer().render_all` in a process of its own.
        """
        pictures = (draw or render_all)(self, format)
        add_files(Path(directory), ((f"figures/{name}.{format}", picture) for name, picture in pictures))

    @classmethod
    def load(cls, directory: str | Path) -> Self:
        """Read back what `save` wrote. Raises `InputError` naming the file that is missing or damaged."""
        directory = Path(directory)
        manifest = read_manifest(directory)
        files = manifest.pop("files")
        manifest.pop("signature", None)
        try:
            return cls(
                **{
                    name: from_csv(name, read_file(directory, f"{name}.csv").decode(), types)
                    for name, types in manifest.pop("tables").items()
                },
                summary=as_of_now("summary", manifest.pop("summary")),
                manifest=manifest,
                ledger_lines=read_file(directory, LEDGER).decode().split("\n")[:-1],
                nft={name: read_file(directory, name).decode() for name in files if name.endswith(".js")},
                weights={
                    name: safetensors.numpy.load(read_file(directory, name))
                    for name in files
                    if name.endswith(".safetensors")
                },
                imports={
                    name.removeprefix(IMPORTS): read_file(directory, name) for name in files if name.startswith(IMPORTS)
                },
            )
        except InputError:
            raise
        except (*FORMLESS, safetensors.SafetensorError) as error:
            raise damaged(directory, error) from error

    def _contents(self) -> Iterator[tuple[str, Content]]:
        for name in COLUMNS:
            yield f"{name}.csv", csv_of(list(self.types(name)), self.pieces(name))
        yield "trace.json", trace_json(self.pieces("spans"), self.pieces("counters"))
        yield from self.nft.items()
        for name, weights in self.weights.items():
            yield name, weights_bytes(weights)
        for name, content in self.imports.items():
            yield f"{IMPORTS}{name}", content
        yield SUMMARY, summary_text(self)

    def _closed_ledger(self, manifest: Mapping[str, Any], hashes: Mapping[str, str]) -> Iterator[str]:
        return (f"{line}\n" for line in closed(self.lines, manifest, hashes))
