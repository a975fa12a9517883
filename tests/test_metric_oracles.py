"""Metrics against the packages of others, on the same features in float64, where rounding decides nothing.

1e-6 is the limit everywhere: it is far above what float64 leaves, and far below what another definition would make.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

for package in ("prdc", "sklearn", "torch_fidelity", "torchmetrics", "vendi_score"):
    pytest.importorskip(package, reason="peers are not installed: pip install '.[peers]'")

import prdc
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure
from torchmetrics.image.mifid import _mifid_compute
from vendi_score import vendi as vendi_package

from features import normal
from ganeval.metrics.coverage import coverage
from ganeval.metrics.kid import kid
from ganeval.metrics.manifold import KYNKAANNIEMI, NAEEM, manifold
from ganeval.metrics.mifid import mifid
from ganeval.metrics.paired import psnr, ssim
from ganeval.metrics.vendi import vendi

pytestmark = pytest.mark.peers
LIMIT = 1e-6
SIZES = [(60, 60, 4), (200, 150, 16), (90, 240, 64), (300, 300, 2)]  # reals, fakes, dim


@pytest.fixture(params=SIZES, ids=str)
def sides(request: pytest.FixtureRequest) -> tuple[Tensor, Tensor]:
    num_real, num_fake, dim = request.param
    return normal(num_real, dim, 1), normal(num_fake, dim, 2, shift=0.2) * 0.9


def test_neighborhoods_of_naeem_equal_those_of_prdc(sides: tuple[Tensor, Tensor]) -> None:
    real, fake = sides
    expected = prdc.compute_prdc(real.numpy(), fake.numpy(), nearest_k=5)
    for name, score in manifold(real, fake, NAEEM)._asdict().items():
        assert score.value == pytest.approx(expected[name], abs=LIMIT), name
    assert coverage(real, fake, k=5) == pytest.approx(expected["coverage"], abs=LIMIT)


@pytest.mark.slow
def test_neighborhoods_of_normal_features_equal_the_published_ones() -> None:
    """Of the README of prdc: real and fake from N(0, I), 10,000 × 1,000, k = 5; unseeded, so only sampling error may tell them apart."""
    real, fake = (torch.randn(10_000, 1000, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) for seed in (1, 2))
    found = manifold(real, fake, NAEEM)
    # Stated before the first run. A draw of fakes moves a score by its error. Reals were drawn too: to precision they are what fakes are
    # to recall; to coverage they are a share of independent reals; to density both sides are taken to be alike. Two draws differ by √2
    # times that, and 3 standard errors are allowed.
    precision, recall, density, covered = (score.error or 0.0 for score in found)
    of_coverage = math.hypot(covered, math.sqrt(0.9735 * (1 - 0.9735) / 10_000))
    allowed = {
        "precision": math.hypot(precision, recall),
        "recall": math.hypot(precision, recall),
        "density": math.sqrt(2) * density,
        "coverage": of_coverage,
    }
    published = {"precision": 0.4772, "recall": 0.4705, "density": 1.0555, "coverage": 0.9735}
    for name, score in found._asdict().items():
        assert abs(score.value - published[name]) < 3 * math.sqrt(2) * allowed[name], f"{name}: {score.value:.4f}"


def test_precision_and_recall_equal_those_of_torch_fidelity(sides: tuple[Tensor, Tensor]) -> None:
    real, fake = sides
    options = {"prc_neighborhood": 3, "prc_batch_size": 64, "save_cpu_ram": False, "verbose": False}
    expected = prc_features_to_metric(fake, real, **options)
    found = manifold(real, fake, KYNKAANNIEMI)
    assert found.precision.value == pytest.approx(expected[KEY_METRIC_PRECISION], abs=LIMIT)
    assert found.recall.value == pytest.approx(expected[KEY_METRIC_RECALL], abs=LIMIT)


@pytest.mark.parametrize(("num_subsets", "subset_size"), [(7, 30), (1, 60), (100, 10)])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_kid_and_its_spread_equal_those_of_torch_fidelity(num_subsets: int, subset_size: int, shift: float) -> None:
    real, fake = normal(90, 16, 1), normal(60, 16, 2, shift=shift)
    options = {"kid_subsets": num_subsets, "kid_subset_size": subset_size, "rng_seed": 2020, "verbose": False}
    expected = kid_features_to_metric(fake, real, **options)  # it takes the fakes first
    found = kid(real, fake, num_subsets=num_subsets, subset_size=subset_size)
    assert found.value == pytest.approx(expected[KEY_METRIC_KID_MEAN], rel=LIMIT, abs=1e-12)
    assert found.spread == pytest.approx(expected[KEY_METRIC_KID_STD], rel=LIMIT, abs=1e-12)


def test_vendi_equals_the_package_of_its_authors(sides: tuple[Tensor, Tensor]) -> None:
    for x in sides:
        assert vendi(x).value == pytest.approx(vendi_package.score_dual(x.numpy()), rel=LIMIT)
        assert vendi(x).value == pytest.approx(vendi_package.score_X(x.numpy()), rel=LIMIT)


@pytest.mark.parametrize("threshold", [0.1, 0.5], ids=["not punished", "punished"])
def test_mifid_equals_that_of_torchmetrics_with_the_sides_swapped(sides: tuple[Tensor, Tensor], threshold: float) -> None:
    def of_torchmetrics(a: Tensor, b: Tensor) -> float:
        return float(_mifid_compute(a.mean(dim=0), a.T.cov(), a, b.mean(dim=0), b.T.cov(), b, cosine_distance_eps=threshold))

    real, fake = sides
    # Its metric gives the reals first, which takes the nearest fake of each real.
    assert mifid(fake, real, threshold=threshold).value == pytest.approx(of_torchmetrics(real, fake), rel=LIMIT)
    assert mifid(real, fake, threshold=threshold).value == pytest.approx(of_torchmetrics(fake, real), rel=LIMIT)


def test_similarity_of_pairs_equals_that_of_torchmetrics() -> None:
    rng = np.random.default_rng(0)
    target = torch.from_numpy(rng.integers(0, 256, (5, 3, 24, 31), dtype=np.uint8))
    fake = (target.double() + 20 * torch.from_numpy(rng.standard_normal(target.shape))).clamp(0, 255).round().to(torch.uint8)
    whole = structural_similarity_index_measure(fake.double(), target.double(), data_range=255.0, return_full_image=True)
    # Its own mean takes in 5 pixels on each side, where the window looks at mirrored ones.
    similarity = whole[1][:, :, 5:-5, 5:-5].mean(dim=(1, 2, 3))
    ratio = peak_signal_noise_ratio(fake.double(), target.double(), data_range=255.0, reduction="none", dim=(1, 2, 3))
    torch.testing.assert_close(ssim(fake, target), similarity, rtol=LIMIT, atol=LIMIT)
    torch.testing.assert_close(psnr(fake, target), ratio.double(), rtol=LIMIT, atol=LIMIT)
