"""Files of equal content among all files, with no more reading than can be: only files of equal sizes are read."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ganeval.images.decode import BadImage
from ganeval.images.encoded import Entry


def shared_sizes(entries: Iterable[Entry]) -> set[int]:
    """Sizes in bytes that more than one file has."""
    return {size for size, count in Counter(entry.size for entry in entries).items() if count > 1}


def contents(entries: Sequence[Entry], sizes: set[int]) -> dict[str, list[int]]:
    """sha256 → positions, of the files of these sizes."""
    alike = [position for position, entry in enumerate(entries) if entry.size in sizes]
    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        digests = pool.map(_file_digest, [entries[position] for position in alike], chunksize=64)
        found: dict[str, list[int]] = defaultdict(list)
        for position, digest in zip(alike, digests, strict=True):
            if digest is not None:
                found[digest].append(position)
    return found


def _file_digest(entry: Entry) -> str | None:
    try:
        return hashlib.sha256(entry.read()).hexdigest()
    except (BadImage, OSError):
        return None
