"""Reference files by name: those that come with ganeval, and public ones that can be fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ganeval.download import download
from ganeval.errors import InputError, guess
from ganeval.files import cache_folder, sha256_of
from ganeval.progress import Progress, silent

# In an installed wheel the folder lies in the package, in a checkout (also an editable install) beside it.
_PLACES = (Path(__file__).with_name("reference_stats"), Path(__file__).parent.with_name("reference_stats"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One line of `reference_stats/index.json`."""

    name: str
    extractor: str
    convention: str
    about: str
    file: str | None = None  # below reference_stats/, for those that come with ganeval
    sha256: str | None = None  # None where the publisher states none
    url: str | None = None  # for public ones

    @property
    def path(self) -> Path:
        """Where the file is, or would be once fetched."""
        if self.file is not None:
            return _folder() / self.file
        return cache_folder("stats") / f"{self.name}.npz"


@cache
def listed() -> Mapping[str, Listed]:
    """All known reference files by name."""
    entries = json.loads((_folder() / "index.json").read_text(encoding="utf-8"))
    return {name: Listed(name=name, **entry) for name, entry in entries.items()}


def named(name: str) -> Listed:
    """The entry of that name.

    Raises:
        InputError: there is none.
    """
    if name not in listed():
        raise InputError(f"no reference is called {name!r}; {guess(name, listed())}`ganeval stats list` shows those there are")
    return listed()[name]


def fetch(name: str, *, progress: Progress = silent) -> Path:
    """The file of that name, downloaded if it is not here.

    Raises:
        InputError: no such name, the host cannot be reached, or the file is not the one that was listed.
    """
    entry = named(name)
    if not entry.path.exists():
        assert entry.url is not None
        download([entry.url], entry.path, sha256=entry.sha256, progress=progress)
    elif entry.sha256 is not None and sha256_of(entry.path) != entry.sha256:
        raise InputError(f"{entry.path} is not the file it was; install ganeval again")
    return entry.path


def _folder() -> Path:
    return next(place for place in _PLACES if (place / "index.json").exists())
