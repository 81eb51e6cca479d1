"""Files of parts of one's own: read, known by their SHA-256, and run when a scenario that names them is checked.

    flnft run market --import my_parts.py --set market.rule=posted-price

A file is known by name and SHA-256, never by its path: a scenario that was resolved in one place means the same code in
every other. Where the file itself is not at hand (another process, another machine) its `Source` is sent along.
"""

import hashlib
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from flnft_sim.errors import InputError, bare
from flnft_sim.families import FAMILIES
from flnft_sim.files import is_file, read_ordinary

FOLDER = "imports"  # of a run's folder: there lie the files that it imported
MOST_BYTES = 2**20
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]{0,95}\.py")


@dataclass(frozen=True)
class Source:
    """A file of parts: its name without a folder, and what is in it."""

    file: str
    content: bytes

    @property
    def sha256(self) -> str:
        """What it is known by."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class _Active:
    """What a file has registered in this process: names by family."""

    sha256: str
    names: tuple[tuple[int, str], ...]


_sources: dict[str, Source] = {}  # by SHA-256, all that this process has read or was sent
_active: dict[str, _Active] = {}  # by file name, what is imported now


def read_source(path: str | Path, *, place: str = "import") -> Source:
    """Read a file of parts, to be brought in later; nothing of it is run. `place` is what an error begins with."""
    path = Path(path)
    if not _PLAIN.fullmatch(path.name):
        raise InputError(f"{place} {bare(str(path))}: give a Python file, such as my_parts.py")
    try:
        content = read_ordinary(path, most=MOST_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "there is no such file"
        raise InputError(f"{place} {bare(str(path))} cannot be read ({why}); name the file of your parts") from None
    return offer(Source(path.name, content))


def read_pinned(file: str, sha256: str, folder: Path) -> Source:
    """Read the file that a run in `folder` has imported, kept in `imports/` there, or beside a resolved scenario.

    Raises `InputError` where it is missing or was changed.
    """
    if not _PLAIN.fullmatch(file):
        raise InputError(f"import {bare(file)}: that is no name of a Python file; the run's manifest was changed")
    place = next((each for each in (folder / FOLDER / file, folder / file) if is_file(each)), folder / FOLDER / file)
    if not is_file(place):
        raise InputError(f"{bare(str(place))} is missing, which this run imported; give the file by --import {file}")
    source = read_source(place)
    if source.sha256 != sha256:
        raise InputError(
            f"{bare(str(place))} was changed since the run (SHA-256 {source.sha256[:12]}…, not "
            f"{bare(sha256[:12])}…); give the file of then, or run what there is now by --import"
        )
    return source


def offer(source: Source) -> Source:
    """Let this process know a source that another one has read."""
    return _sources.setdefault(source.sha256, source)


def source_of(sha256: str) -> Source:
    """The source of that SHA-256; raises `InputError` where this process has never read it."""
    if sha256 not in _sources:
        raise InputError(f"no file of SHA-256 {bare(sha256[:12])}… was read; name it by `import:` or --import FILE.py")
    return _sources[sha256]


def bring_in(file: str, sha256: str) -> None:
    """Run a file of parts, once; another content that the file had before makes way for it.

    Raises `InputError` naming file, line and fault where it does not run.
    """
    active = _active.get(file)
    if active is not None and active.sha256 == sha256:
        return
    source = source_of(sha256)
    if active is not None:
        _forget(_active.pop(file).names)
    before = _registered()
    try:
        _run(file, source)
    except BaseException:
        _forget(_registered() - before)
        raise
    _active[file] = _Active(sha256, tuple(sorted(_registered() - before)))


def bring_in_file(path: str | Path) -> None:
    """Read and run a file of parts."""
    source = read_source(path, place="--import")
    bring_in(source.file, source.sha256)


def _run(file: str, source: Source) -> None:
    module = ModuleType(f"flnft_import_{source.sha256[:16]}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # dataclasses look there for their module
    try:
        exec(compile(source.content, file, "exec"), module.__dict__)
    except Exception as error:
        place = f"{file}, line {line}" if (line := _line(error, file)) else file
        raise InputError(f"{place}: {_in_a_line(error)}; mend the file, or leave out the import") from error


def _in_a_line(error: Exception) -> str:
    what = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    return what if isinstance(error, InputError) else f"{type(error).__name__}: {what}"


def _line(error: Exception, file: str) -> int | None:
    """The last line of the file that was running when the error came."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _registered() -> set[tuple[int, str]]:
    """All parts that do not ship, as (number of the family, name)."""
    return {(number, name) for number, family in enumerate(FAMILIES) for name in family.own_names()}


def _forget(names: Iterable[tuple[int, str]]) -> None:
    for number, name in names:
        FAMILIES[number].forget(name)
