"""Pictures with more pixels than detail: enlarged from smaller ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from ganeval.doctor.check import Cure, Found, Sides, changed, listed
from ganeval.doctor.finding import Finding
from ganeval.doctor.pixels import BINS
from ganeval.doctor.resampled import resampled
from ganeval.doctor.sample import Picture, Sample

EMPTY = 1.0  # by how many powers of ten the finest details must be weaker than those of the other side, together
WEAKER = 0.6  # and each
LIKE = 0.5  # within how many the coarse ones must agree
COARSE, FINE = slice(1, 4), slice(12, BINS)


def upscaled(sides: Sides) -> Iterator[Found]:
    """One side without fine detail that the other has."""
    for one, other in sides.both():
        if _repeated(one) or _repeated(other):
            continue
        gap = _spectrum(other) - _spectrum(one)
        if np.isfinite(gap).all() and gap[FINE].mean() > EMPTY and gap[FINE].min() > WEAKER and np.abs(gap[COARSE]).max() < LIKE:
            full = int(np.argmax(gap > WEAKER)) / BINS  # from here on nothing
            yield Found(
                Finding(
                    check="upscaled",
                    severity="doubtful",
                    where=one.label,
                    sentence="nothing in the pictures is finer than about {factor:.1f} pixels, on the other side there is: "
                    "they were enlarged, or strongly blurred",
                    remedy="score them at the size that they were made at, and bring the other side to that size",
                    values={"factor": 1 / max(full, 1 / BINS)},
                    count=len(one.pictures),
                ),
                _blurred_likewise(other, full),
            )


def repeated_pixels(sides: Sides) -> Iterator[Found]:
    """Pictures enlarged by repeating each pixel."""
    for sample, _ in sides.each():
        found = _repeated(sample)
        if found:
            factor = int(np.median([one.pixels.enlarged for one in found]))
            yield Found(
                Finding(
                    check="repeated-pixels",
                    severity="doubtful",
                    where=sample.label,
                    sentence="{count:,} of {looked:,} pictures repeat each pixel {factor}×{factor} times: enlarged without a filter",
                    remedy="score them at the size that they were made at",
                    values={"count": len(found), "looked": len(sample.pictures), "factor": factor},
                    count=len(found),
                    files=listed(found),
                ),
                changed(sample, lambda one, image: resampled(image[:, :: one.pixels.enlarged, :: one.pixels.enlarged], one.size)),
            )


def _repeated(sample: Sample) -> list[Picture]:
    """The pictures that do, where they are not single ones that happen to."""
    found = [one for one in sample.pictures if one.pixels.enlarged > 1]
    return found if sample.share(found) >= 0.05 else []


def _spectrum(sample: Sample) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.median(np.stack([one.pixels.spectrum for one in sample.pictures]), axis=0)  # type: ignore[no-any-return]


def _blurred_likewise(sample: Sample, share: float) -> Cure:
    """By making each picture smaller, by this share of its sides, and large again."""

    def change(one: Picture, image: Tensor) -> Tensor:
        width, height = (max(2, round(length * share)) for length in one.size)
        return resampled(resampled(image, (width, height)), one.size)

    return changed(sample, change)
