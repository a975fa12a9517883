"""Standard errors: how far another draw of as many fakes, from the same generator, would move a score.

The reals are held fixed: they are part of what a score means, and two generators scored against them share them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ganeval.errors import InputError

NUM_GROUPS = 20  # of the jackknife: a standard error from g groups is itself uncertain by 1/√(2(g − 1)), 16 %
KEPT_OF_ROUGH = 0.65  # share of groups kept for a score that is not smooth; see `third_left_out`


class Uncertainty(NamedTuple):
    """A standard error and the degrees of freedom it was estimated with, for Student's t."""

    error: float
    degrees: float


def of_mean(values: Tensor) -> Uncertainty:
    """Of the mean of one value per image, [num_images]: their standard deviation over √num_images.

    Also of any score, if the values are the influences of the images on it (Hampel 1974): to first order the score is their mean.

    Raises:
        InputError: fewer than two values.
    """
    if len(values) < 2:
        raise InputError(f"a standard error needs at least 2 images, got {len(values)}; add images, or ask for no error bars")
    x = values.double()
    return Uncertainty((x.std() / math.sqrt(len(x))).item(), len(x) - 1)


def groups(num_images: int, *, seed: int = 2020) -> Tensor:
    """The group of each image, int64 [num_images], by chance: images may come class by class, and each group must be like all.

    At most NUM_GROUPS groups, equal in size but for one image.
    """
    order = torch.randperm(num_images, generator=torch.Generator().manual_seed(seed))
    return order % min(NUM_GROUPS, num_images)


def one_left_out(num_groups: int) -> Tensor:
    """bool [num_groups, num_groups]: in each row, the groups that are kept. For scores that change smoothly with their images."""
    return ~torch.eye(num_groups, dtype=torch.bool)


def third_left_out(num_groups: int, *, seed: int = 2020) -> Tensor:
    """The same with a third of the groups left out by chance, for scores that jump: one group less moves those too unlike a new draw.

    Leaving out a share instead of a few makes the jackknife consistent for them (Shao and Wu 1989).
    """
    kept = max(1, min(num_groups - 1, round(KEPT_OF_ROUGH * num_groups)))
    rng = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(num_groups, generator=rng) < kept for _ in range(NUM_GROUPS)])


def jackknife(scores: Tensor, kept: Tensor) -> Uncertainty:
    """From the scores of the kept groups of fakes, [rows]; `kept` is one of the tables above (Shao and Wu 1989)."""
    x = scores.double()
    share = kept[0].double().mean().item()
    return Uncertainty(math.sqrt(share / (1 - share) * x.var(correction=0).item()), kept.shape[1] - 1)
