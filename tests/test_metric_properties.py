"""What metrics must say of sets whose score is known: equal, apart, copied, drawn alike."""

from __future__ import annotations

import math
from importlib import import_module

import pytest
import torch

import ganeval.metrics.distances
from features import DRAWN_BY_POSITION, SCORINGS, normal
from ganeval import FeatureStats, frechet_distance
from ganeval.metrics.authenticity import authpct
from ganeval.metrics.cmmd import cmmd
from ganeval.metrics.ct import ct
from ganeval.metrics.fld import fld
from ganeval.metrics.infinity import fid_infinity
from ganeval.metrics.kid import kid
from ganeval.metrics.manifold import KYNKAANNIEMI, NAEEM, Neighborhood, manifold
from ganeval.metrics.mifid import mifid
from ganeval.metrics.vendi import vendi

BOTH = pytest.mark.parametrize("neighborhood", [KYNKAANNIEMI, NAEEM], ids=["closed", "open"])


@BOTH
def test_sets_apart_share_no_neighborhoods(neighborhood: Neighborhood) -> None:
    assert [score.value for score in manifold(normal(50, 4, 1), normal(50, 4, 2, shift=100), neighborhood)] == [0, 0, 0, 0]


@BOTH
def test_equal_sets_hold_each_other(neighborhood: Neighborhood) -> None:
    x = normal(50, 4, 1)
    found = manifold(x, x, neighborhood)
    assert (found.precision.value, found.recall.value, found.coverage.value) == (1, 1, 1)
    # Each image is in its own neighborhood, and in k others on average if the surface counts.
    assert found.density.value == pytest.approx((neighborhood.k + neighborhood.closed) / neighborhood.k)


def test_equal_sets_have_no_cmmd() -> None:
    x = normal(50, 8, 1)
    assert cmmd(x, x.flip(0)).value == pytest.approx(0, abs=1e-10)  # 1000 times the rounding of means near 1


def test_copies_are_punished_by_mifid() -> None:
    real = normal(300, 4, 1)
    copies = (real + 0.01 * normal(300, 4, 2))[:200]
    honest = normal(200, 4, 3)
    plain = frechet_distance(FeatureStats.of(real), FeatureStats.of(copies))
    assert mifid(real, copies).value > 100 * plain
    far = mifid(real[:3], honest, threshold=1e-3).value
    assert far == pytest.approx(frechet_distance(FeatureStats.of(real[:3]), FeatureStats.of(honest)), rel=1e-9)
    twins = real.repeat(2, 1)
    assert mifid(real, twins).value >= 0  # the divisor is 1e-15, and the distance rounding


def test_vendi_counts_unlike_images() -> None:
    assert vendi(torch.eye(12, 20)).value == pytest.approx(12, rel=1e-12)
    assert vendi(torch.eye(12).repeat(3, 1)).value == pytest.approx(12, rel=1e-12)
    assert vendi(torch.ones(9, 5)).value == pytest.approx(1, rel=1e-12)
    assert vendi(-2.5 * torch.ones(3, 50)).value == pytest.approx(1, rel=1e-12)


def test_kid_of_one_distribution_is_zero_on_average() -> None:
    values = torch.tensor([kid(normal(40, 6, 2 * i), normal(40, 6, 2 * i + 1), num_subsets=1, subset_size=40).value for i in range(400)])
    standard_error = (values.std() / math.sqrt(len(values))).item()
    assert abs(values.mean().item()) < 4 * standard_error  # 4: a false alarm in 16,000
    assert standard_error < 0.02 * kid(normal(40, 6, 0), normal(40, 6, 1, shift=1), num_subsets=1, subset_size=40).value


