"""Single images of a source, looked at again after a pass: by their positions, each with its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from torch import Tensor

from ganeval.images import ImageSource, Seen
from ganeval.images.cut import Divisible


class Chosen(NamedTuple):
    image: Tensor  # uint8 [3, height, width]
    name: str


def can_be_chosen(source: ImageSource) -> bool:
    """Whether the same images are met again: not of what is drawn or read anew at every pass."""
    return isinstance(source, Divisible)


def chosen(source: ImageSource, positions: Iterable[int], *, num_skipped: int = 0) -> dict[int, Chosen]:
    """The images at these positions.

    Args:
        num_skipped: bad images that the pass left out, which are not counted among the positions. With some, or in a source that cannot be
            divided, this takes a pass up to the last position; else it reads these images and no others.
    """
    wanted = sorted(set(positions))
    if isinstance(source, Divisible) and not num_skipped:
        return {position: next(_met(source.part(position, position + 1), first=position))[1] for position in wanted}
    found: dict[int, Chosen] = {}
    for position, one in _met(source) if wanted else ():
        if position in wanted:
            found[position] = one
        if len(found) == len(wanted):
            break
    return found


def _met(source: ImageSource, *, first: int = 0) -> Iterator[tuple[int, Chosen]]:
    """(position, image) of all images in turn."""
    seen, count = Seen(first=first), 0
    for batch in source.batches(seen, batch_size=32, skip_bad=True):
        for image in batch:
            yield first + count, Chosen(image.clone(), seen.name_of(count))
            count += 1
