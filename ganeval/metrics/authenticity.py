"""Authenticity of fakes (Alaa et al. 2022, "How Faithful is your Synthetic Data?", sec. 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import blocks, centered, squared_distances
from ganeval.metrics.uncertainty import scored_mean
from ganeval.report import Score


def authpct(real: Tensor, fake: Tensor) -> Score:
    """Per cent of fakes that are farther from their nearest real than that real is from its own nearest real.

    A copy of a training picture is nearer to it than anything else. What honest fakes have depends on the features: about 37 of draws like
    the reals in two dimensions, over 70 in hundreds; held-out pictures in place of the fakes show it.

    Args:
        real, fake: float features [num_real, dim] and [num_fake, dim]; the reals are the training pictures.

    Raises:
        InputError: fewer than two images on a side, or features that are not finite.
    """
    if min(len(real), len(fake)) < 2:
        raise InputError(f"authenticity needs at least 2 images on each side, got {len(real)} real and {len(fake)} fake")
    x, y = centered(real, fake)
    own = torch.empty(len(x), dtype=x.dtype, device=x.device)
    for rows, block in blocks(x, len(x)):
        distances = squared_distances(block, x)
        distances[:, rows].fill_diagonal_(torch.inf)
        own[rows] = distances.amin(dim=1)
    authentic = []
    for _, block in blocks(y, len(x)):
        nearest = squared_distances(block, x).min(dim=1)
        authentic.append(nearest.values > own[nearest.indices])
    return scored_mean(100 * torch.cat(authentic).double())
