"""Precision and recall of distributions: one curve in place of one number (Sajjadi et al. 2018)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import centered

NUM_CLUSTERS, NUM_RUNS, NUM_ANGLES = 20, 10, 1001  # as the paper's experiments, sec. 4.1


class Frontier(NamedTuple):
    """The curve, from pure recall (λ → 0) to pure precision (λ → ∞)."""

    precision: Tensor  # float64 [angles]
    recall: Tensor  # float64 [angles]

    def f(self, beta: float) -> float:
        """The largest F_β on the curve; F_8 weighs recall, F_⅛ precision (sec. 4.3)."""
        across = beta**2 * self.precision + self.recall
        values = torch.where(across > 0, (1 + beta**2) * self.precision * self.recall / across, torch.zeros_like(across))
        return values.max().item()


def frontier(real: Tensor, fake: Tensor, *, num_angles: int = NUM_ANGLES) -> Frontier:
    """α(λ) = Σ min(λ p, q) and β(λ) = Σ min(p, q/λ) of two distributions p, q on one finite set (eq. 4 to 6).

    Args:
        real, fake: float [bins], each of sum 1.
    """
    slopes = torch.tan(torch.linspace(1e-6, math.pi / 2 - 1e-6, num_angles, dtype=torch.float64))[:, None]
    precision = torch.minimum(slopes * real.double(), fake.double()).sum(dim=1)
    return Frontier(precision=precision.clamp(max=1), recall=(precision / slopes[:, 0]).clamp(max=1))


def prd(real: Tensor, fake: Tensor, *, num_clusters: int = NUM_CLUSTERS, num_runs: int = NUM_RUNS, seed: int = 2020) -> Frontier:
    """The curve of how reals and fakes spread over clusters of both together: the mean over runs of k-means.

    Args:
        real, fake: float features [num, dim] each, as many of both: unequal counts would pull the clusters to one side (sec. 4.1).

    Raises:
        InputError: unequal counts, fewer images than clusters, or features that are not finite.
    """
    from scipy.cluster.vq import kmeans2  # late: scipy.stats takes as long to import as all else here

    if len(real) != len(fake) or len(real) < num_clusters:
        raise InputError(
            f"a curve over {num_clusters} clusters needs as many fakes as reals, at least {num_clusters}; got {len(real)} and {len(fake)}"
        )
    points = torch.cat(centered(real, fake)).cpu().numpy()
    curves = []
    for run in range(num_runs):
        rng = np.random.default_rng((seed, run))
        _, found = kmeans2(points, num_clusters, minit="++", seed=rng)
        cells = torch.from_numpy(found).long()
        shares = (side.bincount(minlength=num_clusters) / len(side) for side in cells.split(len(real)))
        curves.append(frontier(*shares))
    return Frontier(*(torch.stack(values).mean(dim=0) for values in zip(*curves, strict=True)))
