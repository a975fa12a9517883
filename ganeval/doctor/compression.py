"""JPEG on one side and not on the other, by what the files say and by what the pixels show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ganeval.doctor.check import SURE, Cure, Found, Sides, changed
from ganeval.doctor.finding import Finding
from ganeval.doctor.pixels import pixels_of
from ganeval.doctor.sample import Picture, Sample
from ganeval.images.about import as_jpeg

BLOCKY = 0.1  # how much more of the fine details vanishes on JPEG's grid than off it, from one side to the other
QUALITIES = (98, 95, 90, 85, 75, 60, 40, 20)
TRIED = 48  # pictures that qualities are tried on
APART = 10  # of quality, from which on two sides count as compressed differently
MOST, FEW = 0.5, 0.1  # shares of files


def jpeg_against_png(sides: Sides) -> Iterator[Found]:
    """A network sees the blocks: pictures that differ in nothing else are apart."""
    for one, other in sides.both():
        files, others = (sample.share([picture for picture in sample.pictures if _is_jpeg(picture)]) for sample in (one, other))
        # Reals of a camera are JPEGs and fakes of a generator are not; the other way around files alone are reason enough.
        if _blockier(one, other) or (one is sides.fake and files > MOST and others < FEW):
            quality = _quality(one) or _quality_by_trial(one, other)
            yield Found(
                Finding(
                    check="jpeg-against-png",
                    severity="doubtful" if one is sides.fake else "notable",
                    where=one.label,
                    sentence="compressed as JPEG of quality about {quality}, unlike the other side ({files:.0%} and {others:.0%} are JPEG "
                    "files; the blocks show in the pixels)",
                    remedy="save fakes as PNG, straight from the generator; where there are lossless originals of the reals, use those",
                    values={"quality": quality, "files": files, "others": others},
                    count=len(one.pictures),
                ),
                _compressed(other, quality),
            )


def jpeg_qualities(sides: Sides) -> Iterator[Found]:
    """Both sides JPEG files, of different qualities."""
    if sides.fake is None:
        return
    qualities = [_quality(sample) for sample in (sides.real, sides.fake)]
    real, fake = qualities
    if real is None or fake is None or abs(real - fake) < APART:
        return
    lower, higher = (sides.real, sides.fake) if real < fake else (sides.fake, sides.real)
    quality = min(real, fake)
    yield Found(
        Finding(
            check="jpeg-qualities",
            severity="doubtful",
            where="both",
            sentence="the reals are JPEGs of quality {real}, the fakes of quality {fake}",
            remedy="save the fakes as PNG, straight from the generator",
            values={"real": real, "fake": fake},
            count=len(lower.pictures),
        ),
        _compressed(higher, quality),
    )


def _compressed(sample: Sample, quality: int) -> Cure:
    return changed(sample, lambda _, image: as_jpeg(image, quality))


def _is_jpeg(picture: Picture) -> bool:
    return picture.about is not None and picture.about.format in ("JPEG", "MPO")


def _quality(sample: Sample) -> int | None:
    """The median of the JPEG files; None where less than half of the files are JPEGs."""
    found = [one.about.quality for one in sample.pictures if one.about is not None and one.about.quality is not None]
    return int(np.median(found)) if 2 * len(found) > len(sample.pictures) else None


def _blockier(one: Sample, other: Sample) -> bool:
    grids, others = _grids(one.pictures), _grids(other.pictures)
    if min(len(grids), len(others)) < 2:
        return False
    error = np.sqrt(grids.var(ddof=1) / len(grids) + others.var(ddof=1) / len(others))
    return bool(grids.mean() - others.mean() > max(BLOCKY, SURE * error))


def _grids(pictures: Sequence[Picture]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = np.array([one.pixels.grid for one in pictures], np.float64)
    return found[np.isfinite(found)]


def _quality_by_trial(blocky: Sample, plain: Sample) -> int:
    """The quality that gives the plain side as much of a grid."""
    wanted = _grids(blocky.pictures).mean()
    images = [one.image for one in plain.kept[:TRIED] if one.image is not None]

    def off(quality: int) -> float:
        found = [pixels_of(as_jpeg(image, quality)).grid for image in images]
        return float(abs(np.nanmean(found) - wanted))

    return min(QUALITIES, key=off)
