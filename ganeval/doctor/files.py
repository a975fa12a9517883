"""What files say beside their pixels: transparency, rotation, and by names and cameras which side is which."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

from ganeval.doctor.check import Cure, Found, Sides, by_share, changed, listed
from ganeval.doctor.finding import Finding
from ganeval.doctor.sample import Picture, Sample
from ganeval.images.about import over_white, upright

# As StyleGAN, pix2pix and CycleGAN, and samplers name what they make.
GENERATED = re.compile(r"(^|[/_\-])(seed_?\d+|fakes?(_?[AB])?|generated|samples?)([/_\-.\d]|$)", re.IGNORECASE)
MOST = 0.9
FEW = 0.1


def alpha(sides: Sides) -> Iterator[Found]:
    """Pixels that a viewer shows as background and a network as the color hidden below."""
    for sample, _ in sides.each():
        found = [one for one in sample.pictures if one.about is not None and one.about.transparent]
        if found:
            yield Found(
                Finding(
                    check="alpha",
                    severity=by_share(sample.share(found)),
                    where=sample.label,
                    sentence="{count:,} of {looked:,} pictures have transparent pixels: the color stored below them is scored",
                    remedy="lay them on one background, the same for both sides, and save them without alpha",
                    values={"count": len(found), "looked": len(sample.pictures)},
                    count=len(found),
                    files=listed(found),
                ),
                _read_again(sample, found, over_white),
            )


def exif_rotation(sides: Sides) -> Iterator[Found]:
    """Pictures that a viewer turns and a network does not."""
    for sample, _ in sides.each():
        found = [one for one in sample.pictures if one.about is not None and one.about.rotated]
        if found:
            yield Found(
                Finding(
                    check="exif-rotation",
                    severity=by_share(sample.share(found)),
                    where=sample.label,
                    sentence="{count:,} of {looked:,} pictures are to be turned, says their EXIF: they are scored lying or mirrored",
                    remedy="turn the pixels and save them again (PIL.ImageOps.exif_transpose)",
                    values={"count": len(found), "looked": len(sample.pictures)},
                    count=len(found),
                    files=listed(found),
                ),
                _read_again(sample, found, upright),
            )


def swapped_sides(sides: Sides) -> Iterator[Found]:
    """Fakes given as reals: the Fréchet distance is the same, but precision is recall then, and the Inception Score is of the reals."""
    real, fake = sides.real, sides.fake
    if fake is None:
        return
    evidence = []
    generated = [_generated(sample) for sample in (real, fake)]
    if generated[0] >= MOST and generated[1] <= FEW:
        evidence.append("the reals are named as generators name their pictures")
    cameras = [sample.share([one for one in sample.pictures if one.about is not None and one.about.camera]) for sample in (real, fake)]
    if cameras[1] >= FEW and cameras[0] == 0:
        evidence.append("the fakes name the cameras that they were taken with, the reals do not")
    if evidence:
        yield Found(
            Finding(
                check="swapped-sides",
                severity="doubtful",
                where="both",
                sentence="real and fake may be exchanged: {evidence}",
                remedy="name the reals first; precision, recall and the Inception Score are of other things otherwise",
                values={"evidence": "; ".join(evidence)},
            )
        )


def _generated(sample: Sample) -> float:
    """Share of pictures that are named as generators name theirs."""
    return sum(bool(GENERATED.search(name)) for name in sample.names) / len(sample.names) if sample.names else 0.0


def _read_again(sample: Sample, found: Sequence[Picture], read: Callable[[bytes], Tensor]) -> Cure:
    positions = {one.position for one in found}

    def change(one: Picture, image: Tensor) -> Tensor:
        return read(one.entry.read()) if one.entry is not None and one.position in positions else image

    return changed(sample, change)