def test_frechet_distance_at_infinity_has_lost_the_bias_of_few_fakes() -> None:
    # The reals are exact, N(0, I): all bias is that of the fakes, dim · (dim + 5) / 4N and 0.042 here to first order. What is left is the
    # sampling error, and the bend of the curve where the smallest subset, 200, has 12 images for each feature.
    real = FeatureStats(None, torch.zeros(16).double(), torch.eye(16).double())
    fakes = [normal(2000, 16, seed) for seed in range(5)]
    plain = [frechet_distance(real, FeatureStats.of(fake)) for fake in fakes]
    at_infinity = [fid_infinity(real, fake, spread=False).value for fake in fakes]
    assert sum(plain) / 5 == pytest.approx(16 * 21 / 8000, rel=0.2)
    assert abs(sum(at_infinity) / 5) < 0.2 * sum(plain) / 5


def test_honest_fakes_are_told_from_copies() -> None:
    train, held_out, honest = normal(600, 8, 1), normal(400, 8, 2), normal(400, 8, 3)
    nearly = train[:400] + 0.02 * normal(400, 8, 4)
    assert abs(ct(train, held_out, honest).value) < 3
    assert ct(train, held_out, nearly).value < -8
    assert ct(train, held_out, train[:400]).value < -8
    # Fakes as real as a training picture are as often nearer as farther: 50 %, of standard error 2.5, and as much from the reals.
    assert authpct(train, honest).value == pytest.approx(50, abs=12)
    assert authpct(train, train[:400]).value == 0
    assert authpct(train, nearly).value < 1
    scores = [fld(train, held_out, fake).value for fake in (honest, nearly, train[:400])]
    assert scores[0] < scores[1] - 10 < scores[2]


@pytest.mark.parametrize("name", SCORINGS)
def test_the_order_of_images_does_not_matter(name: str) -> None:
    sides = normal(150, 6, 1), normal(130, 6, 2), normal(140, 6, 3, shift=0.2)
    shuffled = [side[torch.randperm(len(side), generator=torch.Generator().manual_seed(9))] for side in sides]
    if name in DRAWN_BY_POSITION:
        assert SCORINGS[name](*sides) == SCORINGS[name](*sides)
    else:
        assert SCORINGS[name](*shuffled).value == pytest.approx(SCORINGS[name](*sides).value, rel=1e-8)


@pytest.mark.parametrize("name", SCORINGS)
def test_single_precision_is_scored_as_its_values_in_double(name: str) -> None:
    single = [side.float() for side in (normal(150, 6, 1), normal(130, 6, 2), normal(140, 6, 3, shift=0.2))]
    assert SCORINGS[name](*single) == SCORINGS[name](*(side.double() for side in single))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", SCORINGS)
def test_the_device_does_not_matter(name: str) -> None:
    sides = normal(150, 6, 1), normal(130, 6, 2), normal(140, 6, 3, shift=0.2)
    here, there = SCORINGS[name](*sides), SCORINGS[name](*(side.cuda() for side in sides))
    assert there.value == pytest.approx(here.value, rel=1e-7)
    assert there.error == pytest.approx(here.error, rel=1e-5)


@pytest.mark.parametrize("name", SCORINGS)
def test_blocks_do_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sides = normal(150, 6, 1), normal(130, 6, 2), normal(140, 6, 3, shift=0.2)
    whole = SCORINGS[name](*sides)
    monkeypatch.setattr(ganeval.metrics.distances, "BLOCK_ELEMENTS", 1000)
    monkeypatch.setattr(import_module("ganeval.metrics.fld"), "KEPT_ELEMENTS", 0)  # the package has a function of that name
    parts = SCORINGS[name](*sides)
    assert parts.value == pytest.approx(whole.value, rel=1e-9)
    assert parts.error == pytest.approx(whole.error, rel=1e-7)


@pytest.mark.parametrize(("dim", "least", "most"), [(2, 34, 40), (500, 70, 100)])
def test_what_honest_fakes_have_of_authenticity_depends_on_the_dimensions(dim: int, least: float, most: float) -> None:
    rng = torch.Generator().manual_seed(0)
    real, fake = (torch.rand(2000, dim, generator=rng) for _ in range(2))
    # In two dimensions 62 % of points are their nearest neighbor's nearest neighbor; 2,000 of them scatter by 1.1 %.
    assert least < authpct(real, fake).value < most
