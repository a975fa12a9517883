"""Shards: a set worked through by jobs that know nothing of each other, each leaving stats of its part, which add up to the whole."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ganeval.errors import InputError
from ganeval.images import ImageSource
from ganeval.images.cut import bounds, divisible, listing_sha256

FEWEST = 2  # images that a covariance is of


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` of `count`, from 1 as the tasks of a job array are commonly numbered."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def shard_named(text: str) -> Shard:
    """ "1/4".

    Raises:
        InputError: no such text, or an index that is not from 1 to the count.
    """
    if not re.fullmatch(r"\d+/\d+", text):
        raise InputError(f"{text!r} is no shard; write 1/4 for the first of four")
    shard = Shard(*map(int, text.split("/")))
    if not 1 <= shard.index <= shard.count:
        raise InputError(
            f"there is no shard {shard}: they are numbered 1/{max(1, shard.count)} to {max(1, shard.count)}/{max(1, shard.count)}"
        )
    return shard


def shard_of(source: ImageSource, shard: Shard, *, batch_size: int) -> tuple[ImageSource, dict[str, Any]]:
    """That part of a source, and what its stats must say about it to be merged.

    Raises:
        InputError: a source that cannot be cut, or too few images for as many shards; each job of the array says so.
    """
    whole = divisible(source)
    num_images = whole.num_images or 0
    parts = [bounds(num_images, index, shard.count, batch_size=batch_size) for index in range(shard.count)]
    if min(map(len, parts)) < FEWEST:
        raise InputError(
            f"{num_images:,} images in batches of {batch_size} make no {shard.count} shards of at least {FEWEST}; "
            "use fewer shards or a smaller --batch-size"
        )
    own = parts[shard.index - 1]
    about = {
        "index": shard.index,
        "count": shard.count,
        "start": own.start,
        "stop": own.stop,
        "num_images": num_images,
        "listing_sha256": listing_sha256(whole),
    }
    return whole.part(own.start, own.stop), about


def in_words(about: Mapping[str, Any]) -> str:
    """Of what `shard_of` says."""
    return (
        f"shard {about['index']}/{about['count']} of a set, images {about['start'] + 1:,} to {about['stop']:,} of {about['num_images']:,}"
    )


def check_complete(shards: Sequence[tuple[str, Mapping[str, Any] | None]]) -> None:
    """Refuse parts that are not all of one set: stats of some of the data would pass for stats of all.

    Args:
        shards: (file, what `shard_of` says; None where it is of a whole set).

    Raises:
        InputError: shards of different sets or of another cut, one that is there twice, or one that is missing.
    """
    (where, first), *others = shards
    for other_where, other in others:
        if first is None or other is None:
            if first is not other:
                part, whole = (other_where, where) if first is None else (where, other_where)
                raise InputError(f"{part} is a shard and {whole} is of a whole set; merge all shards first, by themselves")
            continue
        for what in ("listing_sha256", "num_images", "count"):
            if other[what] != first[what]:
                raise InputError(
                    f"{where} is {in_words(first)}, {other_where} is {in_words(other)}, and their names or numbers differ; "
                    "merge the shards of one set, cut into as many"
                )
    if first is None:
        return
    by_index: dict[int, str] = {}
    found = [(where, about) for where, about in shards if about is not None]
    for where, about in found:
        if about["index"] in by_index:
            raise InputError(f"{by_index[about['index']]} and {where} are both shard {about['index']}/{about['count']}; leave one out")
        by_index[about["index"]] = where
    if missing := [str(index) for index in range(1, first["count"] + 1) if index not in by_index]:
        some = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        raise InputError(
            f"of {first['count']} shards {some} {'is' if len(missing) == 1 else 'are'} missing; "
            "stats of a part of the images would pass for stats of all: compute the rest and merge again"
        )
    ordered = sorted((about for _, about in found), key=lambda about: int(about["index"]))
    if any(one["stop"] != other["start"] for one, other in pairwise(ordered)):
        raise InputError(f"the shards of {first['num_images']:,} images do not meet; compute all with one --batch-size")
