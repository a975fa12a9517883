"""Origin: the files behind a source of images, and whether they are still what they were."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ganeval.errors import InputError

CLOCK_NS = 2 * 10**9  # the coarsest clock of a file system in use, FAT's


class File(NamedTuple):
    """One file, as the file system described it."""

    name: str  # that its picture has in the source; "" where nothing depends on it, as in an archive or array
    path: Path
    stamp: str  # size, times, inode and device; "" where there is no file

    @property
    def size(self) -> int:
        return int(self.stamp.partition(":")[0] or 0)

    @property
    def written(self) -> str:
        """As of the function below."""
        return _written(self.stamp)


@dataclass(frozen=True, slots=True)
class Origin:
    """The files that a source reads, described before a byte of them was read."""

    files: Sequence[File]
    noted_ns: int  # when they were described
    pictures: bool  # whether each file is one picture, read whole; else they are archives or an array

    @classmethod
    def of(cls, named: Iterable[tuple[str, Path]], *, pictures: bool = False) -> Origin:
        now = time.time_ns()
        return cls([File(name, path, stamp(path)) for name, path in named], now, pictures)

    def unchanged(self) -> bool:
        """Whether all files are there and described as they were."""
        return all(file.stamp and stamp(file.path) == file.stamp for file in self.files)

    def settled(self, file: File) -> bool:
        """Whether any later change would show in the stamp: within one tick of the file system's clock it might not.

        Git does not trust such entries of its index either. A changed file gets a new ctime, which nobody can set back; Windows has none.
        """
        _, modified, changed, *_ = file.stamp.split(":")
        return os.name == "posix" and max(int(modified), int(changed)) < self.noted_ns - CLOCK_NS


def stamp(path: Path) -> str:
    """What a file system notes of a file; "" where it cannot be found."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}:{status.st_dev}"


def written(path: Path) -> str:
    """The size of a file and when it was last written to: the part of its stamp that attributes do not move."""
    return _written(stamp(path))


def check_unwritten(path: Path, before: str) -> None:
    """Raise an InputError where somebody wrote to a file since `written` said this of it."""
    if (now := written(path)) != before:
        what = "was written to" if now else "was removed"
        raise InputError(f"{path} {what} while it was read, so there is no score; score it when it is complete")


def _written(stamp: str) -> str:
    return ":".join(stamp.split(":")[:2])
