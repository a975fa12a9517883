"""Pictures of several shapes, and of another resolution than the other side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from ganeval.doctor.check import Found, Sides, changed, listed, resized
from ganeval.doctor.finding import Finding, Severity
from ganeval.doctor.sample import Picture, Sample

UNLIKE = 0.05  # by which the proportions of pictures may differ
SOME = 0.02  # share of pictures of other proportions that are worth a word
LARGER = 1.1  # times


def mixed_shapes(sides: Sides) -> Iterator[Found]:
    """Pictures of several proportions: each is squeezed to a square in its own way."""
    for sample, other in sides.each():
        odd = _odd(sample)
        share = sample.share(odd)
        if share >= SOME:
            severity: Severity = "doubtful" if other is not None and other.share(_odd(other)) < SOME else "notable"
            yield Found(
                Finding(
                    check="mixed-shapes",
                    severity=severity,
                    where=sample.label,
                    sentence="{count:,} of {looked:,} pictures have other proportions than most: networks squeeze all to a square",
                    remedy="cut them to the same shape, as for the training of the generator",
                    values={"count": len(odd), "looked": len(sample.pictures)},
                    count=len(odd),
                    files=listed(odd),
                ),
                changed(sample, lambda _, image: _middle(image)),
            )


def mixed_sizes(sides: Sides) -> Iterator[Found]:
    """Pictures of several sizes, where the other side has one."""
    for one, other in sides.both():
        sizes = {picture.size for picture in one.pictures}
        if (
            len(sizes) > 1
            and len({picture.size for picture in other.pictures}) == 1
            and not _larger(one, other)
            and not _larger(other, one)
        ):
            (size,) = {picture.size for picture in other.pictures}
            odd = [picture for picture in one.pictures if picture.size != size]
            yield Found(
                Finding(
                    check="mixed-sizes",
                    severity="notable",
                    where=one.label,
                    sentence="pictures of {sizes:,} sizes, those of the other side are all {width}×{height}",
                    remedy="bring them to one size with the filter that the training of the generator uses",
                    values={"sizes": len(sizes), "width": size[0], "height": size[1]},
                    count=len(odd),
                    files=listed(odd),
                ),
                resized(one, size),
            )


def resolutions(sides: Sides) -> Iterator[Found]:
    """One side of larger pictures: they are sharper, or blurred by shrinking, whatever they show."""
    for large, small in sides.both():
        if _larger(large, small):
            sizes = {sample.label: _size(sample) for sample in (large, small)}
            yield Found(
                Finding(
                    check="resolutions",
                    severity="doubtful",
                    where="both",
                    sentence="the reals are {real_width}×{real_height} pixels and the fakes {fake_width}×{fake_height}",
                    remedy="bring the reals to the size of the fakes with the filter that the training of the generator uses",
                    values={
                        f"{label}_{side}": length
                        for label, size in sizes.items()
                        for side, length in zip(("width", "height"), size, strict=True)
                    },
                    count=len(large.pictures),
                ),
                resized(large, _size(small)),
            )


def _size(sample: Sample) -> tuple[int, int]:
    """The median width and height."""
    width, height = np.median([one.size for one in sample.pictures], axis=0)
    return round(width), round(height)


def _larger(one: Sample, other: Sample) -> bool:
    areas = [float(np.sqrt(np.prod(_size(sample)))) for sample in (one, other)]
    return areas[0] >= LARGER * areas[1]


def _odd(sample: Sample) -> list[Picture]:
    """Pictures of other proportions than the median's."""
    logs = np.log([one.size[0] / one.size[1] for one in sample.pictures])
    middle = np.median(logs)
    return [one for one, log in zip(sample.pictures, logs, strict=True) if abs(log - middle) > UNLIKE]


def _middle(image: Tensor) -> Tensor:
    side = min(image.shape[1:])
    top, left = ((length - side) // 2 for length in image.shape[1:])
    return image[:, top : top + side, left : left + side].contiguous()
