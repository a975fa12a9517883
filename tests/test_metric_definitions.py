"""Metrics against their definitions, written out slowly: loops over images in NumPy, nothing of ours but what is drawn by chance.

1e-9 relative: both sides are float64, and sum in another order.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.cluster.vq import kmeans2
from torch import Tensor

from features import normal
from ganeval import FeatureStats, frechet_distance
from ganeval.metrics.authenticity import authpct
from ganeval.metrics.cmmd import cmmd
from ganeval.metrics.ct import ct
from ganeval.metrics.fld import fld
from ganeval.metrics.inception_score import inception_score
from ganeval.metrics.infinity import _subsets, fid_infinity, is_infinity
from ganeval.metrics.kid import kid
from ganeval.metrics.manifold import KYNKAANNIEMI, NAEEM, Neighborhood, manifold
from ganeval.metrics.mifid import memorization_distances, mifid

LIMIT = 1e-9
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def distance(a: Matrix, b: Matrix) -> float:
    return float(np.sqrt(sum((p - q) ** 2 for p, q in zip(a, b, strict=True))))


@pytest.fixture
def sides() -> tuple[Tensor, Tensor]:
    return normal(40, 3, 1), normal(30, 3, 2, shift=0.5)


@pytest.mark.parametrize("neighborhood", [KYNKAANNIEMI, NAEEM], ids=["closed", "open"])
def test_neighborhoods_are_counted_one_by_one(sides: tuple[Tensor, Tensor], neighborhood: Neighborhood) -> None:
    real, fake = (side.numpy() for side in sides)
    k, closed = neighborhood

    def radius(points: Matrix, i: int) -> float:
        return sorted(distance(points[i], points[j]) for j in range(len(points)) if j != i)[k - 1]

    def holds(points: Matrix, i: int, x: Matrix) -> bool:
        return distance(points[i], x) <= radius(points, i) if closed else distance(points[i], x) < radius(points, i)

    in_real = [[holds(real, i, y) for i in range(len(real))] for y in fake]
    in_fake = [[holds(fake, i, x) for i in range(len(fake))] for x in real]
    found = manifold(*sides, neighborhood)
    assert found.precision.value == pytest.approx(np.mean([any(row) for row in in_real]), rel=LIMIT)
    assert found.recall.value == pytest.approx(np.mean([any(row) for row in in_fake]), rel=LIMIT)
    assert found.density.value == pytest.approx(np.mean([sum(row) / k for row in in_real]), rel=LIMIT)
    assert found.coverage.value == pytest.approx(np.mean([any(row[i] for row in in_real) for i in range(len(real))]), rel=LIMIT)


def test_a_surface_decides_between_open_and_closed_neighborhoods() -> None:
    # On a line 0, 1, 2, … the third neighbor is 2 away inside and 3 at the ends; a fake at 12 is exactly 3 from the last of 0 … 9.
    real, fake = torch.arange(10.0)[:, None], torch.tensor([[12.0], [40.0], [41.0], [42.0], [43.0], [44.0]])
    assert manifold(real, fake, Neighborhood(3, closed=True)).precision.value == 1 / 6
    assert manifold(real, fake, Neighborhood(3, closed=False)).precision.value == 0


def test_kid_of_a_few_numbers_is_that_on_paper() -> None:
    # k(x, y) = (xy + 1)³. Reals 0 1: 1. Fakes 1 2: 27. Across: 1, 1, 8, 27, of mean 9.25. 1 + 27 − 2 · 9.25.
    real, fake = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])
    assert kid(real, fake, num_subsets=3, subset_size=2).value == pytest.approx(9.5, rel=LIMIT)


def test_cmmd_is_the_mean_over_all_pairs(sides: tuple[Tensor, Tensor]) -> None:
    x, y = ([row / np.sqrt((row**2).sum()) for row in side.numpy()] for side in sides)

    def kernel(a: list[Matrix], b: list[Matrix]) -> float:
        return float(np.mean([[np.exp(-(distance(p, q) ** 2) / (2 * 10**2)) for q in b] for p in a]))

    # Absolute: means near 1 cancel, and 1000 of their rounding remain.
    assert cmmd(*sides).value == pytest.approx(1000 * (kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)), abs=1e-9)


def test_a_fake_is_authentic_if_its_nearest_real_has_a_nearer_one(sides: tuple[Tensor, Tensor]) -> None:
    real, fake = (side.numpy() for side in sides)
    authentic = 0
    for y in fake:
        i = min(range(len(real)), key=lambda i: distance(real[i], y))
        authentic += distance(real[i], y) > min(distance(real[i], real[j]) for j in range(len(real)) if j != i)
    assert authpct(*sides).value == pytest.approx(100 * authentic / len(fake), rel=LIMIT)


def test_mifid_looks_for_the_nearest_real_of_each_fake(sides: tuple[Tensor, Tensor]) -> None:
    real, fake = sides
    nearest = [min(1 - abs(float(y @ x)) / float(x.norm() * y.norm()) for x in real) for y in fake]
    assert memorization_distances(real, fake).tolist() == pytest.approx(nearest, abs=1e-12)
    plain = frechet_distance(FeatureStats.of(real), FeatureStats.of(fake))
    memorization = float(np.mean(nearest))
    assert mifid(real, fake, threshold=memorization * 1.01).value == pytest.approx(plain / (memorization + 1e-15), rel=LIMIT)
    assert mifid(real, fake, threshold=memorization * 0.99).value == pytest.approx(plain, rel=LIMIT)


def test_ct_is_mann_whitneys_u_counted_pair_by_pair() -> None:
    train, held_out, fake = normal(150, 5, 1), normal(80, 5, 2), normal(90, 5, 3) * 0.8
    t, h, y = (side.numpy() for side in (train, held_out, fake))
    _, _, axes = np.linalg.svd(t - t.mean(axis=0), full_matrices=False)
    t, h, y = ((side - train.numpy().mean(axis=0)) @ axes.T for side in (t, h, y))
    # Distances do not know the signs of axes, but the first centers of k-means are drawn from coordinates: theirs must be ours.
    centers, _ = kmeans2(t, 3, minit="++", seed=np.random.default_rng(2020))

    def cell(point: Matrix) -> int:
        return int(np.argmin([distance(center, point) for center in centers]))

    total = weight = 0.0
    for number in range(3):
        near = [x for x in t if cell(x) == number]
        of_fakes, of_held_out = ([min(distance(p, x) for x in near) for p in side if cell(p) == number] for side in (y, h))
        m, n = len(of_fakes), len(of_held_out)
        if m <= 20:
            continue
        u = sum((a > b) + 0.5 * (a == b) for a in of_fakes for b in of_held_out)
        total += n * (u - m * n / 2) / np.sqrt(m * n * (m + n + 1) / 12)
        weight += n
    assert weight > 0
    assert ct(train, held_out, fake).value == pytest.approx(total / weight, rel=1e-6)  # ranks: all or nothing, but for the square root


@pytest.mark.parametrize("baseline", [0.0, 1.3664])
def test_fld_is_what_a_fit_by_automatic_gradients_finds(baseline: float) -> None:
    train, held_out, fake = normal(70, 4, 1), normal(50, 4, 2), normal(40, 4, 3) * 0.9
    dim, deviation, mean = 4, held_out.std(dim=0), held_out.mean(dim=0)
    x, h, y = ((side - mean) / deviation for side in (train, held_out, fake))

    def densities(points: Tensor, centers: Tensor, log_variance: Tensor) -> Tensor:
        scale = (log_variance.exp()[:, None] * torch.ones(dim)).sqrt()
        each: Tensor = torch.distributions.Normal(centers, scale).log_prob(points[:, None])  # [points, centers, dim]
        return each.sum(dim=2)

    start = [min(float((a - b).square().sum()) for a in x) for b in y]
    width = torch.tensor([np.log((nearest + 1e-3) / dim) for nearest in start], requires_grad=True)
    of_mean = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([width, of_mean], lr=0.5)
    center, losses = x.mean(dim=0), []
    for _ in range(50):
        adam.zero_grad()
        around_mean = densities(0.9 * (x - center), torch.zeros(1, dim, dtype=torch.float64), of_mean)
        loss = -torch.cat([densities(x, y, width) - np.log(len(y)), around_mean], dim=1).logsumexp(dim=1).mean() / dim
        loss.backward()
        adam.step()
        losses.append(loss.item())
        if len(losses) > 6 and max(abs(losses[-1] - one) for one in losses[-5:]) < 5e-4:
            break
    likelihood = (densities(h, y, width).logsumexp(dim=1) - np.log(len(y))).mean().item()
    # 1e-6: Adam divides gradients by their own size, which keeps rounding alive over fifty steps.
    assert fld(train, held_out, fake, baseline=baseline).value == pytest.approx(100 * (-likelihood / dim - baseline), rel=1e-6)


def test_scores_at_infinity_are_where_polyfit_meets_zero() -> None:
    real, fake = FeatureStats.of(normal(200, 6, 1)), normal(150, 6, 2, shift=0.3)
    chosen = _subsets(len(fake), 2020)
    sizes = chosen.sum(dim=1).numpy()
    assert sizes[0] == 15
    assert sizes[-1] == 150
    distances = [frechet_distance(real, FeatureStats.of(fake[rows])) for rows in chosen]
    scores = [inception_score(fake[rows], num_splits=1, order="stored").value for rows in chosen]
    # 1e-7: distances of subsets are exact to √eps.
    assert fid_infinity(real, fake).value == pytest.approx(np.polyfit(1 / sizes, distances, 1)[1], rel=1e-7)
    assert is_infinity(fake).value == pytest.approx(np.polyfit(1 / sizes, scores, 1)[1], rel=LIMIT)
