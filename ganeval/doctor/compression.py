"""JPEG on one side and not on the other, by what the files say and by what the pixels show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ganeval.doctor.check import SURE, Found, Sides, changed
from ganeval.doctor.finding import Finding
from ganeval.doctor.pixels import pixels_of
from ganeval.doctor.sample import Picture, Sample
from ganeval.images.about import as_jpeg

BLOCKY = 0.03  # more fine details that vanish on JPEG's grid than off it, as a share of them
QUALITIES = (98, 95, 90, 85, 75, 60, 40, 20)
TRIED = 48  # pictures that qualities are tried on
APART = 10  # of quality, from which on two sides count as compressed differently


def jpeg_against_png(sides: Sides) -> Iterator[Found]:
    """A network sees the blocks: pictures that differ in nothing else are apart."""
    for one, other in sides.both():
        if _blocky(one) and not _blocky(other):
            quality = _quality(one) or _quality_by_trial(one, other)
            files = one.share([picture for picture in one.pictures if _is_jpeg(picture)])
            yield Found(
                Finding(
                    check="jpeg-against-png",
                    # Reals are photographs, often JPEGs, and generators learn their blocks; fakes are not to be compressed after that.
                    severity="doubtful",
                    where=one.label,
                    sentence="the pixels show JPEG's 8×8 blocks (quality about {quality}; {files:.0%} are JPEG files), those of the other "
                    "side do not",
                    remedy="save the fakes as PNG, straight from the generator; where the originals of the reals are lossless, use those",
                    values={"quality": quality, "files": files},
                    count=len(one.pictures),
                ),
                changed(other, lambda _, image, quality=quality: as_jpeg(image, quality)),  # type: ignore[misc]
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
        changed(higher, lambda _, image: as_jpeg(image, quality)),
    )


def _is_jpeg(picture: Picture) -> bool:
    return picture.about is not None and picture.about.format in ("JPEG", "MPO")


def _quality(sample: Sample) -> int | None:
    """The median of the JPEG files; None where less than half of the files are JPEGs."""
    found = [one.about.quality for one in sample.pictures if one.about is not None and one.about.quality is not None]
    return int(np.median(found)) if 2 * len(found) > len(sample.pictures) else None


def _blocky(sample: Sample) -> bool:
    found = _grids(sample.pictures)
    if len(found) < 2:
        return False
    mean, error = found.mean(), found.std(ddof=1) / np.sqrt(len(found))
    return bool(mean > BLOCKY and mean > SURE * error)


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
