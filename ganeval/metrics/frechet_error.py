"""The standard error of a Fréchet distance, over draws of fakes."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.metrics.frechet_influence import at_each, frechet_left_out
from ganeval.metrics.uncertainty import NUM_GROUPS, groups, one_left_out, pairs_left_out, scored_by_influence, scored_by_jackknife
from ganeval.report import Score
from ganeval.stats import FeatureStats

# Images per feature, from benchmarks/intervals.py: from ENOUGH on the derivative holds; up to FEW pairs of images are looked at.
ENOUGH, FEW = 10, 0.75


def scored_distance(real: FeatureStats, fake: FeatureStats, features: Tensor, *, value: float) -> Score:
    """The distance `value` with its standard error; its bias, which more images lessen, is no part of that.

    Of many images for each feature by the derivative of the distance at each. Of fewer, where an image's own direction is in the covariance
    that its derivative is taken at, by leaving each out. Of no more images than features, where each takes a direction of its own along, by
    leaving groups of them out.

    Args:
        features: float [num, dim] of the fakes; or, of more fakes than features, of a sample drawn from them by chance.
    """
    assert fake.count is not None
    if fake.count < NUM_GROUPS:
        return Score(value)
    if fake.count >= ENOUGH * fake.dim:
        return scored_by_influence(value, derivatives(real, fake, features), num_fake=fake.count)
    if fake.count > fake.dim:
        influences = (fake.count - 1) * (value - frechet_left_out(real, fake, features))
        return scored_by_influence(value, influences, num_fake=fake.count)
    assert len(features) == fake.count
    kept, pairs = tables(len(features), fake.dim)
    without = frechet_distances(real, features, torch.cat([kept, pairs])[:, groups(len(features))])
    return scored_by_jackknife(value, without[: len(kept)], kept, of_pairs=without[len(kept) :])


def derivatives(real: FeatureStats, fake: FeatureStats, features: Tensor) -> Tensor:
    """The influence function of the distance at images (Hampel 1974): float64 [num].

    φ(x) = 2 (μ₂ − μ₁)ᵀ(x − μ₂) + (x − μ₂)ᵀ(I − T)(x − μ₂) − tr((I − T) Σ₂), where T is the linear map that carries N(0, Σ₂) to N(0, Σ₁)
    at the least cost: the derivative of tr (Σ₁Σ₂)^½ by Σ₂ is T/2 (Gelbrich 1990). Over all
    fakes its mean is 0.

    Args:
        real, fake: stats of both sides, of equal dimension.
        features: float [num, dim] of fakes, all that `fake` is of or some.
    """
    # With x − μ₂ = F₂ z and F₂ᵀF₁ = U s Vᵀ, zᵀ U s Uᵀ z = (x − μ₂)ᵀ T (x − μ₂): nothing small is divided by, but in z.
    q, r = torch.linalg.qr(fake.factor)
    across = fake.factor.T @ real.factor
    squared, u = torch.linalg.eigh(across @ across.T)
    s = squared.clamp(min=0).sqrt()

    def at(x: Tensor) -> Tensor:
        z = torch.linalg.solve_triangular(r, (x @ q).T, upper=True).T
        transported: Tensor = (z @ u).square() @ s
        influences: Tensor = 2 * x @ (fake.mean - real.mean) + x.square().sum(dim=1) - transported - (fake.total_variance - s.sum())
        return influences

    return at_each(fake, features, at)


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
    # Around their own mean: sums of squares far from 0 would lose what the differences between images are.
    x = features.to(real.mean.device).double()
    origin = x.mean(dim=0)
    x = x - origin
    apart = real.mean - origin
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
        found.append((mean - apart).square().sum() + real.total_variance + trace - 2 * root)
    return torch.stack(found)
