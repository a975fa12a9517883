"""Principal components: the plane in which feature vectors spread most."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.metrics.distances import centered


def principal(features: Tensor, number: int = 2) -> tuple[Tensor, Tensor]:
    """(coordinates float64 [num, number] in the directions of the largest variance, their shares of the variance [number]).

    The sign of a direction is such that its largest coordinate is positive, for the same map of the same features everywhere.

    Args:
        features: float [num, dim].

    Raises:
        InputError: features that are not finite.
    """
    (x,) = centered(features)
    # Of the two Gram matrices the smaller one; both have the same eigenvalues.
    across = x @ x.T if len(x) < x.shape[1] else x.T @ x
    values, vectors = torch.linalg.eigh(across)
    values, vectors = values.flip(0)[:number].clamp(min=0), vectors.flip(1)[:, :number]
    coordinates = vectors * values.sqrt() if len(x) < x.shape[1] else x @ vectors
    if coordinates.shape[1] < number:  # fewer features than directions asked for
        coordinates = torch.nn.functional.pad(coordinates, (0, number - coordinates.shape[1]))
        values = torch.nn.functional.pad(values, (0, number - len(values)))
    peaks = coordinates.gather(0, coordinates.abs().argmax(dim=0, keepdim=True))
    total = x.square().sum()
    return coordinates * torch.where(peaks < 0, -1.0, 1.0), values / total if total > 0 else torch.zeros_like(values)
