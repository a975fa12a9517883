"""Pictures that are there twice: within a side, on both sides, and nearly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ganeval.doctor.check import LISTED, Found, Sides, by_share, listed, without
from ganeval.doctor.finding import Finding, Severity, Where
from ganeval.doctor.sample import Picture, Sample

BLANK = 2.0  # levels: pictures that vary less are alike without being copies
ALIKE = 0.985  # correlation of thumbnails
BY_CHANCE = 0.01  # pictures in a whole set that may be this near to another by chance: sets of look-alikes have no near-duplicates
CROWD, AROUND = 10, 40  # neighbors: up to the first may be copies, from there to the second they say how crowded the set is
FAR = 2.0  # 1 − correlation of opposites
ROWS = 1024  # pictures held against all others at once
LEAK = 0.002  # share of fakes equal to reals: no generator hits every pixel


def duplicates(sides: Sides) -> Iterator[Found]:
    """Equal pictures within a side."""
    for sample, _ in sides.each():
        by_pixels = _surplus(_by_pixels(sample))
        by_content = _surplus(sample.copies)
        seen = {one.position: one for one in sample.pictures}
        blank = {position for position, one in seen.items() if one.pixels.spread < BLANK}
        surplus = sorted({position for position in [*by_pixels, *by_content] if position not in blank})
        if not surplus:
            continue
        share = len(surplus) / sample.num_images
        in_sample = [seen[position] for position in surplus if position in seen]
        yield Found(
            Finding(
                check="duplicates",
                severity=by_share(max(share, len(by_pixels) / len(sample.pictures))),
                where=sample.label,
                sentence="{count:,} of {total:,} pictures equal an earlier one",
                remedy="remove the copies, or draw the set again with another seed for every picture",
                values={"count": len(surplus), "total": sample.num_images},
                count=len(surplus),
                files=tuple(sample.name_of(position) for position in surplus[:LISTED]),
            ),
            without(sample, in_sample) if in_sample else None,
        )


def leaks(sides: Sides) -> Iterator[Found]:
    """Fakes that are reals."""
    real, fake = sides.real, sides.fake
    if fake is None:
        return
    blank = {one.position for one in fake.pictures if one.pixels.spread < BLANK}
    pixels = _by_pixels(real)
    leaked = {position for digest, positions in _by_pixels(fake).items() if digest in pixels for position in positions}
    leaked |= {position for content, positions in fake.copies.items() if content in real.copies for position in positions}
    leaked -= blank
    if not leaked:
        return
    seen = {one.position: one for one in fake.pictures}
    in_sample = [seen[position] for position in sorted(leaked) if position in seen]
    share = max(len(leaked) / fake.num_images, fake.share(in_sample))
    severity: Severity = "wrong" if share > 0.5 else "doubtful" if share >= LEAK else "notable"
    yield Found(
        Finding(
            check="leaks",
            severity=severity,
            where="both",
            sentence="{count:,} of {total:,} fakes equal a real, pixel by pixel",
            remedy="remove them from the fakes; look whether reals were copied into the folder of the fakes",
            values={"count": len(leaked), "total": fake.num_images},
            count=len(leaked),
            files=tuple(fake.name_of(position) for position in sorted(leaked)[:LISTED]),
        ),
        without(fake, in_sample) if in_sample and len(in_sample) < len(fake.pictures) else None,
    )


def near_duplicates(sides: Sides) -> Iterator[Found]:
    """Pictures that another one is a rescaled, recompressed, recolored or mirrored copy of."""
    for sample, _ in sides.each():
        near = _near(sample.pictures, None)
        if near:
            yield _near_finding(
                "near-duplicates",
                sample,
                near,
                where=sample.label,
                sentence="{count:,} of {looked:,} pictures are nearly equal to another",
                remedy="remove all but one of each, unless the set is meant to hold them (frames of one video, crops of one picture)",
            )
    if sides.fake is not None:
        near = _near(sides.fake.pictures, sides.real.pictures)
        if near:
            yield _near_finding(
                "near-leaks",
                sides.fake,
                near,
                where="both",
                sentence="{count:,} of {looked:,} fakes are nearly equal to a real",
                remedy="look at them: fakes must not be edited reals; a generator that made them remembers what it was trained on",
            )


def _near_finding(check: str, sample: Sample, near: Sequence[Picture], *, where: Where, sentence: str, remedy: str) -> Found:
    return Found(
        Finding(
            check=check,
            severity=by_share(sample.share(near)),
            where=where,
            sentence=sentence,
            remedy=remedy,
            values={"count": len(near), "looked": len(sample.pictures)},
            count=len(near),
            files=listed(near),
        ),
        without(sample, near),
    )


def _by_pixels(sample: Sample) -> Mapping[bytes, Sequence[int]]:
    found: dict[bytes, list[int]] = defaultdict(list)
    for one in sample.pictures:
        found[one.digest].append(one.position)
    return found


def _surplus(alike: Mapping[bytes, Sequence[int]] | Mapping[str, Sequence[int]]) -> list[int]:
    return [position for positions in alike.values() for position in positions[1:]]


def _near(own: Sequence[Picture], others: Sequence[Picture] | None) -> list[Picture]:
    """The pictures of which another, of `others` or an earlier one of their own, is a near-duplicate but no duplicate; nearest first."""
    own = [one for one in own if one.pixels.spread >= BLANK]
    among = own if others is None else [one for one in others if one.pixels.spread >= BLANK]
    around = min(AROUND, len(among) - 1)
    if len(own) < 2 or around < 2 * CROWD:
        return []
    mine, mirrored, theirs = _directions(own), _directions(own, mirrored=True), _directions(among)
    digests, of_theirs = (np.array([one.digest for one in some], dtype="S32") for some in (own, among))
    nearest, crowd, dims = (torch.empty(len(own)) for _ in range(3))
    for rows in torch.arange(len(own)).split(ROWS):
        gaps = 1 - torch.maximum(mine[rows] @ theirs.T, mirrored[rows] @ theirs.T)
        gaps[torch.from_numpy(digests[rows.numpy(), None] == of_theirs[None, :])] = FAR  # itself, and exact copies: told elsewhere
        distances = gaps.clamp(min=0).topk(around, largest=False).values.sqrt()  # 1 − correlation is half a squared distance
        crowd[rows], dims[rows] = distances[:, CROWD - 1], _dimension(distances)
        if others is None:
            gaps = gaps.masked_fill(torch.arange(len(own))[None, :] >= rows[:, None], FAR)
        nearest[rows] = gaps.min(dim=1).values.clamp(min=0)
    # Of the pictures within a radius, each is within a share x of it with probability x^dimension.
    by_chance = len(own) * (CROWD - 1) * (nearest.sqrt() / crowd) ** dims.clamp(max=dims.median())
    near = (by_chance <= BY_CHANCE) & (nearest <= 1 - ALIKE)
    return [own[i] for i in nearest.argsort(stable=True).tolist() if near[i]]


def _dimension(distances: Tensor) -> Tensor:
    """How many dimensions the set has around each picture (Levina and Bickel 2004, eq. 8), whatever the nearest neighbors are: [num].

    Logarithms of distances, as shares of the last, are exponentially distributed; those of neighbors before CROWD, which may be copies,
    count as no smaller than that of CROWD.

    Args:
        distances: [num, neighbors], ascending.
    """
    logs = (distances[:, -1:] / distances[:, CROWD - 1 : -1]).log()
    return logs.shape[1] / (logs.sum(dim=1) + (CROWD - 1) * logs[:, 0])


def _directions(pictures: Sequence[Picture], *, mirrored: bool = False) -> Tensor:
    """Thumbnails without brightness and contrast: float32 [num, values], of length 1."""
    thumbnails: Tensor = torch.from_numpy(np.stack([one.pixels.thumbnail for one in pictures]))
    flat: Tensor = (thumbnails.flip(3) if mirrored else thumbnails).flatten(1)
    flat = flat - flat.mean(dim=1, keepdim=True)
    return nn.functional.normalize(flat, dim=1)
