"""CMMD (Jayasumana et al. 2024, "Rethinking FID: Towards a Better Evaluation Metric for Image Generation", sec. 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import blocks, checked, directions
from ganeval.metrics.uncertainty import scored_by_influence
from ganeval.report import Score

SIGMA = 10.0  # of the Gaussian kernel, sec. 4
SCALE = 1000.0  # the authors' factor, ibid.


def cmmd(real: Tensor, fake: Tensor, *, sigma: float = SIGMA) -> Score:
    """1000 times the squared maximum mean discrepancy of features of length 1 under exp(−‖x − y‖² / 2σ²).

    The biased estimate, diagonals included, as the authors compute it: 0 for equal sets, never negative. With features of length 1 the
    kernel is close to linear at σ = 10, so that the score is little more than a distance of means.

    Args:
        real, fake: float features [num_real, dim] and [num_fake, dim]; they are brought to length 1 here.

    Raises:
        InputError: fewer than two fakes, no reals, a vector of zeros, or features that are not finite.
    """
    if len(real) < 1 or len(fake) < 2:
        raise InputError(f"CMMD needs a real and at least 2 fakes, got {len(real)} and {len(fake)}; add images")
    x, y = (directions(side) for side in checked(real, fake))
    among_fakes, across = _row_means(y, y, sigma), _row_means(y, x, sigma)
    value = SCALE * (_row_means(x, x, sigma).mean() + among_fakes.mean() - 2 * across.mean())
    # The influence of each fake, but for a constant.
    return scored_by_influence(max(value.item(), 0.0), 2 * SCALE * (among_fakes - across))


def _row_means(x: Tensor, y: Tensor, sigma: float) -> Tensor:
    """Mean of the kernel between each of `x` and all of `y`, [len(x)]."""
    # Both are of length 1, so ‖x − y‖² = 2 − 2 xᵀy.
    return torch.cat([((rows @ y.T - 1) / sigma**2).exp().mean(dim=1) for _, rows in blocks(x, len(y))])
