"""Channels that changed places, and gray against color."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ganeval.doctor.check import SURE, Found, Sides, changed, listed, more_often
from ganeval.doctor.finding import Finding
from ganeval.doctor.pixels import THUMB, Array
from ganeval.doctor.sample import Sample

BETTER = 0.5  # how far apart the sides are with red and blue exchanged, as a share of how far they are as it is
FEWEST = 20
GRAY = 0.05


def swapped_channels(sides: Sides) -> Iterator[Found]:
    """Blue for red, as OpenCV stores them: what is redder than blue on one side is as much bluer than red on the other."""
    real, fake = sides.real, sides.fake
    if fake is None or min(len(real.pictures), len(fake.pictures)) < FEWEST:
        return
    warmth = _warmth(real), _warmth(fake)
    scale = np.concatenate(warmth).std(axis=0) + 1e-6
    reals, fakes = (some / scale for some in warmth)
    means = reals.mean(axis=0), fakes.mean(axis=0)
    as_is, exchanged = float(np.linalg.norm(means[0] - means[1])), float(np.linalg.norm(means[0] + means[1]))
    clear = _errors(reals, along=means[0]) > SURE and _errors(fakes, along=means[0]) < -SURE
    if clear and exchanged < BETTER * as_is:
        yield Found(
            Finding(
                check="swapped-channels",
                severity="wrong",
                where="both",
                sentence="red less blue is {real:+.1f} gray levels in the reals, {fake:+.1f} in the fakes: the two are exchanged",
                remedy="one side was saved as BGR, OpenCV's order: exchange the channels (cv2.COLOR_BGR2RGB) and save it again",
                values={side: float(some[:, :4].mean()) for side, some in zip(("real", "fake"), warmth, strict=True)},
                count=len(fake.pictures),
            ),
            changed(fake, lambda _, image: image.flip(0)),
        )


def _warmth(sample: Sample) -> Array:
    """Red less blue in each quarter, and times its brightness: float64 [num, 8], all of the other sign with red and blue exchanged."""
    half = THUMB // 2
    thumbnails = np.stack([one.pixels.thumbnail for one in sample.pictures]).astype(np.float64)
    quarters = thumbnails.reshape(-1, 3, 2, half, 2, half).mean(axis=(3, 5)).reshape(-1, 3, 4)
    warmth = quarters[:, 0] - quarters[:, 2]
    return np.concatenate([warmth, warmth * (quarters.mean(axis=1) - 127.5)], axis=1)


def _errors(found: Array, *, along: Array) -> float:
    """How many standard errors the mean is from 0, in one direction."""
    values = found @ along
    return float(values.mean() / max(values.std(ddof=1) / np.sqrt(len(values)), 1e-9))


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
