"""`-v` and `-q`: how much every command says."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from flnft_sim.cli.console import be_quiet, be_verbose

Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", callback=be_verbose, help="say on standard error what is done, in detail"),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", callback=be_quiet, help="print nothing but errors, and the JSON of --json")
]


def loud(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with `-v` and `-q`, which do their work where they are read."""

    @wraps(command)
    def heard(*, verbose: bool, quiet: bool, **told: Any) -> Any:
        del verbose, quiet
        return command(**told)

    own = inspect.signature(command)
    flags = {"verbose": Verbose, "quiet": Quiet}
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in flags.items()
    ]
    heard.__signature__ = own.replace(parameters=[*own.parameters.values(), *more])  # type: ignore[attr-defined]
    heard.__annotations__ = command.__annotations__ | flags
    return heard
