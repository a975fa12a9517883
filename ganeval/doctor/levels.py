"""Gray levels that went wrong on their way to a file: another range than 0 to 255, cut off, wrapped around, or one level only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganeval.doctor.check import SURE, Found, Sides, by_share, changed, listed, more_often, without
from ganeval.doctor.finding import Finding
from ganeval.doctor.sample import Picture

SLACK = 2  # levels by which a range may be left, by rounding
OUTSIDE = 0.05  # share of the values of the other side that must lie outside a range for it to be odd
ALL = 0.99  # share of pictures that reach both ends, where each was stretched
FULLER = 0.1  # by which that share exceeds that of the reals
TOUCHING = 0.05  # share of values at both ends: a stretched picture touches them, a drawing or a digit rests there
AT_ZERO = 0.2  # share of values at level 0 from which on they look cut off: half of all would be, of [-1, 1] without an offset
WRAPPED = 0.001  # share of neighbors, one nearly black and the other nearly white
OFTEN = 2.5  # times the other side's share
BLANK = 1.0  # levels that the values of a blank picture vary by


def _scaled(factor: float, offset: float) -> Callable[[Tensor], Tensor]:
    return lambda image: ((image.float() - offset) * factor).round().clamp(0, 255).to(torch.uint8)


class Range(NamedTuple):
    low: int
    high: int
    how: str
    undone: Callable[[Tensor], Tensor]


RANGES = (
    Range(0, 1, "floats in [0, 1] stored as whole numbers", _scaled(255, 0)),
    Range(0, 128, "levels halved, as of [0, 1] taken for [-1, 1] on the way in", _scaled(2, 0)),
    Range(127, 255, "[0, 1] taken for [-1, 1]", _scaled(2, 127.5)),
    Range(64, 192, "[-1, 1] halved", _scaled(2, 64)),
)


def half_range(sides: Sides) -> Iterator[Found]:
    """All levels of one side in a part of the range that the other side fills."""
    for one, other in sides.both():
        for low, high, how, undone in RANGES:
            inside = [_share(picture, low - SLACK, high + SLACK) for picture in one.pictures]
            others = np.mean([_share(picture, low - SLACK, high + SLACK) for picture in other.pictures])
            if min(inside) == 1 and 1 - others >= OUTSIDE:
                yield Found(
                    Finding(
                        check="half-range",
                        severity="wrong",
                        where=one.label,
                        sentence="all gray levels lie between {low} and {high}: {how}",
                        remedy="save them again: floats in [-1, 1] become gray levels by ganeval.to_uint8()",
                        values={"low": low, "high": high, "how": how},
                        count=len(one.pictures),
                    ),
                    changed(one, lambda _, image, undone=undone: undone(image)),  # type: ignore[misc]
                )
                break


def stretched(sides: Sides) -> Iterator[Found]:
    """Each fake stretched to the full range, as `save_image(normalize=True)` does: it touches both ends and leaves levels out."""
    real, fake = sides.real, sides.fake
    if fake is None:
        return
    full, others = (sum(_is_full(picture) for picture in sample.pictures) for sample in (fake, real))
    touching = np.median([picture.pixels.levels[[0, 255]].sum() / picture.pixels.levels.sum() for picture in fake.pictures])
    gaps, usual = (np.array([_left_out(picture) for picture in sample.pictures]) for sample in (fake, real))
    error = np.sqrt(gaps.var() / len(gaps) + usual.var() / len(usual))
    rare = more_often(full, len(fake.pictures), others, len(real.pictures), least=FULLER)
    if full >= ALL * len(fake.pictures) and touching <= TOUCHING and rare and gaps.mean() - usual.mean() > SURE * error:
        yield Found(
            Finding(
                check="stretched",
                severity="doubtful",
                where="fake",
                sentence="{share:.0%} of the pictures just reach level 0 and 255, of the reals {others:.0%}: each was stretched by its own "
                "minimum and maximum",
                remedy="save them again with one fixed range: ganeval.to_uint8() instead of normalize=True",
                values={"share": full / len(fake.pictures), "others": others / len(real.pictures)},
                count=full,
            ),
            changed(real, lambda _, image: _stretched(image)),
        )


def clipped(sides: Sides) -> Iterator[Found]:
    """Floats in [-1, 1] saved as if they were in [0, 1]: all below 0 is black."""
    for one, other in sides.both():
        at_zero, others = (np.array([_share(picture, 0, 0) for picture in sample.pictures]) for sample in (one, other))
        error = np.sqrt(at_zero.var() / len(at_zero) + others.var() / len(others))
        if at_zero.mean() >= AT_ZERO and others.mean() <= at_zero.mean() / 4 and at_zero.mean() - others.mean() > SURE * error:
            yield Found(
                Finding(
                    check="clipped",
                    severity="wrong",
                    where=one.label,
                    sentence="{share:.0%} of all values are level 0, of the other side {others:.0%}: floats below 0 were cut off",
                    remedy="save them again: floats in [-1, 1] become gray levels by ganeval.to_uint8()",
                    values={"share": float(at_zero.mean()), "others": float(others.mean())},
                    count=len(one.pictures),
                ),
                changed(other, lambda _, image: _scaled(2, 127.5)(image)),
            )


def wrapped(sides: Sides) -> Iterator[Found]:
    """Values beyond 255 start again at 0: black specks in highlights."""
    for one, other in sides.both():
        wraps, others = (np.array([picture.pixels.wraps for picture in sample.pictures]) for sample in (one, other))
        error = np.sqrt(wraps.var() / len(wraps) + others.var() / len(others))
        if wraps.mean() >= WRAPPED and wraps.mean() > OFTEN * others.mean() and wraps.mean() - others.mean() > SURE * error:
            odd = sorted((picture for picture in one.pictures if picture.pixels.wraps > WRAPPED), key=lambda picture: -picture.pixels.wraps)
            yield Found(
                Finding(
                    check="wrapped",
                    severity="doubtful",
                    where=one.label,
                    sentence="{count:,} of {looked:,} pictures have nearly black and nearly white side by side, {times:.0f} times "
                    "as often as the other side: values beyond 0 to 255 wrapped around",
                    remedy="clamp before the cast to uint8, or save them by ganeval.to_uint8()",
                    values={"count": len(odd), "looked": len(one.pictures), "times": float(wraps.mean() / max(others.mean(), 1e-6))},
                    count=len(odd),
                    files=listed(odd),
                ),
                without(one, odd),
            )


def blank(sides: Sides) -> Iterator[Found]:
    """Pictures of one color."""
    for sample, _ in sides.each():
        found = [picture for picture in sample.pictures if picture.pixels.spread < BLANK]
        if found:
            yield Found(
                Finding(
                    check="blank",
                    severity=by_share(sample.share(found)),
                    where=sample.label,
                    sentence="{count:,} of {looked:,} pictures are blank",
                    remedy="find out whether the generator or the saving failed; draw them again",
                    values={"count": len(found), "looked": len(sample.pictures)},
                    count=len(found),
                    files=listed(found),
                ),
                without(sample, found),
            )


def _share(picture: Picture, low: int, high: int) -> float:
    levels = picture.pixels.levels
    return float(levels[max(low, 0) : high + 1].sum() / levels.sum())


def _is_full(picture: Picture) -> bool:
    return bool(picture.pixels.levels[0] and picture.pixels.levels[255])


def _left_out(picture: Picture) -> float:
    """Share of the levels between the lowest and the highest that no value has."""
    used = np.flatnonzero(picture.pixels.levels)
    return float(1 - len(used) / (used[-1] - used[0] + 1))


def _stretched(image: Tensor) -> Tensor:
    low, high = image.min().item(), image.max().item()
    return _scaled(255 / (high - low), low)(image) if high > low else image
