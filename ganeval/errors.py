"""What a user's mistake raises: one sentence with the offending value and the remedy."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Bad input. The message is complete as it stands; the command line prints it without a traceback."""


class InputTypeError(InputError, TypeError):
    """Input of the wrong kind: another dtype, shape or type than the one asked for."""


class Notice(UserWarning):
    """Something that a user should know although nothing failed: one sentence, which the command line prints on standard error."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The remedy for a name that nobody knows: "did you mean …? there are …"."""
    names = list(known)
    return f"{guess(name, names)}there are {', '.join(names)}" if names else "there are none"


def guess(name: str, known: Iterable[str]) -> str:
    """The known name that is most like it: "did you mean …? ", or nothing where none is."""
    names = list(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5) or get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    return f"did you mean {close[0]}? " if close else ""
