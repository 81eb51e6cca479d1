"""The one exception root of the package, and the sentence every bad input gets."""

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 200  # characters of a value that a sentence quotes


class FlnftError(Exception):
    """Anything this package raises on purpose; the command line prints it as one sentence and exits with 1."""


class InputError(FlnftError, ValueError):
    """Bad input: the sentence names the place, the value and the remedy; the command line exits with 2."""


class UnknownNameError(InputError):
    """A name that is not registered (rule, protocol, model, scheme, dataset, scenario …)."""

    def __init__(self, family: str, name: object, known: Iterable[str], remedy: str = "") -> None:
        known, further = sorted(known), f"; {remedy}" if remedy else ""
        hint = did_you_mean(str(name), known)
        super().__init__(f"unknown {family} {shown(name)}{hint}; known: {', '.join(known)}{further}")
        self.family, self.name, self.known, self.remedy = family, name, known, remedy

    def __reduce__(self) -> tuple[type, tuple[str, object, list[str], str]]:
        return type(self), (self.family, self.name, self.known, self.remedy)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` for the closest known name, or an empty string where none is close."""
    if len(name) > SHOWN:
        return ""
    close = get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return f", did you mean {close[0]!r}?" if close else ""


def shown(value: object, limit: int = SHOWN) -> str:
    """A value as a sentence quotes it: `repr` on one line, at most `limit` characters, whatever the value is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a whole number of thousands of digits, a list in lists in lists …
        text = f"a {type(value).__name__} too large to print"
    text = text.replace("\n", " ")
    return text if len(text) <= limit else f"{text[: limit - 2]} …"


def bare(text: str, limit: int = SHOWN) -> str:
    """A name as a sentence shows it: like `shown`, without quotation marks."""
    return shown(text, limit + 2).strip("'\"")


#: What reading raises where a record has another form than this program would write: a stranger's, or a damaged one.
FORMLESS = (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError, RecursionError)
