"""Fréchet distance between two Gaussians (Dowson and Landau 1982, eq. 4; Heusel et al. 2017, sec. 2)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.stats import FeatureStats

Method = Literal["symmetric", "sqrtm"]


def frechet_distance(real: FeatureStats, fake: FeatureStats, *, method: Method = "symmetric") -> float:
    """|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), Σ unbiased.

    Args:
        real, fake: stats of two sets in one feature space; the distance is symmetric in them.
        method: "symmetric" takes tr (Σ₁Σ₂)^½ as the sum of the singular values of Σ₂^½ Σ₁^½: real by construction and right for
            rank-deficient covariances. "sqrtm" runs `scipy.linalg.sqrtm` on the product as the original definition does.

    Returns:
        The squared distance, in squared feature units, never negative.

    Raises:
        InputError: dimensions differ, a set has fewer than two images, stats are not finite, or "sqrtm" leaves an imaginary part.
    """
    if real.dim != fake.dim:
        raise InputError(f"stats of {real.dim} and of {fake.dim} features have no distance; use one extractor for both sets")
    real, fake = real.cpu(), fake.cpu()
    for stats in (real, fake):
        if not (stats.mean.isfinite().all() and stats.scatter.isfinite().all()):
            raise InputError("the stats hold NaN or infinite values; compute them again from the images")
    mean_part = (real.mean - fake.mean).square().sum()
    traces = real.covariance.trace() + fake.covariance.trace()
    cross = _trace_sqrtm(real, fake) if method == "sqrtm" else _nuclear_norm(real, fake)
    distance = (mean_part + traces - 2 * cross).item()
    # Equal sets differ from 0 by rounding only, of either sign; sqrtm's own error on singular products is larger.
    rounding = (1e-4 if method == "sqrtm" else 1e-8) * traces.item()
    if distance < -rounding:
        raise ArithmeticError(f"Fréchet distance {distance} is negative beyond rounding; this is a bug of ganeval")
    return max(distance, 0.0)


def _nuclear_norm(real: FeatureStats, fake: FeatureStats) -> Tensor:
    """tr (Σ₁Σ₂)^½ = ‖Σ₂^½ᵀ Σ₁^½‖_*, for any factors with Σ = F Fᵀ.

    Singular values carry an absolute error of machine precision. Eigenvalues of Σ₁Σ₂ carry one too, and its root is 1e8 times
    larger: that is where the negative and the complex FIDs of other tools come from.
    """
    singular_values: Tensor = torch.linalg.svdvals(fake.factor.T @ real.factor)
    return singular_values.sum()


def _trace_sqrtm(real: FeatureStats, fake: FeatureStats) -> Tensor:
    """The same trace as in TTUR's fid.py, with its offset for singular products and its limit on the imaginary part."""
    first, second = real.covariance.numpy(), fake.covariance.numpy()
    root = np.asarray(scipy.linalg.sqrtm(first @ second))
    if not np.isfinite(root).all():
        offset = 1e-6 * np.eye(real.dim)
        root = np.asarray(scipy.linalg.sqrtm((first + offset) @ (second + offset)))
    imaginary = np.abs(np.diagonal(root).imag).max()
    if not imaginary <= 1e-3:
        raise InputError(
            f"scipy's sqrtm left an imaginary part of {imaginary:.2g} on a nearly singular product; "
            "use the default method, which has none, or more images than features"
        )
    return torch.tensor(np.trace(root).real, dtype=torch.float64)
