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


def pairs_left_out(num_images: int) -> Tensor:
    """bool [groups, groups]: the same, less each group and the next. No rows with fewer images than NUM_GROUPS."""
    one = one_left_out(num_images)
    return (one & one.roll(1, dims=1))[: NUM_GROUPS if len(one) == NUM_GROUPS else 0]


def third_left_out(num_images: int, *, seed: int = 2020) -> Tensor:
    """The same with a third of the groups left out by chance, for scores that jump: one group less moves those too unlike a new draw.

    Leaving out a share instead of a few makes the jackknife consistent for them (Shao and Wu 1989).
    """
    number = min(NUM_GROUPS, num_images)
    kept = max(1, min(number - 1, round(KEPT_OF_ROUGH * number)))
    rng = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(number, generator=rng) < kept for _ in range(NUM_GROUPS)])


def scored_by_jackknife(
    value: float, scores: Tensor, kept: Tensor, *, of_pairs: Tensor | None = None, spread: float | None = None
) -> Score:
    """`value` with the standard error from the scores [rows] of the groups kept in each row of `kept`, one of the tables above.

    Source: Shao and Wu 1989, eq. 2.2. It is never too small on average, but what pairs of images add beyond one and one it counts twice
    (Efron and Stein 1981, sec. 4): up to √2 too large for a distance of few images, or from reals that the fakes are distributed like.

    Args:
        of_pairs: with `one_left_out`, the scores of the rows of `pairs_left_out`: what pairs add is then counted once.
    """
    if kept.shape[1] < NUM_GROUPS:
        return Score(value, spread)
    x = scores.detach().cpu().double()
    share = kept[0].double().mean().item()
    deviations = math.sqrt(share / (1 - share) / len(x)) * (x - x.mean())
    if of_pairs is not None and len(of_pairs) > 0 and x.std() > 0:
        number = len(x)
        ones = x + x.roll(-1)
        together = number * value - (number - 1) * ones + (number - 2) * of_pairs.detach().cpu().double()
        twice = (together.square().mean() / deviations.square().sum()).item()
        # All of it pairs is as far as this goes: half of the variance.
        deviations = deviations * math.sqrt(1 - min(twice, 1.0) / 2)
    return Score(value, spread, error=deviations.norm().item(), degrees=_degrees(kept), deviations=tuple(deviations.tolist()))


def _degrees(kept: Tensor) -> float:
    """Degrees of freedom of the variance of means over the groups kept in each row (Satterthwaite 1946): groups − 1 for one left out.

    Fewer for a table drawn by chance, whose rows look at some differences between groups more than at others.
    """
    weights = kept.double() / kept.sum(dim=1, keepdim=True)
    centered = weights - weights.mean(dim=0)
    products = centered @ centered.T
    return (products.trace().square() / products.square().sum()).item()
