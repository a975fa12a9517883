"""Standard errors: how far another draw of as many fakes, from the same generator, would move a score.

The reals are held fixed: they are part of what a score means, and two generators scored against them share them. Of fewer than
NUM_GROUPS images there is none: what so few say of their own scatter is worth nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganeval.report import Score

NUM_GROUPS = 20  # of the jackknife: a standard error from g groups is itself uncertain by 1/√(2(g − 1)), 16 %
KEPT_OF_ROUGH = 0.65  # share of groups kept for a score that is not smooth; see `third_left_out`


def scored_by_influence(value: float, influences: Tensor, *, spread: float | None = None, num_fake: int | None = None) -> Score:
    """`value` with the standard error of a mean of one number per image: their standard deviation over √num_images.

    Any score is such a mean to first order, of the influences of the images on it (Hampel 1974).

    Args:
        influences: float [num_images], the images' or, for a large set, those of a sample of them drawn by chance.
        num_fake: how many images the score is of, where `influences` are of a sample.
    """
    number = len(influences)
    if number < NUM_GROUPS:
        return Score(value, spread)
    x = influences.detach().cpu().double()
    of_groups = torch.zeros(NUM_GROUPS, dtype=x.dtype).index_add_(0, groups(number), x - x.mean()) / number
    of_groups *= math.sqrt(NUM_GROUPS / (NUM_GROUPS - 1))  # for the mean that was subtracted
    rest = math.sqrt(number / (num_fake or number))
    return Score(
        value,
        spread,
        error=(x.std() / math.sqrt(number)).item() * rest,
        degrees=number - 1,
        deviations=tuple((of_groups * rest).tolist()),
    )


def scored_mean(values: Tensor) -> Score:
    """The mean of one number per image, [num_images], with its standard error."""
    return scored_by_influence(values.double().mean().item(), values)


def groups(num_images: int, *, seed: int = 2020) -> Tensor:
    """The group of each image, int64 [num_images], by chance: images may come class by class, and each group must be like all.

    At most NUM_GROUPS groups, equal in size but for one image.
    """
    order = torch.randperm(num_images, generator=torch.Generator().manual_seed(seed))
    return order % min(NUM_GROUPS, num_images)


def one_left_out(num_images: int) -> Tensor:
    """bool [groups, groups]: in each row, the groups that are kept. For scores that change smoothly with their images."""
    return ~torch.eye(min(NUM_GROUPS, num_images), dtype=torch.bool)


def third_left_out(num_images: int, *, seed: int = 2020) -> Tensor:
    """The same with a third of the groups left out by chance, for scores that jump: one group less moves those too unlike a new draw.

    Leaving out a share instead of a few makes the jackknife consistent for them (Shao and Wu 1989).
    """
    number = min(NUM_GROUPS, num_images)
    kept = max(1, min(number - 1, round(KEPT_OF_ROUGH * number)))
    rng = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(number, generator=rng) < kept for _ in range(NUM_GROUPS)])


def scored_by_jackknife(value: float, scores: Tensor, kept: Tensor, *, spread: float | None = None) -> Score:
    """`value` with the standard error from the scores [rows] of the groups kept in each row of `kept`, one of the tables above.

    Source: Shao and Wu 1989, eq. 2.2. Never too small on average, for whatever the score; of what pairs of images add beyond one and one,
    it counts the variance twice (Efron and Stein 1981), so that it is up to √2 too large for a distance from reals that the fakes are
    distributed like.
    """
    if kept.shape[1] < NUM_GROUPS:
        return Score(value, spread)
    x = scores.detach().cpu().double()
    share = kept[0].double().mean().item()
    deviations = math.sqrt(share / (1 - share) / len(x)) * (x - x.mean())
    return Score(value, spread, error=deviations.norm().item(), degrees=_degrees(kept), deviations=tuple(deviations.tolist()))


def _degrees(kept: Tensor) -> float:
    """Degrees of freedom of the variance of means over the groups kept in each row (Satterthwaite 1946): groups − 1 for one left out.

    Fewer for a table drawn by chance, whose rows look at some differences between groups more than at others.
    """
    weights = kept.double() / kept.sum(dim=1, keepdim=True)
    centered = weights - weights.mean(dim=0)
    products = centered @ centered.T
    return (products.trace().square() / products.square().sum()).item()
