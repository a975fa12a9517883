"""Fréchet distance: closed forms, the Gram-matrix value for few images, and SciPy's sqrtm."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganeval import FeatureStats, InputError, frechet_distance


def features(num: int, dim: int, seed: int, *, decay: float = 0.0) -> Tensor:
    """Correlated float64 features whose spectrum falls by 10^-decay."""
    rng = torch.Generator().manual_seed(seed)
    mix = torch.linalg.qr(torch.randn(dim, dim, generator=rng, dtype=torch.float64)).Q
    scale = torch.logspace(0, -decay, dim, dtype=torch.float64)
    x: Tensor = torch.randn(num, dim, generator=rng, dtype=torch.float64) * scale @ mix + seed * 0.1
    return x


def gaussian(mean: Tensor, covariance: Tensor, count: int = 1001) -> FeatureStats:
    return FeatureStats(count, mean.double(), covariance.double() * (count - 1))


def gram_distance(x: Tensor, y: Tensor) -> float:
    """The same distance from N×N matrices only: tr (Σ₁Σ₂)^½ is the nuclear norm of the centered features' product."""
    a, b = ((z - z.mean(dim=0)) / (len(z) - 1) ** 0.5 for z in (x, y))
    cross = torch.linalg.svdvals(a @ b.T).sum()
    return float((x.mean(dim=0) - y.mean(dim=0)).square().sum() + a.square().sum() + b.square().sum() - 2 * cross)


def test_equal_covariances_leave_the_distance_of_the_means() -> None:
    stats = FeatureStats.of(features(200, 16, 0))
    moved = FeatureStats(stats.count, stats.mean + torch.arange(16.0), stats.scatter)
    assert frechet_distance(stats, moved) == pytest.approx(sum(i**2 for i in range(16)), rel=1e-10)


VARIANCES = st.just(0.0) | st.floats(1e-80, 1e4)  # those of numbers in the range of float32


@given(st.lists(st.tuples(VARIANCES, VARIANCES), min_size=1, max_size=12))
def test_commuting_covariances_give_the_distance_of_standard_deviations(variances: list[tuple[float, float]]) -> None:
    a, b = (torch.tensor(column, dtype=torch.float64) for column in zip(*variances, strict=True))
    zero = torch.zeros(len(a))
    expected = (a.sqrt() - b.sqrt()).square().sum().item()
    found = frechet_distance(gaussian(zero, a.diag()), gaussian(zero, b.diag()))
    # Variances below machine precision of the largest are indistinguishable from rounding, and count as zero.
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-6 * float(max(a.max(), b.max())))


def test_one_dimension_is_the_textbook_formula() -> None:
    a, b = gaussian(torch.tensor([1.0]), torch.tensor([[4.0]])), gaussian(torch.tensor([-2.0]), torch.tensor([[9.0]]))
    assert frechet_distance(a, b) == pytest.approx((1 + 2) ** 2 + (2 - 3) ** 2, rel=1e-14)


@pytest.mark.parametrize("num", [20, 300], ids=["fewer images than features", "more"])
@pytest.mark.parametrize("decay", [0.0, 3.0, 6.0])
def test_a_set_has_no_distance_to_itself(num: int, decay: float) -> None:
    stats = FeatureStats.of(features(num, 64, 0, decay=decay))
    assert 0 <= frechet_distance(stats, stats) <= 1e-8 * stats.covariance.trace().item()


@pytest.mark.parametrize(("num_real", "num_fake"), [(20, 30), (2, 40), (64, 64), (500, 20)])
@pytest.mark.parametrize("decay", [0.0, 2.0])
def test_fewer_images_than_features_equals_the_gram_matrix_value(num_real: int, num_fake: int, decay: float) -> None:
    x, y = features(num_real, 128, 1, decay=decay), features(num_fake, 128, 2, decay=decay)
    assert frechet_distance(FeatureStats.of(x), FeatureStats.of(y)) == pytest.approx(gram_distance(x, y), rel=1e-9)


@pytest.mark.slow
def test_at_the_size_of_inception_a_thousand_images_equal_the_gram_matrix_value() -> None:
    x, y = features(1000, 2048, 1, decay=2.0), features(1000, 2048, 2, decay=2.0)
    a, b = FeatureStats.of(x), FeatureStats.of(y)
    assert frechet_distance(a, b) == pytest.approx(gram_distance(x, y), rel=1e-9)
    assert frechet_distance(a, a) <= 1e-8 * a.covariance.trace().item()


@pytest.mark.parametrize("seed", range(5))
def test_both_methods_agree_on_well_conditioned_covariances(seed: int) -> None:
    a, b = FeatureStats.of(features(500, 48, seed, decay=1.0)), FeatureStats.of(features(400, 48, seed + 10, decay=1.0))
    assert frechet_distance(a, b, method="sqrtm") == pytest.approx(frechet_distance(a, b), rel=1e-9)


def test_it_does_not_matter_which_set_comes_first() -> None:
    a, b = FeatureStats.of(features(50, 32, 1)), FeatureStats.of(features(20, 32, 2))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-12)


def test_dead_features_change_nothing() -> None:
    x, y = features(100, 8, 1), features(100, 8, 2)
    padded = [torch.cat([z, torch.zeros(100, 24, dtype=torch.float64)], dim=1) for z in (x, y)]
    expected = frechet_distance(FeatureStats.of(x), FeatureStats.of(y))
    assert frechet_distance(*map(FeatureStats.of, padded)) == pytest.approx(expected, rel=1e-12)


def test_stats_without_a_count_are_taken_at_their_covariance() -> None:
    a, b = FeatureStats.of(features(100, 8, 1)), FeatureStats.of(features(100, 8, 2))
    foreign = FeatureStats(None, a.mean, a.covariance)
    assert frechet_distance(foreign, b) == pytest.approx(frechet_distance(a, b), rel=1e-12)


def test_one_image_is_refused() -> None:
    with pytest.raises(InputError, match="at least 2 images, got 1"):
        frechet_distance(FeatureStats.of(torch.ones(1, 4)), FeatureStats.of(torch.rand(9, 4)))


def test_different_dimensions_are_refused() -> None:
    with pytest.raises(InputError, match="stats of 4 and of 5 features"):
        frechet_distance(FeatureStats.of(torch.rand(9, 4)), FeatureStats.of(torch.rand(9, 5)))


def test_stats_that_are_not_finite_are_refused() -> None:
    bad = FeatureStats(9, torch.full((4,), np.nan, dtype=torch.float64), torch.eye(4, dtype=torch.float64))
    with pytest.raises(InputError, match="NaN or infinite"):
        frechet_distance(bad, FeatureStats.of(torch.rand(9, 4)))
