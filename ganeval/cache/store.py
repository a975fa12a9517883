"""Store: a folder of entries, bounded in size, that several processes may use at once."""

from __future__ import annotations

import os
import re
import sqlite3
import time
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganeval.cache.entry import Damaged, Entry, about_file
from ganeval.cache.index import Index
from ganeval.errors import InputError, Notice
from ganeval.files import cache_folder
from ganeval.images.origin import Origin
from ganeval.measured import Need

if TYPE_CHECKING:
    from filelock import FileLock

SIZE = "2GiB"
WAIT_S = 60.0  # for another process that writes
AHEAD_NS = 24 * 3600 * 10**9  # by which the clock of a file server may be ahead of ours
ENDING = ".safetensors"
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is kept of one network."""

    sets: int = 0
    images: int = 0
    num_bytes: int = 0


class Store:
    """Entries as `<signature>-<key>.safetensors`; when one was last used is its file's time. What does not fit is not kept."""

    def __init__(self) -> None:
        self.folder = cache_folder("features")
        self.bound = bound()
        self.index = Index(self.folder / "files.sqlite")

    def may_hold(self, signatures: Iterable[str]) -> bool:
        """Whether there is an entry of one of these signatures."""
        return not {path.name.partition("-")[0] for path in self.entries()}.isdisjoint(signatures)

    def read(self, signature: str, key: str, needs: Collection[Need] | None = None) -> Entry | None:
        """The entry, with the tensors for these needs; None where there is none. A damaged one is removed."""
        path = self._path(signature, key)
        try:
            entry = Entry.read(path, key, needs)
        except Damaged:
            with suppress(OSError):
                path.unlink()
            return None
        except OSError:
            return None
        with suppress(OSError):
            os.utime(path)
        return entry

    def note(self, origin: Origin, digests: Sequence[str]) -> None:
        """Remember what the files hold, if that can be written."""
        with suppress(OSError, sqlite3.Error, NotImplementedError), self._lock():
            self.index.note(origin, digests)

    def keep(self, origin: Origin, digests: Sequence[str], entries: Mapping[tuple[str, str], Entry]) -> None:
        """Add entries by (signature, key), and what the files hold; where that is not possible, say so and go on."""
        from safetensors import SafetensorError

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._lock():
                self.index.note(origin, digests)
                for (signature, key), entry in entries.items():
                    self._add(signature, key, entry)
                self._shrink()
        except (OSError, SafetensorError, sqlite3.Error, NotImplementedError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            warnings.warn(
                f"{self.folder} cannot be written ({reason}), so the next run works through these images again; "
                "set GANEVAL_HOME to another folder, or use --no-cache (cache=False)",
                Notice,
                stacklevel=2,
            )

    def entries(self) -> list[Path]:
        """The files of all entries, the last used first."""
        return sorted(self.folder.glob(f"*-*{ENDING}"), key=lambda path: _status(path)[0], reverse=True)

    @property
    def num_bytes(self) -> int:
        """What entries and index take."""
        return sum(_status(path)[1] for path in (*self.entries(), self.index.path))

    def held(self) -> dict[str, Held]:
        """What is kept, by network."""
        found: dict[str, Held] = {}
        for path in self.entries():
            with suppress(Damaged, OSError):
                about = about_file(path)
                so_far = found.get(about["network"], Held())
                found[about["network"]] = Held(
                    sets=so_far.sets + 1, images=so_far.images + about["seen"]["count"], num_bytes=so_far.num_bytes + _status(path)[1]
                )
        return dict(sorted(found.items()))

    def clear(self) -> None:
        """Remove everything."""
        if self.folder.is_dir():
            with self._lock():
                self.index.remove()
                for path in self.entries():
                    path.unlink(missing_ok=True)

    def _add(self, signature: str, key: str, entry: Entry) -> None:
        before = self.read(signature, key)
        if before is not None:
            entry = before | entry
        if sum(tensor.nbytes for tensor in entry.tensors.values()) <= self.bound:
            entry.write(self._path(signature, key), key)

    def _shrink(self) -> None:
        for broken_off in self.folder.glob(".*"):  # files being written, but under this lock nobody writes
            broken_off.unlink(missing_ok=True)
        total = 0
        for path in self.entries():
            size = _status(path)[1]
            if total + size > self.bound:
                path.unlink(missing_ok=True)
            else:
                total += size

    def _lock(self) -> FileLock:
        from filelock import FileLock

        return FileLock(self.folder / "lock", timeout=WAIT_S)

    def _path(self, signature: str, key: str) -> Path:
        return self.folder / f"{signature}-{key}{ENDING}"


def bound() -> int:
    """The most bytes that entries may take: `$GANEVAL_CACHE_SIZE`, as 500MB, 2GiB or a number of bytes.

    Raises:
        InputError: something else.
    """
    text = os.environ.get("GANEVAL_CACHE_SIZE") or SIZE
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", text.strip().upper())
    if found is None or found[2] not in UNITS:
        raise InputError(f"GANEVAL_CACHE_SIZE is {text!r}; write it as 500MB, 2GiB or a number of bytes, or 0 to keep nothing")
    return int(float(found[1]) * UNITS[found[2]])


def _status(path: Path) -> tuple[int, int]:
    """(when it was last used, bytes)."""
    try:
        status = path.stat()
    except OSError:  # gone meanwhile
        return 0, 0
    # After a clock that ran ahead was put right, its entries would never go, and no new one could stay.
    used = status.st_mtime_ns if status.st_mtime_ns < time.time_ns() + AHEAD_NS else 0
    return used, status.st_size
