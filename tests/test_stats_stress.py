"""Merged stats against exact fractions, and closed forms of the Fréchet distance, at all scales.

The limit of a covariance, in units of the two deviations: a mean is known to 2⁻⁵³ of its size at each step, so a difference of two means
errs by twice that, and what lies between two parts, which is at most all the scatter, by 4 · 2⁻⁵³ |mean| / deviation for each merge;
products and sums of 60 numbers in float64 lose some 60 · 2⁻⁵³ beside it.
"""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from operator import add

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from features import normal
from ganeval import FeatureStats, InputError, frechet_distance

EPS = 2.0**-53
Exact = list[list[Fraction]]


def exact(x: Tensor) -> tuple[list[Fraction], Exact]:
    """Mean and covariance of the float64 numbers as they are, without any rounding."""
    rows = [[Fraction(value) for value in row] for row in x.tolist()]
    num, dim = len(rows), len(rows[0])
    mean = [sum(column, Fraction(0)) / num for column in zip(*rows, strict=True)]
    centered = [[value - center for value, center in zip(row, mean, strict=True)] for row in rows]
    covariance = [[sum((row[i] * row[j] for row in centered), Fraction(0)) / (num - 1) for j in range(dim)] for i in range(dim)]
    return mean, covariance


@settings(max_examples=25)
@given(
    cuts=st.lists(st.integers(1, 59), max_size=8, unique=True),
    scale=st.sampled_from([0, -30, -15, 15, 30]),
    offset=st.sampled_from([0.0, 1.0, 1e4, 1e8]),
    seed=st.integers(0, 99),
    backwards=st.booleans(),
)
def test_parts_merge_to_the_exact_stats(cuts: list[int], scale: int, offset: float, seed: int, backwards: bool) -> None:
    x = (normal(60, 3, seed) + offset) * 10.0**scale
    parts = [FeatureStats.of(part) for part in x.tensor_split(sorted(cuts))]
    merged = reduce(add, reversed(parts) if backwards else parts)
    mean, covariance = exact(x)
    assert merged.count == 60
    for i in range(3):
        assert abs(Fraction(merged.mean[i].item()) - mean[i]) <= Fraction(EPS * 8 * len(parts)) * (abs(mean[i]) + Fraction(10.0**scale))
        for j in range(3):
            size = float(covariance[i][i] * covariance[j][j]) ** 0.5
            far = 1 + abs(offset)
            error = abs(float(Fraction(merged.covariance[i, j].item()) - covariance[i][j]))
            assert error <= EPS * (60 + 4 * len(parts) * far) * size


@settings(max_examples=10)
@given(scale=st.sampled_from([-30, 0, 30]), seed=st.integers(0, 99))
def test_images_that_come_one_by_one_have_the_stats_of_all(scale: int, seed: int) -> None:
    x = (normal(60, 3, seed) + 100) * 10.0**scale
    merged = FeatureStats.over(x.split(1))
    _, covariance = exact(x)
    limit = EPS * (60 + 4 * 60 * 101)
    for i in range(3):
        assert float(Fraction(merged.covariance[i, i].item()) / covariance[i][i]) == pytest.approx(1, abs=limit)


def gaussian(mean: Tensor, covariance: Tensor, count: int = 1001) -> FeatureStats:
    return FeatureStats(count, mean.double(), covariance.double() * (count - 1))


@pytest.mark.parametrize("scale", [1e-30, 1e-15, 1e-3, 1.0, 1e3, 1e15, 1e25])
@pytest.mark.parametrize("stretch", [1e-12, 1e-3, 0.5, 1.0, 2.0, 1e3, 1e12])
@pytest.mark.parametrize("dim", [2, 17])
def test_a_stretched_and_shifted_gaussian_is_at_its_closed_form(scale: float, stretch: float, dim: int) -> None:
    # N(0, Σ) and N(v, c²Σ): |v|² + (1 − c)² tr Σ, for any Σ. The traces are known to rounding, 1e-12 of them here.
    mix = normal(dim, dim, 3) * scale
    covariance, v = mix @ mix.T, torch.arange(dim) * scale
    found = frechet_distance(gaussian(torch.zeros(dim), covariance), gaussian(v, covariance * stretch**2))
    trace = covariance.trace().item()
    expected = v.double().square().sum().item() + (1 - stretch) ** 2 * trace
    assert found == pytest.approx(expected, rel=1e-11, abs=1e-11 * (1 + stretch**2) * trace)


@pytest.mark.parametrize("method", ["symmetric", "sqrtm"])
@pytest.mark.parametrize("scale", [1e-60, 1e60, 1e140])
def test_stats_beyond_float32_are_refused(method: str, scale: float) -> None:
    one = gaussian(torch.zeros(3), torch.eye(3).double() * scale**2)
    with pytest.raises(InputError, match=r"float32 can hold"):
        frechet_distance(one, one, method=method)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"float32 can hold"):
        FeatureStats.of(torch.full((3, 2), scale, dtype=torch.float64))


@pytest.mark.slow
def test_four_thousand_features_have_a_distance_that_is_known() -> None:
    # Fakes are the reals moved by v: |v|² = 4096 · 0.25, whatever the covariance.
    x = normal(100, 4096, 0)
    found = frechet_distance(FeatureStats.of(x), FeatureStats.of(x + 0.5))
    assert found == pytest.approx(1024, rel=1e-9)


@pytest.mark.slow
def test_a_hundred_thousand_images_merge_to_the_stats_of_one_pass() -> None:
    x = normal(100_000, 32, 0) + 1e4
    whole, parts = FeatureStats.of(x), FeatureStats.over(x.split(37))
    # 2,703 merges, whose roundings of the mean are as often up as down: √2,703 of them, of 1e4 · 2⁻⁵³ each.
    assert (parts.covariance - whole.covariance).abs().max().item() < 52 * 4 * 1e4 * EPS
