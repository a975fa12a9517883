"""Sources cut into parts for several processes, so that the parts in order are the whole, batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from ganeval.errors import InputError
from ganeval.images import ImageSource


@runtime_checkable
class Divisible(ImageSource, Protocol):
    """A source that knows its images without a pass over them."""

    def part(self, start: int, stop: int) -> ImageSource:
        """The images from `start` to before `stop`, at least one."""
        ...

    def listing(self) -> Iterator[str]:
        """What tells this set from others before a picture is decoded: names and sizes."""
        ...


def bounds(num_images: int, index: int, count: int, *, batch_size: int) -> range:
    """The positions of part `index` (from 0) of `count`: whole batches, so that a network sees the same ones, shared as evenly as may be.

    Empty where there are fewer batches than parts.
    """
    num_batches = -(-num_images // batch_size)
    start, stop = (min(num_images, batch_size * (num_batches * edge // count)) for edge in (index, index + 1))
    return range(start, stop)


def divisible(source: ImageSource) -> Divisible:
    """The same source, if it can be cut.

    Raises:
        InputError: it is a generator or iterable: nobody knows whether it gives each process all images or other ones.
    """
    if not isinstance(source, Divisible):
        raise InputError(f"{source.where} cannot be cut into parts; give a folder, an archive, an array or a Dataset, or use one process")
    return source


def listing_sha256(source: Divisible) -> str:
    """Equal for equal sets, wherever they lie."""
    digest = hashlib.sha256()
    for line in source.listing():
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()
