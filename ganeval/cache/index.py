"""Index: which bytes a file has that has not changed since they were read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ganeval.images.origin import File, Origin

ROWS = 2_000_000  # some 0.5 GB; the oldest go first
WAIT_S = 20.0  # for another process that writes
DAMAGED = (sqlite3.DatabaseError, UnicodeDecodeError)  # of a damaged schema SQLite says the words, which may be no UTF-8


class Index:
    """path → (stamp, sha256) in one SQLite file, which several processes may use. It may be lost: then files are read again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def digests(self, origin: Origin) -> list[str | None]:
        """The sha256 of each file, None where only its bytes can tell."""
        nothing: list[str | None] = [None] * len(origin.files)
        if not self.path.exists():
            return nothing
        try:
            with closing(sqlite3.connect(self.path, timeout=WAIT_S)) as table:
                return [_known(table, file) for file in origin.files]
        except DAMAGED:
            return nothing

    def note(self, origin: Origin, digests: Sequence[str]) -> None:
        """Remember what the files hold, but for those that changed too lately to tell another change by their stamps.

        Raises:
            sqlite3.Error: it cannot be written.
        """
        rows = [(_name(file), file.stamp, digest) for file, digest in zip(origin.files, digests, strict=True) if origin.settled(file)]
        if not rows:
            return
        try:
            self._insert(rows)
        except sqlite3.OperationalError:  # locked, full or read-only
            raise
        except DAMAGED:
            self.remove()
            self._insert(rows)

    def remove(self) -> None:
        for suffix in ("-journal", ""):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def _insert(self, rows: Sequence[tuple[bytes, str, str]]) -> None:
        with closing(sqlite3.connect(self.path, timeout=WAIT_S)) as table, table:
            table.execute("CREATE TABLE IF NOT EXISTS files (path BLOB UNIQUE NOT NULL, stamp TEXT NOT NULL, sha256 TEXT NOT NULL)")
            table.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
            table.execute("DELETE FROM files WHERE rowid <= (SELECT max(rowid) FROM files) - ?", (ROWS,))


def _known(table: sqlite3.Connection, file: File) -> str | None:
    row = table.execute("SELECT sha256 FROM files WHERE path = ? AND stamp = ?", (_name(file), file.stamp)).fetchone()
    return None if row is None else str(row[0])


def _name(file: File) -> bytes:
    return os.fsencode(os.path.abspath(file.path))
