"""Picture files, wherever they lie: decoded in parallel, in a fixed order, ahead of the network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from ganeval.errors import printable
from ganeval.images.ahead import Share, ahead
from ganeval.images.decode import EXTENSIONS, BadImage, Decoded, decode
from ganeval.images.origin import Origin
from ganeval.images.seen import Seen, bad_images

MAX_BYTES = 2**30  # of one picture file; a larger one is an archive bomb or no picture


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture file of a source."""

    name: str  # path below the source, with forward slashes
    size: int  # bytes
    read: Callable[[], bytes]  # called from several threads at once; raises BadImage or OSError, also of more than MAX_BYTES
    label: Callable[[], str] | None = None  # its class, "" for none; without it the first folder in the name is the class


def is_picture_name(name: str) -> bool:
    """Whether a path names a picture: a known ending in any case, and no hidden or system file."""
    parts = name.split("/")
    hidden = any((part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in parts)
    return not hidden and os.path.splitext(parts[-1])[1].lower() in EXTENSIONS


class EncodedImages:
    """Entries of a folder or archive, as an image source."""

    def __init__(self, where: str, kind: str, entries: Sequence[Entry], origin: Origin | None, *, num_ignored: int = 0) -> None:
        self.where = where
        self.kind = kind
        self.num_ignored = num_ignored  # files that are no pictures by their name
        self.entries = entries
        self.origin = origin  # None of a part

    @property
    def num_images(self) -> int:
        return len(self.entries)

    def part(self, start: int, stop: int) -> EncodedImages:
        return EncodedImages(self.where, self.kind, self.entries[start:stop], None, num_ignored=self.num_ignored)

    def listing(self) -> Iterator[str]:
        return (f"{entry.name}\0{entry.size}" for entry in self.entries)

    def noting(self, digests: dict[str, str]) -> EncodedImages:
        """The same images; whenever one is read, the sha256 of its file goes to `digests`, under its name."""
        entries = [replace(entry, read=partial(_noted, entry, digests)) for entry in self.entries]
        return EncodedImages(self.where, self.kind, entries, self.origin, num_ignored=self.num_ignored)

    def batches(self, seen: Seen, *, batch_size: int, skip_bad: bool = False) -> Iterator[Tensor]:
        """One picture after another, uint8 [1, 3, height, width].

        Raises:
            InputError: some pictures cannot be used and `skip_bad` is off. All the others are decoded first, to count them.
        """
        bad: list[str] = []
        for entry, result in ahead(_decode_entry, self.entries, count=2 * batch_size, size=_size):
            if isinstance(result, BadImage):
                bad.append(f"{printable(entry.name)}: {result}")
                continue
            if bad and not skip_bad:  # there will be no score: only the count of bad pictures is still of use
                continue
            size = result.image.shape[2], result.image.shape[1]
            seen.add(result.digest, size=size, name=entry.name, label=entry.label and entry.label(), remarks=result.remarks)
            yield result.image[None]
        if bad and (not skip_bad or seen.count == 0):
            raise bad_images(self.where, bad, len(self.entries))
        seen.skipped += bad


def _noted(entry: Entry, digests: dict[str, str]) -> bytes:
    data = entry.read()
    digests[entry.name] = hashlib.sha256(data).hexdigest()
    return data


def _decode_entry(entry: Entry, share: Share) -> Decoded | BadImage:
    try:
        if entry.size > MAX_BYTES:
            raise BadImage(f"{entry.size:,} bytes, over the limit of {MAX_BYTES:,} for one picture")
        share.take(entry.size)
        return decode(entry.read(), take=share.take)
    except BadImage as error:
        return error
    except OSError as error:
        return BadImage(f"cannot be read: {error.strerror or error}")


def _size(result: Decoded | BadImage) -> int:
    return result.image.numel() if isinstance(result, Decoded) else 0
