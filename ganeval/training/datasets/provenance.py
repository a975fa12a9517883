"""Where training data are from, in a form that a report can hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from ganeval.images.seen import pixel_digest
from ganeval.training.batch import DataSpec
from ganeval.training.data import Pictures, Split, Stored
from ganeval.training.datasets.pictures import FilePictures
from ganeval.training.datasets.request import Request


def described(
    name: str, source: str, spec: DataSpec, request: Request, train: Split, test: Split, *, how: str, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """JSON-able: what the data are, how they were split, how many there are, and a digest of what is in memory."""
    return {
        "name": name,
        "source": source,
        "task": spec.task,
        "image_size": spec.image_size,
        "channels": spec.channels,
        "enlarge": request.enlarge,
        "split": how,
        "train": _counts(train),
        "test": _counts(test),
        "notes": list(notes),
    }


def _counts(split: Split) -> dict[str, Any]:
    counts: dict[str, Any] = {"count": len(split.images), **_digest(split.images)}
    if split.source is not None:
        counts |= {"source_count": len(split.source), **{f"source_{key}": value for key, value in _digest(split.source).items()}}
    return counts


def _digest(pictures: Pictures) -> dict[str, str]:
    """sha256 over the sorted digests of the pictures as they are trained on, or over their names where they stay in their files."""
    if isinstance(pictures, Stored):
        return {"pixels_sha256": _sha256(map(pixel_digest, pictures.images))}
    if isinstance(pictures, FilePictures):
        return {"names_sha256": _sha256(name.encode("utf-8", "surrogateescape") + b"\0" for name in pictures.names)}
    return {}  # drawn when asked for: the seed says all


def _sha256(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(sorted(parts))).hexdigest()


def changed_pictures(before: Mapping[str, Any], now: Mapping[str, Any], splits: Sequence[str]) -> str | None:
    """What is to be said of data that are no longer the same; None where they are. Both are what `described` gave."""
    for name in splits:
        was, found = before.get(name, {}), now.get(name, {})
        if was.get("count") != found.get("count"):
            return f"has {found.get('count'):,} pictures to {name}, not the {was.get('count'):,} that"
        if was != found:
            return f"has other pictures to {name} than those that"
    return None


def shared_note(train: Set[bytes], test: Set[bytes]) -> list[str]:
    """On pictures that are trained on and tested with, which flatter the scores; from the digests of both."""
    num = len(train & test)
    return [f"{num} pictures are the same in train and test, to the pixel"] if num else []
