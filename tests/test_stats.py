"""FeatureStats: a monoid whose values are those of numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganeval import FeatureStats, InputError


def normal(num: int, dim: int, seed: int, *, offset: float = 0.0) -> torch.Tensor:
    return torch.randn(num, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + offset


@given(cut=st.integers(1, 99), seed=st.integers(0, 2**32 - 1))
def test_merging_any_split_equals_one_pass(cut: int, seed: int) -> None:
    x = normal(100, 5, seed, offset=1000.0)
    whole, parts = FeatureStats.of(x), FeatureStats.of(x[:cut]) + FeatureStats.of(x[cut:])
    assert parts.count == whole.count
    torch.testing.assert_close(parts.mean, whole.mean, rtol=1e-13, atol=0)
    torch.testing.assert_close(parts.scatter, whole.scatter, rtol=1e-9, atol=1e-9)


def test_merging_is_associative_and_commutative() -> None:
    a, b, c = (FeatureStats.of(normal(num, 4, seed)) for seed, num in enumerate((3, 50, 7)))
    for other in ((a + b) + c, a + (b + c), c + b + a):
        torch.testing.assert_close(other.scatter, (a + b + c).scatter, rtol=1e-12, atol=1e-12)


def test_mean_and_covariance_are_those_of_numpy() -> None:
    x = normal(40, 6, 0, offset=3.0)
    stats = FeatureStats.over(x.float().split(7))
    reference = x.float().double().numpy()
    np.testing.assert_allclose(stats.mean.numpy(), reference.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(stats.covariance.numpy(), np.cov(reference, rowvar=False), rtol=1e-12)


def test_float32_features_are_summed_in_float64() -> None:
    x = torch.full((1000, 1), 1e4) + torch.arange(1000)[:, None] % 2  # float32 sums of squares would lose the unit
    assert FeatureStats.of(x).covariance.item() == pytest.approx(0.25 * 1000 / 999, rel=1e-12)


def test_one_image_has_a_mean_but_no_covariance() -> None:
    stats = FeatureStats.of(torch.ones(1, 3))
    with pytest.raises(InputError, match="at least 2 images, got 1"):
        _ = stats.covariance


@pytest.mark.parametrize("bad", [torch.ones(3), torch.ones(3, 2, dtype=torch.int64), torch.ones(0, 2)], ids=["flat", "integer", "empty"])
def test_anything_but_a_float_matrix_is_refused(bad: torch.Tensor) -> None:
    with pytest.raises(TypeError, match="expected float features"):
        FeatureStats.of(bad)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_and_infinite_features_are_refused_with_their_row(value: float) -> None:
    x = torch.zeros(5, 2)
    x[3, 1] = value
    with pytest.raises(InputError, match="first at row 3"):
        FeatureStats.of(x)


def test_stats_of_different_dimensions_do_not_merge() -> None:
    with pytest.raises(InputError, match="stats of 2 and of 3 features"):
        FeatureStats.of(torch.ones(2, 2)) + FeatureStats.of(torch.ones(2, 3))


def test_no_batches_is_an_error_not_a_zero() -> None:
    with pytest.raises(InputError, match="no images"):
        FeatureStats.over([])
