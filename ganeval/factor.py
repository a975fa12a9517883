"""Factors of covariances: F with Σ = F Fᵀ, by the cheapest route that holds."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg.lapack import dpstrf
from torch import Tensor


def factor(covariance: Tensor, rank: int) -> Tensor:
    """F, float64 [dim, ≤ rank], with covariance = F Fᵀ but for rounding; for one that is not semidefinite, of its positive part.

    By Cholesky's method; with pivots where the covariance is singular, or too nearly so; by eigenvectors where pivots leave a
    remainder that is no rounding, which happens only if the covariance is not semidefinite.

    Args:
        covariance: symmetric, float64 [dim, dim].
        rank: what it has at most.
    """
    size = torch.finfo(covariance.dtype).eps * len(covariance)
    # A pivot, the variance that the features before it leave of a feature, is rounding below this (the default of LAPACK's dpstrf).
    noise = size * covariance.diagonal().max()
    if rank == len(covariance):
        lower: Tensor
        lower, failed = torch.linalg.cholesky_ex(covariance)
        if not failed and bool((lower.diagonal().square() > noise).all()):
            return lower
    found = _by_pivots(covariance, rank)
    # What is left of a semidefinite matrix is semidefinite: its trace bounds all of it.
    if (covariance.trace() - found.square().sum()).abs() <= len(covariance) * noise:
        return found
    return _by_eigenvectors(covariance, rank)


def _by_pivots(covariance: Tensor, rank: int) -> Tensor:
    # LAPACK wants columns in memory where torch has rows: it sees the transpose, whose upper triangle is our lower one.
    upper, order, number, _ = dpstrf(covariance.cpu().numpy().T, lower=0)
    rows = np.tril(upper.T[:, : min(rank, int(number))])
    found = np.empty_like(rows)
    found[order - 1] = rows
    return torch.from_numpy(found).to(covariance.device)


def _by_eigenvectors(covariance: Tensor, rank: int) -> Tensor:
    values: Tensor
    vectors: Tensor
    values, vectors = torch.linalg.eigh(covariance)
    dim = len(values)
    # A rank that is known: what eigh returns beyond it is rounding, whose root would not be small.
    keep = (values > values[-1] * dim * torch.finfo(values.dtype).eps) & (torch.arange(dim, device=values.device) >= dim - rank)
    return vectors[:, keep] * values[keep].sqrt()
