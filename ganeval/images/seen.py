"""What one pass over a source saw: counts and digests for the provenance, and what a reader should be told."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from sys import intern
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from ganeval.errors import InputError, printable

RECENT = 2**16  # names kept for messages: more than any batch
SHORT = 8  # bytes of a digest kept of each image: of a million images two different ones agree by chance once in 10^7 sets
NAMED = 10  # bad files that an error names before it only counts

Size = tuple[int, int]  # width, height


class Glance(NamedTuple):
    """What one pass can tell of a whole set."""

    digests: np.ndarray[Any, np.dtype[np.int64]]  # [count], of the pixels: equal for equal images
    sizes: Mapping[str, int]  # "32×32" → how many images
    endings: Mapping[str, int]  # ".png" → how many images; empty where they have no names


def pixel_digest(image: Tensor) -> bytes:
    """sha256 of one uint8 image [3, height, width]: its size, then its pixels, channel by channel."""
    pixels: np.ndarray[Any, Any] = image.contiguous().cpu().numpy()
    digest = hashlib.sha256(f"{pixels.shape[2]}x{pixels.shape[1]}:".encode())
    digest.update(pixels.data)
    return digest.digest()


class Seen:
    """Filled while a source is iterated; complete when the iteration is.

    Args:
        recent: how many names it keeps, None for all.
        first: the position of its first image, where the source is a part of another.
    """

    def __init__(self, *, recent: int | None = RECENT, first: int = 0) -> None:
        self.first = first
        self.count = 0
        self.remarks: Counter[str] = Counter()  # what was done to some images: {"alpha dropped": 3}
        self.skipped: list[str] = []  # bad images left out on request, as "name: why"
        self._recent: deque[str | None] = deque(maxlen=recent)
        self._digests = bytearray()
        self._sizes: Counter[Size] = Counter()
        self._endings: Counter[str] = Counter()
        self._names = hashlib.sha256()
        self._pixels = hashlib.sha256()
        self._named = False
        self._classes: list[str] = []

    def add(
        self, digest: bytes, *, size: Size | None = None, name: str | None = None, label: str | None = None, remarks: Iterable[str] = ()
    ) -> None:
        """Count one image that goes to the network; its class is `label` ("" for none), or the first folder in its name."""
        self.count += 1
        self._digests += digest[:SHORT]
        if size is not None:
            self._sizes[size] += 1
        if label is None and name and "/" in name:
            label = name.partition("/")[0]
        if label:
            self._classes.append(intern(printable(label)))  # it becomes part of the key of a score, and so of tables
        self._recent.append(name)
        self._pixels.update(digest)
        self.remarks.update(remarks)
        if name is not None:
            self._named = True
            self._endings[name[name.rfind(".") :]] += 1
            self._names.update(name.encode("utf-8", "surrogateescape") + b"\0")

    def add_all(self, images: Tensor, labels: Sequence[str] | None = None) -> None:
        """Count a batch of unnamed images."""
        for index, image in enumerate(images.cpu()):
            self.add(pixel_digest(image), size=(image.shape[2], image.shape[1]), label=None if labels is None else labels[index])

    @property
    def glance(self) -> Glance:
        """What can be told of all images at once."""
        sizes = {f"{width}×{height}": count for (width, height), count in sorted(self._sizes.items())}
        endings: Counter[str] = Counter()
        for ending, count in sorted(self._endings.items()):
            endings[ending.lower()] += count
        return Glance(np.frombuffer(bytes(self._digests), "<i8"), sizes, dict(endings))

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The class of each image; None unless all have one."""
        return tuple(self._classes) if self._classes and len(self._classes) == self.count else None

    def name_of(self, position: int) -> str:
        """What to call one of the last images in a message: its file, or its position where it has none."""
        return self.file_of(position) or f"image {self.first + position} (from 0, in order)"

    def file_of(self, position: int) -> str | None:
        """The file of one of the last images, None where it has none."""
        back = self.count - position
        name = self._recent[-back] if back <= len(self._recent) else None
        return printable(name) if name else None

    def provenance(self) -> dict[str, Any]:
        """JSON-able: count, sha256 of the list of names (None where images have none) and of the pixels in order."""
        return {
            "count": self.count,
            "names_sha256": self._names.hexdigest() if self._named else None,
            "pixels_sha256": self._pixels.hexdigest(),
            "num_skipped": len(self.skipped),
            "skipped": self.skipped[:NAMED],
            "remarks": dict(sorted(self.remarks.items())),
        }


Call = tuple[bytes, Size | None, str | None, str | None, tuple[str, ...]]  # what `Seen.add` is called with


class Diary(Seen):
    """One that writes down what it was told, so that a `Seen` of more than this part of a source can be told the same."""

    def __init__(self, *, first: int = 0) -> None:
        super().__init__(first=first)
        self.calls: list[Call] = []

    def add(
        self, digest: bytes, *, size: Size | None = None, name: str | None = None, label: str | None = None, remarks: Iterable[str] = ()
    ) -> None:
        self.calls.append((digest, size, name, label, tuple(remarks)))
        super().add(digest, size=size, name=name, label=label, remarks=remarks)


def seen_of(calls: Iterable[Call], skipped: Iterable[str]) -> Seen:
    """What one pass would have seen that is told in the calls."""
    seen = Seen()
    for digest, size, name, label, remarks in calls:
        seen.add(digest, size=size, name=name, label=label, remarks=remarks)
    seen.skipped += skipped
    return seen


class BadImages(InputError):
    """`bad` are the pictures that cannot be used, as "name: why"."""

    bad: Sequence[str] = ()


class SeenBefore(Seen):
    """What an earlier pass over the same images saw, but for the names: what its `provenance` and `glance` said, and the classes."""

    def __init__(self, provenance: Mapping[str, Any], glance: Glance, classes: Sequence[str] | None) -> None:
        super().__init__()
        self.count = provenance["count"]
        self.remarks = Counter(provenance["remarks"])
        self.skipped = list(provenance["skipped"])
        self._classes = list(classes or ())
        self._provenance = dict(provenance)
        self._glance = glance

    @property
    def glance(self) -> Glance:
        return self._glance

    def provenance(self) -> dict[str, Any]:
        return dict(self._provenance)


def bad_images(where: str, bad: Sequence[str], total: int) -> BadImages:
    """One sentence for all bad images of a source: the first ten by name, and the count."""
    more = f"\n  … and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    listed = "".join(f"\n  {line}" for line in bad[:NAMED])
    error = BadImages(
        f"{len(bad)} of {total} images in {where} cannot be used, so there is no score; "
        f"repair or remove them, or leave them out with --skip-bad (skip_bad=True):{listed}{more}"
    )
    error.bad = bad
    return error
