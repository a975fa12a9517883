"""Vendi Score (Friedman and Dieng 2023, definition 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import checked, directions
from ganeval.metrics.uncertainty import scored_by_influence
from ganeval.report import Score


def vendi(fake: Tensor) -> Score:
    """exp of the entropy of the eigenvalues of K / n, K the cosines between the features: how many unlike pictures there are, in effect.

    1 for copies of one picture, n for n pictures at right angles. It knows no reals, so noise is diverse to it.

    Args:
        fake: float features [num_fake, dim]. K / n has the eigenvalues of the dim × dim matrix of second moments, which is taken where it
            is the smaller.

    Raises:
        InputError: fewer than two images, a vector of zeros, or features that are not finite.
    """
    if len(fake) < 2:
        raise InputError(f"the Vendi Score needs at least 2 images, got {len(fake)}; add images")
    (x,) = checked(fake)
    x = directions(x)
    number = len(x)
    dual = number > x.shape[1]
    values: Tensor
    vectors: Tensor
    values, vectors = torch.linalg.eigh((x.T @ x if dual else x @ x.T) / number)
    keep = values > values[-1] * len(values) * torch.finfo(values.dtype).eps
    values, vectors = values[keep], vectors[:, keep]
    score = (-values * values.log()).sum().exp()
    # The entropy is −Σ λ log λ, and image x moves the second moments towards x xᵀ: its influence is −Σ log λ (vᵀx)² − entropy.
    squared = (x @ vectors).square() if dual else vectors.square() * values * number
    surprise = squared @ -values.log()
    return scored_by_influence(score.item(), score * surprise)
