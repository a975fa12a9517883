"""CMMD (Jayasumana et al. 2024, "Rethinking FID: Towards a Better Evaluation Metric for Image Generation", sec. 4)."""

from __future__ import annotations

from dataclasses import replace

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
    (among_fakes, of_fakes), (across, of_both) = _row_means(y, y, sigma), _row_means(y, x, sigma)
    value = SCALE * (_row_means(x, x, sigma)[0].mean() + among_fakes.mean() - 2 * across.mean())
    added = among_fakes - across  # by each fake, but for a constant
    scored = scored_by_influence(max(value.item(), 0.0), 2 * SCALE * added)
    if scored.error is None:
        return scored
    # What single fakes add vanishes where fakes are distributed as reals; then pairs make the error (Hoeffding 1948, as for KID). The
    # scatter of `added` is too large by what pairs add, and it cannot be less than what the draw of the reals makes of it.
    of_one = (added.var() - of_fakes / len(y) - of_both / len(x)).clamp(min=0) + of_both / len(x)
    error = SCALE * (4 * of_one / len(y) + 2 * of_fakes / len(y) ** 2).sqrt().item()
    return replace(scored, error=error)


def _row_means(x: Tensor, y: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """(mean of the kernel between each of `x` and all of `y`, [len(x)]; variance of what a pair adds beyond one and one)."""
    rows, columns, squares = [], torch.zeros(len(y), dtype=y.dtype, device=y.device), torch.zeros((), dtype=y.dtype, device=y.device)
    for _, block in blocks(x, len(y)):
        # Both are of length 1, so ‖x − y‖² = 2 − 2 xᵀy. Less 1, the kernel keeps its digits at σ = 10, where all of it is near 1.
        kernel = ((block @ y.T - 1) / sigma**2).expm1()
        rows.append(kernel.mean(dim=1))
        columns += kernel.sum(dim=0)
        squares += kernel.square().sum()
    means = torch.cat(rows)
    left = squares / (len(x) * len(y)) - means.square().mean() - (columns / len(x)).square().mean() + means.mean().square()
    return means, left.clamp(min=0)
