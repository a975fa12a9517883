"""Probe: a classifier on an extractor's features, for labels that the extractor itself was never taught."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-3  # relative to the mean variance of a feature: keeps the solution where features outnumber pictures


class Probe:
    """Least-squares classifier: ridge regression of the labels on the features, in closed form.

    Args:
        features: float [num, dim] of labelled real pictures.
        labels: int64 [num] of classes, or float [num, num_labels] of 0 and 1, each attribute being decided for itself.
        num_labels: how many classes or attributes there are.
    """

    def __init__(self, features: Tensor, labels: Tensor, num_labels: int) -> None:
        x, y = features.double(), _as_columns(labels, num_labels)
        self._mean = x.mean(dim=0)
        self._offset = y.mean(dim=0)
        centered = x - self._mean
        gram = centered.T @ centered
        gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
        self._weights = torch.linalg.solve(gram, centered.T @ (y - self._offset))  # [dim, num_labels]

    def hits(self, features: Tensor, labels: Tensor) -> Tensor:
        """Whether the probe reads from the features what the labels say: bool [num] for classes, [num, num_labels] for attributes."""
        values = (features.double() - self._mean) @ self._weights + self._offset
        hits: Tensor = values.argmax(dim=1) == labels if labels.ndim == 1 else (values > 0.5) == (labels > 0.5)
        return hits


def _as_columns(labels: Tensor, num_labels: int) -> Tensor:
    return torch.eye(num_labels, dtype=torch.float64)[labels] if labels.ndim == 1 else labels.double()
