"""Channels that changed places, and gray against color."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ganeval.doctor.check import Found, Sides, changed, listed, more_often
from ganeval.doctor.finding import Finding
from ganeval.doctor.sample import Sample
from ganeval.metrics.frechet import frechet_distance
from ganeval.stats import FeatureStats

COARSE = 4  # the side of the thumbnails whose colors are compared
BETTER = 0.5  # the distance with red and blue exchanged, as a share of the distance as it is
CHANCE = 3.0  # times that the distance as it is exceeds what chance makes
FEWEST = 20
GRAY = 0.05


def swapped_channels(sides: Sides) -> Iterator[Found]:
    """Blue for red, as OpenCV stores them."""
    real, fake = sides.real, sides.fake
    if fake is None or min(len(real.pictures), len(fake.pictures)) < FEWEST:
        return
    reals, fakes = _colors(real), _colors(fake)
    as_is, exchanged = (_distance(reals, some) for some in (fakes, fakes.flip(1)))
    if exchanged < BETTER * as_is and as_is > CHANCE * max(_distance(some[::2], some[1::2]) for some in (reals, fakes)):
        yield Found(
            Finding(
                check="swapped-channels",
                severity="wrong",
                where="both",
                sentence="the colors of the sides agree better with red and blue exchanged: their distance is {exchanged:.3g} then, "
                "{as_is:.3g} as it is",
                remedy="one side was saved as BGR, OpenCV's order: exchange the channels (cv2.COLOR_BGR2RGB) and save it again",
                values={"exchanged": exchanged, "as_is": as_is},
                count=len(fake.pictures),
            ),
            changed(fake, lambda _, image: image.flip(0)),
        )


def gray_against_color(sides: Sides) -> Iterator[Found]:
    """Gray pictures on one side only."""
    for one, other in sides.both():
        gray, others = ([picture for picture in sample.pictures if picture.pixels.gray] for sample in (one, other))
        if more_often(len(gray), len(one.pictures), len(others), len(other.pictures), least=GRAY):
            share = one.share(gray)
            cure = changed(other, lambda _, image: _gray(image)) if share > 0.95 else None
            yield Found(
                Finding(
                    check="gray-against-color",
                    severity="doubtful",
                    where=one.label,
                    sentence="{share:.0%} of the pictures are gray, of the other side {others:.0%}",
                    remedy="bring both sides to gray, or both to color, before the generator is trained",
                    values={"share": share, "others": other.share(others)},
                    count=len(gray),
                    files=listed(gray),
                ),
                cure,
            )


def _gray(image: Tensor) -> Tensor:
    luma = (image.float() * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=0)
    return luma.round().to(torch.uint8).expand(3, -1, -1)


def _colors(sample: Sample) -> Tensor:
    """float64 [num, 3, COARSE, COARSE]."""
    thumbnails = torch.from_numpy(np.stack([one.pixels.thumbnail for one in sample.pictures]))
    return F.adaptive_avg_pool2d(thumbnails.double(), COARSE)


def _distance(one: Tensor, other: Tensor) -> float:
    return frechet_distance(*(FeatureStats.of(some.flatten(1)) for some in (one, other)))
