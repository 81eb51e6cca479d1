"""The `flnft` program: parse, call one function below, print.

Exit status: 0 done, 1 the run failed, 2 bad usage or scenario, 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from flnft_sim.cli.audit import audit_command
from flnft_sim.cli.chain import chain_command
from flnft_sim.cli.compare import compare_command
from flnft_sim.cli.console import complain, print_anything, usual_loudness
from flnft_sim.cli.data import data_app
from flnft_sim.cli.export import export_command
from flnft_sim.cli.game import game_command
from flnft_sim.cli.loudness import loud
from flnft_sim.cli.paper import paper_command
from flnft_sim.cli.plot import plot_command
from flnft_sim.cli.run import run_command
from flnft_sim.cli.scenarios import scenarios_app
from flnft_sim.cli.stopping import exit_status, terminable
from flnft_sim.cli.sweep import sweep_command
from flnft_sim.cli.tables import tables_command
from flnft_sim.cli.verify import verify_command
from flnft_sim.cli.viz import viz_command
from flnft_sim.errors import FlnftError, InputError

# Typer carries its own click, and BadParameter is the public name of one kind of its usage errors.
UsageError: Any = typer.BadParameter.__mro__[1]


class Stopped(Exception):
    """A command was stopped by what caused this."""


class Program(TyperGroup):
    """Lets a stop through: typer would make exit status 130 of any, without a word."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise Stopped from stop


app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        from flnft_sim import __version__

        print(f"flnft {__version__}")  # noqa: T201 - a line for scripts, the same in every terminal
        raise typer.Exit()


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Simulate markets in which federated models are trained with privacy, minted as NFTs and sold by auction."""
    del version  # its callback has printed it and left


COMMANDS: dict[str, Callable[..., Any]] = {
    "run": run_command,
    "verify": verify_command,
    "audit": audit_command,
    "game": game_command,
    "compare": compare_command,
    "chain": chain_command,
    "export": export_command,
    "sweep": sweep_command,
    "plot": plot_command,
    "paper": paper_command,
    "viz": viz_command,
    "tables": tables_command,
}
for _name, _command in COMMANDS.items():
    app.command(_name)(loud(_command))
app.add_typer(scenarios_app, name="scenarios")
app.add_typer(data_app, name="data")


def main() -> None:
    """Run the program; every foreseen error is a sentence, never a traceback."""
    print_anything()
    try:
        with usual_loudness(), terminable():
            status = app(standalone_mode=False)
    except UsageError as error:  # an unknown option, a missing argument
        error.show()
        sys.exit(2)
    except InputError as error:
        sys.exit(complain(error, status=2))
    except FlnftError as error:
        sys.exit(complain(error, status=1))
    except (Stopped, KeyboardInterrupt) as stop:
        sys.exit(complain("stopped", status=exit_status(stop)))
    except BrokenPipeError:  # `flnft … | head` has read enough
        sys.stderr.close()
        sys.exit(0)
    sys.exit(status if isinstance(status, int) else 0)
