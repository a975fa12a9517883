"""How many pictures there are, and how many of them are none."""

from __future__ import annotations

from collections.abc import Iterator

from ganeval.doctor.check import LISTED, Found, Sides
from ganeval.doctor.finding import Finding


def few_images(sides: Sides) -> Iterator[Found]:
    """A covariance of as many images as features, or fewer, is singular."""
    for sample, _ in sides.each():
        if sample.num_images <= sides.dim:
            yield Found(
                Finding(
                    check="few-images",
                    severity="doubtful",
                    where=sample.label,
                    sentence="{count:,} images for the {dim:,} features of {network}: the distance comes out too large",
                    remedy="add images, 10,000 or more, or compare only scores of equal counts; KID needs fewer",
                    values={"count": sample.num_images, "dim": sides.dim, "network": sides.network},
                    count=sample.num_images,
                )
            )


def unreadable(sides: Sides) -> Iterator[Found]:
    """What cannot be decoded is refused by every score."""
    for sample, _ in sides.each():
        if sample.bad:
            yield Found(
                Finding(
                    check="unreadable",
                    severity="wrong",
                    where=sample.label,
                    sentence="{count:,} of {looked:,} pictures cannot be read: there is no score with them",
                    remedy="repair or remove them, or leave them out with --skip-bad",
                    values={"count": len(sample.bad), "looked": len(sample.bad) + len(sample.pictures)},
                    count=len(sample.bad),
                    files=tuple(sample.bad[:LISTED]),
                )
            )
