"""The fast routes of the Fréchet distance are held to the plain one: eigenvectors of each covariance, singular values of the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from features import normal
from ganeval import FeatureStats, frechet_distance
from ganeval.factor import factor

DIM = 48


def plain_factor(stats: FeatureStats) -> Tensor:
    values, vectors = torch.linalg.eigh(stats.covariance)
    rank = stats.dim if stats.count is None else min(stats.dim, stats.count - 1)
    keep = values > values[-1] * stats.dim * torch.finfo(values.dtype).eps
    keep[: stats.dim - rank] = False
    product: Tensor = vectors[:, keep] * values[keep].sqrt()
    return product


def plain_distance(a: FeatureStats, b: FeatureStats) -> float:
    cross = torch.linalg.svdvals(plain_factor(b).T @ plain_factor(a)).sum()
    return float((a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2 * cross)


def spread_over(decades: float) -> Callable[[Tensor], Tensor]:
    """Variances that fall by so many decades, along directions that are none of the features'."""
    turn = torch.linalg.qr(normal(DIM, DIM, 9)).Q
    return lambda x: x * torch.logspace(0, -decades / 2, DIM, dtype=x.dtype) @ turn


def constant(x: Tensor) -> Tensor:
    return x.index_fill(1, torch.tensor([0, 7]), 3.0)


def duplicated(x: Tensor) -> Tensor:
    return torch.cat([x[:, : DIM // 2]] * 2, dim=1)


SETS: dict[str, Callable[[Tensor], Tensor]] = {
    "independent": lambda x: x,
    "tiny": lambda x: x * 1e-30,
    "huge": lambda x: x * 1e30,
    "scales from 1 to 1e-6": lambda x: x * torch.logspace(0, -6, DIM, dtype=x.dtype),
    "variances from 1 to 1e-4": spread_over(4),
    "variances from 1 to 1e-12": spread_over(12),
    "variances from 1 to 1e-20": spread_over(20),
    "constant features": constant,
    "duplicated features": duplicated,
    "one wide feature": lambda x: x * torch.ones(DIM, dtype=x.dtype).index_fill(0, torch.tensor(3), 1e5),
    "far from zero": lambda x: x + 1e3,
}
COUNTS = {
    "many": (500, 300),
    "just above dim": (DIM + 2, DIM + 1),
    "as dim": (DIM, DIM),
    "few": (20, 31),
    "few and many": (500, 20),
    "two": (2, 40),
}


def limit(a: FeatureStats, b: FeatureStats) -> float:
    """What both routes share: a covariance is known to rounding, of which the cross term has the root where a feature has no variance."""
    total = float(a.covariance.trace() + b.covariance.trace())
    shared = min(a.count or DIM, b.count or DIM) <= DIM or plain_factor(a).shape[1] < DIM or plain_factor(b).shape[1] < DIM
    return (1e-9 if shared else 1e-11) * total


@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
@pytest.mark.parametrize("made", SETS.values(), ids=SETS)
def test_the_distance_is_the_plain_one(made: Callable[[Tensor], Tensor], counts: tuple[int, int]) -> None:
    a, b = (FeatureStats.of(made(normal(num, DIM, seed) + 0.1 * seed)) for seed, num in enumerate(counts))
    expected = pytest.approx(plain_distance(a, b), rel=1e-10, abs=limit(a, b))
    assert frechet_distance(a, b) == expected
    assert frechet_distance(replace(a, rows=None), replace(b, rows=None)) == expected
    assert frechet_distance(b, a) == expected


@pytest.mark.parametrize("num", [20, DIM, DIM + 1, 500])
@pytest.mark.parametrize("made", SETS.values(), ids=SETS)
def test_equal_sets_are_at_distance_zero(made: Callable[[Tensor], Tensor], num: int) -> None:
    stats = FeatureStats.of(made(normal(num, DIM, 0)))
    for one in (stats, replace(stats, rows=None), FeatureStats(None, stats.mean, stats.covariance)):
        assert frechet_distance(stats, one) <= 1e-9 * stats.total_variance.item()


@pytest.mark.parametrize("made", SETS.values(), ids=SETS)
@pytest.mark.parametrize("num", [20, 500])
def test_a_factor_has_the_covariance_that_it_is_of(made: Callable[[Tensor], Tensor], num: int) -> None:
    stats = FeatureStats.of(made(normal(num, DIM, 1)))
    for one in (stats, replace(stats, rows=None), FeatureStats(None, stats.mean, stats.covariance)):
        product = one.factor @ one.factor.T
        assert (product - stats.covariance).norm() <= 1e-13 * DIM * stats.covariance.norm()
        assert one.factor.shape[1] <= DIM


def test_of_a_covariance_that_is_not_semidefinite_the_positive_part_is_taken() -> None:
    turn = torch.linalg.qr(normal(DIM, DIM, 9)).Q
    values = torch.linspace(-1e-3, 1, DIM, dtype=torch.float64)
    found = factor((turn * values) @ turn.T, DIM)
    torch.testing.assert_close(found @ found.T, (turn * values.clamp(min=0)) @ turn.T, rtol=0, atol=1e-14)


@given(cuts=st.lists(st.integers(1, 39), max_size=5), offset=st.sampled_from([0.0, 1e4]))
def test_rows_that_were_merged_have_the_scatter(cuts: list[int], offset: float) -> None:
    x = normal(40, DIM, 3) + offset
    parts = [FeatureStats.of(part) for part in x.tensor_split(sorted(set(cuts)))]
    whole = sum(parts[1:], parts[0])
    assert whole.rows is not None
    assert whole.rows.shape == (39, DIM)
    torch.testing.assert_close(whole.rows.T @ whole.rows, FeatureStats.of(x).scatter, rtol=0, atol=1e-12 * max(offset, 1) * 40)


def test_rows_are_kept_of_no_more_images_than_features() -> None:
    a, b = (FeatureStats.of(normal(num, DIM, num)) for num in (DIM - 5, 5))
    assert (a + b).rows is not None
    assert (a + b + FeatureStats.of(normal(1, DIM, 0))).rows is None
    assert FeatureStats.of(normal(DIM + 1, DIM, 0)).rows is None
