"""`flnft data`: fetch data sets, and show what a partition gives each user."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flnft_sim.cli.console import err, out
from flnft_sim.cli.options import DataDir, ImportsFirst

if TYPE_CHECKING:
    import pandas as pd

data_app = typer.Typer(help="Fetch data sets, and show who would hold what.", no_args_is_help=True)

Split = Annotated[str, typer.Option("--split", help="paper: 50,000 training images; full: all")]
Seed = Annotated[int, typer.Option("--seed", help="seed of the split and the partition")]


class _DownloadBar:
    """A rich bar in the shape pooch wants: `total`, `update`, `reset`, `close`."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("downloading"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=err,
            disable=not err.is_terminal,
        )
        self._task = self._bar.add_task("download", total=None)

    @property
    def total(self) -> float | None:
        """Size in bytes, set by pooch."""
        return self._bar.tasks[0].total

    @total.setter
    def total(self, size: float) -> None:
        self._bar.start()
        self._bar.update(self._task, total=size)

    def update(self, size: int) -> None:
        """Add bytes that arrived."""
        self._bar.advance(self._task, size)

    def reset(self) -> None:
        """Start anew; pooch does so before it fills the bar."""
        self._bar.reset(self._task, total=self.total)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.stop()


@data_app.command("fetch")
def fetch_command(
    names: Annotated[list[str], typer.Argument(help="data sets, e.g. mnist cifar10")], data_dir: DataDir = None
) -> int:
    """Find data sets in the data directory, or download them there; check their content."""
    from flnft_sim.learning import load_dataset

    for name in names:
        dataset = load_dataset(name, data_dir=data_dir, split="full", progress=_DownloadBar())
        out.print(f"{name}: {dataset.source}; {len(dataset.train_y):,} + {len(dataset.test_y):,} images", markup=False)
    return 0


@data_app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="data set, e.g. digits")],
    kind: Annotated[str, typer.Option("--partition", help="iid, dirichlet, shards")] = "iid",
    users: Annotated[int, typer.Option("--users", help="number of users")] = 10,
    alpha: Annotated[float | None, typer.Option("--alpha", help="of dirichlet: small means unlike users")] = None,
    shards_per_user: Annotated[
        int | None, typer.Option("--shards-per-user", "--shards", help="of shards: label-sorted shards a user gets")
    ] = None,
    imports: ImportsFirst = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="write the picture here, too")] = None,
    data_dir: DataDir = None,
    split: Split = "paper",
    seed: Seed = 0,
) -> int:
    """Print how many samples of which class each user would hold."""
    from flnft_sim.formats import picture_format, save_figure
    from flnft_sim.learning import load_dataset, partition, partition_table
    from flnft_sim.streams import Streams

    del imports  # the option has brought them in
    if picture is not None:
        picture_format(picture)  # what cannot be written is said before the work
    dataset = load_dataset(name, data_dir=data_dir, split=split, seed=seed)
    asked = {"alpha": alpha, "shards_per_user": shards_per_user}
    settings = {key: value for key, value in asked.items() if value is not None}
    rng = Streams(seed).generator("partition", 0)  # as the first DAO of a run with that seed draws
    shards = partition(kind, dataset.train_y, users, rng=rng, **settings)
    table = partition_table(shards, dataset.train_y, dataset.classes)
    shape = "×".join(map(str, dataset.input_shape))
    out.print(
        f"{name}: {dataset.source}; {len(dataset.train_y):,} + {len(dataset.test_y):,} images of {shape}", markup=False
    )
    _print_table(table)
    if picture is not None:
        from flnft_sim.figures.partition import draw_partition

        save_figure(draw_partition(table), picture, dpi=150)
        out.print(str(picture), markup=False)
    return 0


def _print_table(table: "pd.DataFrame") -> None:
    from rich.table import Table

    view = Table("user", *(column.removeprefix("class_") for column in table.columns), caption="samples of each class")
    for user, row in table.iterrows():
        view.add_row(str(user), *map(str, row))
    out.print(view)
