"""What pictures of feature space are made of: the curve of precision and recall, principal components."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganeval.errors import InputError
from ganeval.metrics.prd import frontier, prd
from ganeval.metrics.principal import principal
from ganeval.pages.language import language
from ganeval.pages.space import maps


def modes(*shares: float) -> torch.Tensor:
    return torch.tensor(shares, dtype=torch.float64)


def test_fakes_of_half_the_modes_have_all_precision_and_half_the_recall() -> None:
    """α(λ) = min(λ/2, 1), β(λ) = min(1/2, 1/λ)."""
    found = frontier(modes(0.25, 0.25, 0.25, 0.25), modes(0.5, 0.5, 0, 0))
    slopes = torch.tan(torch.linspace(1e-6, torch.pi / 2 - 1e-6, 1001, dtype=torch.float64))
    assert torch.allclose(found.precision, (slopes / 2).clamp(max=1), atol=1e-12)
    assert torch.allclose(found.recall, (1 / slopes).clamp(max=0.5), atol=1e-12)


def test_fakes_that_are_half_junk_have_half_the_precision_and_all_recall() -> None:
    """α(λ) = min(λ, 1/2), β(λ) = min(1, 1/2λ)."""
    found = frontier(modes(0.5, 0.5, 0), modes(0.25, 0.25, 0.5))
    slopes = torch.tan(torch.linspace(1e-6, torch.pi / 2 - 1e-6, 1001, dtype=torch.float64))
    assert torch.allclose(found.precision, slopes.clamp(max=0.5), atol=1e-12)
    assert torch.allclose(found.recall, (0.5 / slopes).clamp(max=1), atol=1e-12)


def test_equal_distributions_reach_the_corner_and_disjoint_ones_nothing() -> None:
    p = modes(0.1, 0.2, 0.7)
    equal = frontier(p, p)
    assert torch.minimum(equal.precision, equal.recall).max().item() == pytest.approx(1, abs=2e-3)  # 1001 angles
    assert equal.f(8) == pytest.approx(1, abs=2e-3)
    apart = frontier(modes(1, 0), modes(0, 1))
    assert apart.precision.max().item() == 0
    assert apart.f(8) == 0


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8).filter(
        lambda pairs: sum(p for p, _ in pairs) > 0.1 and sum(q for _, q in pairs) > 0.1
    )
)
def test_swapping_the_sides_swaps_precision_and_recall(pairs: list[tuple[float, float]]) -> None:
    p, q = (side / side.sum() for side in torch.tensor(pairs, dtype=torch.float64).T)
    found, swapped = frontier(p, q), frontier(q, p)
    assert torch.allclose(found.precision, swapped.recall.flip(0), atol=1e-6)
    assert torch.allclose(found.recall, swapped.precision.flip(0), atol=1e-6)


def test_clusters_of_features_find_the_missing_modes() -> None:
    """Ten far-apart groups in the reals, five of them in the fakes: recall one half, precision one."""
    rng = torch.Generator().manual_seed(0)
    centers = 100 * torch.eye(10)
    real = (centers.repeat(20, 1) + torch.randn(200, 10, generator=rng)).float()
    fake = (centers[:5].repeat(40, 1) + torch.randn(200, 10, generator=rng)).float()
    found = prd(real, fake, num_clusters=10)
    precise = found.precision > 0.95
    assert found.recall[precise].max().item() == pytest.approx(0.5, abs=0.1)
    assert found.f(1 / 8) > 0.9 > 0.6 > found.f(8)
    again = prd(real, fake, num_clusters=10)
    assert torch.equal(found.precision, again.precision)


def test_a_curve_of_unequal_or_too_few_images_is_refused() -> None:
    features = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    with pytest.raises(InputError, match="as many fakes as reals"):
        prd(features, features[:25])
    with pytest.raises(InputError, match="at least 20; got 10 and 10"):
        prd(features[:10], features[:10])


@pytest.mark.parametrize("shape", [(50, 4), (4, 50)])
def test_principal_components_are_the_axes_of_an_ellipse_and_their_shares(shape: tuple[int, int]) -> None:
    rng = torch.Generator().manual_seed(0)
    num, dim = shape
    flat = torch.randn(num, 2, generator=rng, dtype=torch.float64)
    flat -= flat.mean(dim=0)
    flat = torch.linalg.qr(flat).Q * torch.tensor([3.0, 1.0], dtype=torch.float64)  # variances 9 to 1, uncorrelated
    turned = torch.linalg.qr(torch.randn(dim, dim, generator=rng, dtype=torch.float64)).Q[:2]
    found, shares = principal(flat @ turned + 7)
    assert torch.allclose(shares, torch.tensor([0.9, 0.1], dtype=torch.float64), atol=1e-9)
    assert torch.allclose(found.abs(), flat.abs(), atol=1e-7)


def test_points_that_are_all_one_have_a_map() -> None:
    found, shares = principal(torch.ones(5, 1))
    assert found.shape == (5, 2)
    assert not found.any()
    assert not shares.any()


def test_umap_has_a_map_of_its_own_where_it_is_installed() -> None:
    pytest.importorskip("umap")
    features = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    plots = list(maps(features[:30], features[30:], language("en"), seed=0))
    assert [plot.title for plot in plots] == ["Principal components", "UMAP"]
