"""All files below a folder, whatever links lie there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ganeval.errors import InputError


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """(relative path, path) of each. Links are followed, and of a folder that is met twice the first path counts.

    Raises:
        InputError: a folder cannot be read.
    """
    visited: set[tuple[int, int]] = set()  # links may lead back up

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}")

    try:
        for here, folders, files in os.walk(folder, followlinks=True, onerror=refuse):
            folders.sort()  # of a folder and a link to it the first counts, on every file system the same
            status = os.stat(here)
            if (status.st_dev, status.st_ino) in visited:
                folders.clear()
                continue
            visited.add((status.st_dev, status.st_ino))
            below = Path(here).relative_to(folder).as_posix()
            for file in files:
                yield file if below == "." else f"{below}/{file}", Path(here, file)
    except RecursionError:
        raise InputError(f"the folders in {folder} are nested too deep; name one further down") from None
