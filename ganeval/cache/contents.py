"""Contents: the sha256 of the files behind a source, with as little reading as can be."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from ganeval.cache.store import Store
from ganeval.files import CHUNK, opened, sha256_of
from ganeval.images import ImageSource
from ganeval.images.encoded import EncodedImages
from ganeval.images.origin import Origin


def looked_up(origin: Origin, store: Store) -> list[str] | None:
    """The sha256 of each file: what the index knows is not read. None where a file is no longer what it was."""
    known = store.index.digests(origin)
    unknown = [file.path for file, digest in zip(origin.files, known, strict=True) if digest is None]
    if unknown:
        try:
            with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
                read = iter(list(pool.map(sha256_of, unknown)))
        except OSError:
            return None
        if not origin.unchanged():
            return None
        known = [next(read) if digest is None else digest for digest in known]
    found = [digest for digest in known if digest is not None]
    if unknown:
        store.note(origin, found)
    return found


class Noting:
    """A source, and the sha256 of its files found while a pass goes over it: no file is read for that before the pass begins.

    Pictures are digested by whoever decodes them: what is noted is what was seen. An archive or array is read beside the pass.
    """

    def __init__(self, source: ImageSource, origin: Origin) -> None:
        self._origin = origin
        self._read: dict[str, str] = {}
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ganeval-sha256")
        self._whole: Future[list[str]] | None = None
        self.source = source
        if self._origin.pictures and isinstance(source, EncodedImages):
            self.source = source.noting(self._read)

    def __enter__(self) -> Noting:
        if not self._origin.pictures:
            self._whole = self._pool.submit(_digests, [file.path for file in self._origin.files], self._stop)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._pool.shutdown()

    def digests(self) -> list[str] | None:
        """After the pass; None where a file was not read or changed meanwhile, and nothing must be kept."""
        if self._whole is None:
            found = [self._read.get(file.name, "") for file in self._origin.files]
        elif all(map(self._origin.settled, self._origin.files)):  # else what was digested might not be what was seen
            try:
                found = self._whole.result()
            except OSError:
                return None
        else:
            return None
        return found if all(found) and self._origin.unchanged() else None


def _digests(paths: Iterable[Path], stop: threading.Event) -> list[str]:
    found = []
    for path in paths:
        digest = hashlib.sha256()
        with opened(path) as file:
            while not stop.is_set() and (chunk := file.read(CHUNK)):
                digest.update(chunk)
        found.append(digest.hexdigest())
    return found
