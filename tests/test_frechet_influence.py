"""Influences of fakes on a Fréchet distance, against distances computed anew without each."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch
from torch import Tensor

from features import normal
from ganeval import FeatureStats, frechet_distance
from ganeval.metrics.frechet_error import derivatives, frechet_distances, scored_distance
from ganeval.metrics.frechet_influence import frechet_influences


def skewed(num: int, dim: int, seed: int, *, shift: float = 0.0) -> Tensor:
    """Features of falling variance with a tail to one side, as those of nets are."""
    x = normal(num, dim, seed)
    scaled: Tensor = (x + 0.3 * x.square()) * torch.arange(1, dim + 1, dtype=torch.float64) ** -0.5 + shift
    return scaled


def without_each(real: FeatureStats, fake: Tensor) -> Tensor:
    """What the distance gains by each fake, by brute force: [num_fake], times num_fake − 1."""
    whole = frechet_distance(real, FeatureStats.of(fake))
    others = torch.tensor(
        [frechet_distance(real, FeatureStats.of(torch.cat([fake[:i], fake[i + 1 :]]))) for i in range(len(fake))], dtype=torch.float64
    )
    return (whole - others) * (len(fake) - 1)


@pytest.mark.parametrize("num_real", [40, 1000], ids=["few reals", "many reals"])
@pytest.mark.parametrize(("num", "dim"), [(200, 8), (240, 64), (65, 64), (200, 250), (40, 64)])
def test_influences_are_what_leaving_each_image_out_shows(num: int, dim: int, num_real: int) -> None:
    real, fake = FeatureStats.of(skewed(num_real, dim, 1)), 1.5 * skewed(num, dim, 2, shift=0.3)
    influences, brute = frechet_influences(real, FeatureStats.of(fake), fake), without_each(real, fake)
    assert scipy.stats.spearmanr(influences, brute).statistic > 0.999
    # The integral errs by 3e-9 of itself; with fewer images than features singular values near 0 add √eps, times the count.
    torch.testing.assert_close(influences, brute, rtol=1e-5, atol=1e-5 * brute.abs().max().item())


def test_of_many_images_the_derivative_is_the_influence() -> None:
    real, fake = FeatureStats.of(skewed(5000, 4, 1)), 1.5 * skewed(20000, 4, 2, shift=0.3)
    stats = FeatureStats.of(fake)
    u, (first, second) = fake - stats.mean, (side.covariance.numpy() for side in (real, stats))
    root = scipy.linalg.sqrtm(first)
    shape = torch.from_numpy(np.eye(4) - root @ np.linalg.inv(scipy.linalg.sqrtm(root @ second @ root)) @ root)
    written_out = 2 * u @ (stats.mean - real.mean) + ((u @ shape) * u).sum(dim=1) - (shape @ stats.covariance).trace()
    found = derivatives(real, stats, fake)
    torch.testing.assert_close(found, written_out, rtol=1e-8, atol=1e-8)
    # The next order is u⁴ / N: at 20,000 images two thousandths of the largest.
    torch.testing.assert_close(frechet_influences(real, stats, fake), found, rtol=1e-2, atol=2e-3 * found.abs().max().item())


def test_images_of_a_sample_have_the_influence_that_they_have_among_all() -> None:
    real, fake = FeatureStats.of(skewed(500, 8, 1)), skewed(300, 8, 2)
    stats = FeatureStats.of(fake)
    torch.testing.assert_close(frechet_influences(real, stats, fake[40:90]), frechet_influences(real, stats, fake)[40:90])


@pytest.mark.parametrize("num_real", [20, 400], ids=["few reals", "many reals"])
@pytest.mark.parametrize("num", [12, 40, 300], ids=["fewer fakes than features", "about as many", "more"])
def test_distances_of_subsets_are_those_of_each_alone(num_real: int, num: int) -> None:
    real, fake = FeatureStats.of(skewed(num_real, 32, 1)), skewed(num, 32, 2, shift=0.2)
    rng = torch.Generator().manual_seed(3)
    chosen = torch.stack([torch.randperm(num, generator=rng) < size for size in (3, num // 2, num - 1, num)])
    expected = torch.tensor([frechet_distance(real, FeatureStats.of(fake[rows])) for rows in chosen], dtype=torch.float64)
    # √eps of the traces, as the docstring says.
    torch.testing.assert_close(frechet_distances(real, fake, chosen), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(("num", "dim"), [(400, 8), (60, 8), (20, 32)], ids=["derivatives", "left out", "fewer fakes than features"])
def test_the_error_belongs_to_the_value_it_was_given(num: int, dim: int) -> None:
    real, fake = FeatureStats.of(skewed(500, dim, 1)), skewed(num, dim, 2)
    stats = FeatureStats.of(fake)
    score = scored_distance(real, stats, fake, value=1.25)
    assert score.value == 1.25
    assert score.error is not None
    assert score.deviations is not None
    assert score.error > 0
    # Twenty groups give a root sum of squares that is right on average, and itself uncertain by 1/√38, 16 %.
    assert torch.tensor(score.deviations).norm().item() == pytest.approx(score.error, rel=0.5)


def test_a_sample_of_the_fakes_gives_the_error_of_all() -> None:
    real, fake = FeatureStats.of(skewed(500, 8, 1)), skewed(4000, 8, 2)
    stats = FeatureStats.of(fake)
    whole, sample = (scored_distance(real, stats, some, value=0.0).error for some in (fake, fake[:1000]))
    assert sample == pytest.approx(whole, rel=0.15)  # a standard deviation of 1000 skewed numbers: 5 %


@pytest.mark.parametrize(("number", "has_error"), [(2, False), (19, False), (20, True)])
def test_a_standard_error_takes_twenty_fakes(number: int, has_error: bool) -> None:
    fake = normal(number, 4, 1)
    score = scored_distance(FeatureStats.of(normal(9, 4, 2)), FeatureStats.of(fake), fake, value=1.0)
    assert (score.error is not None) == has_error
