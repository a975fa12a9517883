"""How much each fake moves a Fréchet distance, and from that its standard error."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.uncertainty import groups, one_left_out, pairs_left_out, scored_by_influence, scored_by_jackknife
from ganeval.report import Score
from ganeval.stats import FeatureStats

ENOUGH = 10  # images per feature from which on the influences give the standard error; see `scored_distance`
FEW = 0.75  # images per feature up to which pairs of images are looked at; see `tables`. Both numbers are from benchmarks/intervals.py


def frechet_influences(real: FeatureStats, fake: FeatureStats, features: Tensor) -> Tensor:
    """First-order influence of images on the distance of `fake` from `real`: float64 [num].

    φ(x) = 2 (μ₂ − μ₁)ᵀ(x − μ₂) + (x − μ₂)ᵀ(I − T)(x − μ₂) − tr((I − T) Σ₂), where T is the linear map that carries N(0, Σ₂) to N(0, Σ₁)
    at the least cost: the derivative of tr (Σ₁Σ₂)^½ by Σ₂ is T/2 (Gelbrich 1990). To first order the distance without image i is the
    distance − φ(xᵢ) / (count − 1): the largest φ are of the fakes that hurt most, and the mean over all fakes is about 0.

    Args:
        real, fake: stats of both sides, of equal dimension.
        features: float [num, dim] of fakes, all that `fake` is of or some.
    """
    x = features.to(fake.mean.device).double() - fake.mean
    # With x = F₂ z and F₂ᵀF₁ = U s Vᵀ, zᵀ U s Uᵀ z = xᵀ T x: nothing small is divided by, but in z.
    factor = fake.factor
    z = x @ (factor / factor.square().sum(dim=0))  # columns of F₂ are orthogonal
    across = factor.T @ real.factor
    squared, u = torch.linalg.eigh(across @ across.T)
    s = squared.clamp(min=0).sqrt()
    transported: Tensor = (z @ u).square() @ s
    influences: Tensor = 2 * x @ (fake.mean - real.mean) + x.square().sum(dim=1) - transported - (fake.covariance.trace() - s.sum())
    return influences


def scored_distance(real: FeatureStats, fake: FeatureStats, features: Tensor, *, value: float) -> Score:
    """The distance `value` with its standard error over draws of fakes; its bias, which more images lessen, is no part of that.

    By the influences where there are ENOUGH images for each feature. Below that an image's own direction is in the covariance that
    its influence is computed with, so the delete-group jackknife takes over, which computes each distance anew.

    Args:
        features: float [num, dim] of the fakes, or of a sample drawn from them by chance; the jackknife needs all.

    Raises:
        InputError: fewer than three fakes.
    """
    assert fake.count is not None
    if fake.count < 3:  # the jackknife leaves one out, and a covariance needs two
        raise InputError(f"the standard error of a Fréchet distance needs at least 3 fakes, got {fake.count}; add images")
    if fake.count >= ENOUGH * fake.dim:
        return scored_by_influence(value, frechet_influences(real, fake, features), num_fake=fake.count)
    assert len(features) == fake.count
    kept, pairs = tables(len(features), fake.dim)
    without = frechet_distances(real, features, torch.cat([kept, pairs])[:, groups(len(features))])
    return scored_by_jackknife(value, without[: len(kept)], kept, of_pairs=without[len(kept) :])


def tables(num_fake: int, dim: int) -> tuple[Tensor, Tensor]:
    """The groups to leave out for the jackknife of a Fréchet distance: (one at a time, pairs).

    Pairs only where there are FEW fakes: there they make up to half of the jackknife's variance. With more, taking their part away would
    add more noise than it mends.
    """
    pairs = pairs_left_out(num_fake)
    return one_left_out(num_fake), pairs if num_fake <= FEW * dim else pairs[:0]


def frechet_distances(real: FeatureStats, features: Tensor, chosen: Tensor) -> Tensor:
    """Distances from `real` of many subsets of one set of fakes: float64 [subsets].

    By a symmetric eigenproblem of the smaller side: several times faster than `frechet_distance`, and exact to √eps of its traces, which
    is enough for differences between subsets.

    Args:
        features: float [num, dim].
        chosen: bool [subsets, num].
    """
    x = features.to(real.mean.device).double()
    across = x @ real.factor  # [num, rank]
    size = x.square().sum(dim=1)
    gram = across.T @ across if len(x) > across.shape[1] else None
    found = []
    for rows in chosen.to(x.device):
        number, mean = int(rows.sum()), x[rows].mean(dim=0)
        center = mean @ real.factor
        if gram is None or number <= across.shape[1]:
            some = across[rows] - center
            product = some @ some.T
        else:
            left_out = across[~rows]
            product = gram - left_out.T @ left_out - number * torch.outer(center, center)
        root = torch.linalg.eigvalsh(product / (number - 1)).clamp(min=0).sqrt().sum()
        trace = (size[rows].sum() - number * mean.square().sum()) / (number - 1)
        found.append((mean - real.mean).square().sum() + real.covariance.trace() + trace - 2 * root)
    return torch.stack(found)
