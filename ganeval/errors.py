"""What a user's mistake raises: one sentence with the offending value and the remedy."""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 300  # characters of a reason


class InputError(ValueError):
    """Bad input. The message is complete as it stands; the command line prints it without a traceback."""


class InputTypeError(InputError, TypeError):
    """Input of the wrong kind: another dtype, shape or type than the one asked for."""


class Notice(UserWarning):
    """Something that a user should know although nothing failed: one sentence, which the command line prints on standard error."""


def printable(name: str) -> str:
    """A name out of a file or file system as it may stand in a message: in one line, without what a terminal would obey.

    Undecodable bytes become question marks; control characters, ends of lines and what turns the direction of writing are spelled out.
    """
    return "".join(map(_visible, name.encode("utf-8", "replace").decode()))


def _visible(letter: str) -> str:
    plain = letter.isprintable() or unicodedata.category(letter) == "Zs"  # spaces of other scripts
    return letter if plain else letter.encode("unicode_escape").decode()


def shown(text: str) -> str:
    """Text of several lines as it may go to a terminal."""
    return "\n".join(map(printable, text.split("\n")))


def reason(error: Exception, *, line: int = 0) -> str:
    """What a library says went wrong, in one short line (-1 is the last it says); the kind of error where it says nothing."""
    lines = [one.strip() for one in str(error).splitlines() if one.strip()]
    return shortened((lines or [type(error).__name__])[line])


def shortened(text: str) -> str:
    """As much of it as a sentence has room for: parsers quote what they found, however long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def nearest(name: str, known: Iterable[str]) -> str:
    """The remedy for a name that nobody knows: "did you mean …? there are …"."""
    names = list(known)
    return f"{guess(name, names)}there are {', '.join(names)}" if names else "there are none"


def guess(name: str, known: Iterable[str]) -> str:
    """The known name that is most like it: "did you mean …? ", or nothing where none is."""
    names = list(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5) or get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    return f"did you mean {close[0]}? " if close else ""
