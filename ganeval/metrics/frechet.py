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

SURE = 1e-6  # a bound of the error as a share of the distance; errors found are 1e5 times smaller than their bounds


def frechet_distance(real: FeatureStats, fake: FeatureStats, *, method: Method = "symmetric") -> float:
    """|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), Σ unbiased.

    Args:
        real, fake: stats of two sets in one feature space; the distance is symmetric in them.
        method: "symmetric" takes tr (Σ₁Σ₂)^½ as the sum of the singular values of F₂ᵀF₁, with Σ = F Fᵀ: real by construction and right
            for rank-deficient covariances. "sqrtm" runs `scipy.linalg.sqrtm` on the product as the original definition does.

    Returns:
        The squared distance, in squared feature units, never negative.

    Raises:
        InputError: dimensions differ, a set has fewer than two images, stats are not finite or out of range, or "sqrtm" leaves an
            imaginary part.
    """
    if real.dim != fake.dim:
        raise InputError(f"stats of {real.dim} and of {fake.dim} features have no distance; use one extractor for both sets")
    real, fake = real.cpu(), fake.cpu()
    for stats in (real, fake):
        stats.check()
    mean_part = (real.mean - fake.mean).square().sum()
    traces = real.total_variance + fake.total_variance
    apart = mean_part + traces
    cross = _trace_sqrtm(real, fake) if method == "sqrtm" else _nuclear_norm(fake.factor.T @ real.factor, apart)
    distance = (apart - 2 * cross).item()
    # Equal sets differ from 0 by rounding only, of either sign; sqrtm's own error on singular products is larger.
    rounding = (1e-4 if method == "sqrtm" else 1e-8) * traces.item()
    if distance < -rounding:
        raise ArithmeticError(f"Fréchet distance {distance} is negative beyond rounding; this is a bug of ganeval")
    return max(distance, 0.0)


def _nuclear_norm(across: Tensor, apart: Tensor) -> Tensor:
    """tr (Σ₁Σ₂)^½ = ‖F₂ᵀF₁‖_*, for any factors with Σ = F Fᵀ, from `across` = F₂ᵀF₁; the distance is `apart` less twice that.

    Singular values carry an absolute error of machine precision. Eigenvalues of the Gram matrix, several times faster, carry one too,
    whose root may be 1e8 times larger: that is where the negative and the complex FIDs of other tools come from. They are taken where
    that cannot be: with δᵢ the errors of the eigenvalues λᵢ of A, the roots err by Σ |δᵢ| / √λᵢ ≤ |δ| (Σ 1/λᵢ)^½, and |δ| is at most
    the error of A that is equivalent to all rounding (Hoffman and Wielandt 1953), below dim · eps · |A| in the norm of Frobenius.
    """
    gram = across @ across.T if across.shape[0] <= across.shape[1] else across.T @ across
    rounding = len(gram) * torch.finfo(gram.dtype).eps * gram.norm()

    def error(eigenvalues: Tensor) -> Tensor:
        bound: Tensor = rounding * eigenvalues.clamp(min=0).reciprocal().sum().sqrt()
        return bound

    # The diagonal has a smaller sum of reciprocals than the eigenvalues, and the distance is at most `apart`.
    if 2 * error(gram.diagonal()) < SURE * apart:
        eigenvalues: Tensor = torch.linalg.eigvalsh(gram)
        cross: Tensor = eigenvalues.clamp(min=0).sqrt().sum()
        if 2 * error(eigenvalues) < SURE * (apart - 2 * cross):
            return cross
    singular_values: Tensor = torch.linalg.svdvals(across)
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
