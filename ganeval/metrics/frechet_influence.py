"""A Fréchet distance without each of its fakes: how much each moves it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ganeval.metrics.frechet import frechet_distance
from ganeval.stats import FeatureStats

NODES_PER_E = 2  # of the integral below: the trapezoid rule in log t errs by exp(−π² · NODES_PER_E), 3e-9 of it
AT_ONCE = 512  # images; at 2,048 features 8 MB in float64
SMALLEST, LARGEST = 1e-8, 1e6  # t from and to these times the largest singular value; beyond them the integrand is in closed form


def frechet_left_out(real: FeatureStats, fake: FeatureStats, features: Tensor) -> Tensor:
    """The distance of `fake` from `real` without each of some images: float64 [num], exact but for rounding, in one pass.

    Without image x the covariance Σ₂ loses c u uᵀ, u = x − μ₂, and the only part of the distance that is no plain sum is
    tr (A − c g gᵀ)^½ for A = F₁ᵀΣ₂F₁ and g = F₁ᵀu. As ∫₀^∞ log(1 + a/t²) dt = π √a, and by the matrix determinant lemma,

        tr (A − c g gᵀ)^½ − tr A^½ = 1/π ∫₀^∞ log(1 − c gᵀ(A + t²)⁻¹g) dt,

    which takes one eigendecomposition of A for all images.

    Args:
        real, fake: stats of both sides, of equal dimension; at least three fakes.
        features: float [num, dim] of fakes, all that `fake` is of or some.
    """
    assert fake.count is not None
    n = fake.count
    roots_at = _roots_left_out(real, fake)

    def at(u: Tensor) -> Tensor:
        trace = ((n - 1) * fake.total_variance - n / (n - 1) * u.square().sum(dim=1)) / (n - 2)
        between = (fake.mean - real.mean - u / (n - 1)).square().sum(dim=1)
        left_out: Tensor = between + real.total_variance + trace - 2 * roots_at(u)
        return left_out

    return at_each(fake, features, at)


def at_each(fake: FeatureStats, features: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """`function` [num] of where images are, float64 [num, dim] from the mean of `fake`; of some at a time, so that memory stays bounded."""
    return torch.cat([function(some.to(fake.mean.device).double() - fake.mean) for some in features.split(AT_ONCE)])


def _roots_left_out(real: FeatureStats, fake: FeatureStats) -> Callable[[Tensor], Tensor]:
    """Gives, of images `u` [num, dim] from their mean, tr (Σ₁Σ₂)^½ without each: [num]."""
    assert fake.count is not None
    n = fake.count
    across = fake.factor.T @ real.factor
    if not across.any():  # one side is a single point
        return lambda u: u.new_zeros(len(u))
    squared, v = torch.linalg.eigh(across @ across.T)  # of F₂ᵀΣ₁F₂, which has the eigenvalues of A
    keep = squared > squared[-1] * len(squared) * torch.finfo(squared.dtype).eps
    squared, v = squared[keep], v[:, keep]
    s = squared.sqrt()
    onto = real.factor @ (across.T @ (v / s))  # [dim, rank]
    t = s[-1] * torch.arange(math.log(SMALLEST), math.log(LARGEST), 1 / NODES_PER_E, dtype=s.dtype, device=s.device).exp()
    at_nodes = (squared[:, None] + t.square()).reciprocal()  # [rank, nodes]

    def at(u: Tensor) -> Tensor:
        weights = (u @ onto).square() * (n / (n - 1) ** 2)  # c (g · eigenvector)², [num, rank]
        # An image whose direction no other has takes it along: the last factor is then 0 at t = 0, which rounding must not make negative.
        logs = torch.log1p(-(weights @ at_nodes).clamp(max=1 - 1e-15))  # [num, nodes]
        heights = logs * t
        inner = (heights.sum(dim=1) - (heights[:, 0] + heights[:, -1]) / 2) / NODES_PER_E
        integral = inner + t[0] * logs[:, 0] - weights.sum(dim=1) / t[-1]
        roots: Tensor = (s.sum() + integral / math.pi) * math.sqrt((n - 1) / (n - 2))
        return roots

    return at


def frechet_influences(real: FeatureStats, fake: FeatureStats, features: Tensor) -> Tensor:
    """How much each image adds to the distance of `fake` from `real`: float64 [num], (count − 1) · (distance − distance without it).

    Of an image that changes nothing it is 0; the largest are of the fakes that hurt most. For many images it is the influence
    function of the distance, 2 (μ₂ − μ₁)ᵀu + uᵀ(I − T)u − tr((I − T)Σ₂) with T the optimal transport from N(0, Σ₂) to N(0, Σ₁).

    Args:
        features: float [num, dim] of fakes, all that `fake` is of or some.
    """
    assert fake.count is not None
    return (fake.count - 1) * (frechet_distance(real, fake) - frechet_left_out(real, fake, features))
