"""Nearest neighbors across two sets: which reals nothing covers, which fakes are suspiciously near to one real."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import blocks, centered, squared_distances


class Neighbors(NamedTuple):
    """Of two sets, `real` and `fake`."""

    gap: Tensor  # float64 [num_real]: distance to the nearest fake over that to the k-th nearest real; above 1 nothing covers it
    nearest_real: Tensor  # int64 [num_fake]: position of the nearest real
    closeness: Tensor  # float64 [num_fake]: distance to it over its own to its nearest real; far below 1 is a copy (Alaa et al. 2022)
    nearest_own: Tensor  # int64 [num_real, k]: positions of the k nearest reals
    nearest_fake: Tensor  # int64 [num_real]: position of the nearest fake


def neighbors(real: Tensor, fake: Tensor, *, k: int = 5) -> Neighbors:
    """All of it from two distance matrices, in blocks of rows.

    Args:
        real, fake: float features [num_real, dim] and [num_fake, dim] on one device.

    Raises:
        InputError: no more than k reals, no fakes, or features that are not finite.
    """
    if len(real) <= k or len(fake) < 1:
        raise InputError(f"neighborhoods that reach to neighbor {k} need more than {k} reals and a fake, got {len(real)} and {len(fake)}")
    x, y = centered(real, fake)
    own = torch.empty(len(x), k, dtype=x.dtype, device=x.device)
    nearest_own = torch.empty(len(x), k, dtype=torch.int64, device=x.device)
    to_fake = torch.empty(len(x), dtype=x.dtype, device=x.device)
    nearest_fake = torch.empty(len(x), dtype=torch.int64, device=x.device)
    nearest = torch.full((len(y),), torch.inf, dtype=x.dtype, device=x.device)
    which = torch.zeros(len(y), dtype=torch.int64, device=x.device)
    for rows, block in blocks(x, max(len(x), len(y))):
        among_reals, across = squared_distances(block, x), squared_distances(block, y)
        among_reals[:, rows].fill_diagonal_(torch.inf)
        own[rows], nearest_own[rows] = among_reals.topk(k, largest=False)
        to_fake[rows], nearest_fake[rows] = across.min(dim=1)
        values, positions = across.min(dim=0)
        closer = values < nearest
        nearest[closer], which[closer] = values[closer], positions[closer] + rows.start
    # Where copies leave no distance to divide by, a fake or real at no distance counts as 0, any other as ∞.
    gap, closeness = (_ratio(a, b).sqrt() for a, b in ((to_fake, own[:, -1]), (nearest, own[which, 0])))
    return Neighbors(gap=gap, nearest_real=which, closeness=closeness, nearest_own=nearest_own, nearest_fake=nearest_fake)


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    return torch.where(a == 0, torch.zeros_like(a), a / b)
