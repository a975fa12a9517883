"""Counts from float32 are those of plain float64, one pair after the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import ganeval.metrics.bounds
from features import normal
from ganeval.metrics.bounds import Bounds, Points
from ganeval.metrics.manifold import KYNKAANNIEMI, NAEEM, Neighborhood, manifold

BOTH = pytest.mark.parametrize("neighborhood", [KYNKAANNIEMI, NAEEM], ids=["closed", "open"])


def lattice(num: int, seed: int) -> Tensor:
    return torch.randint(0, 4, (num, 3), generator=torch.Generator().manual_seed(seed)).double()


def clusters(seed: int) -> Tensor:
    """Nearer to each other than float32 can tell, beside the way to the other cluster."""
    return torch.eye(2, 8, dtype=torch.float64).repeat(100, 1) + 1e-5 * normal(200, 8, seed)


X, Y = normal(200, 8, 1), normal(150, 8, 2, shift=0.2)
SETS = {
    "drawn alike": (X, Y),
    "ties": (lattice(200, 1), lattice(150, 2)),
    "copies": (torch.cat([X, X[:50]]), torch.cat([X[:100], Y[:20], Y[:20]])),
    "the same": (X, X),
    "far from 0": (X.double() + 1e7, Y.double() + 1e7),
    "far apart": (X, Y + 1e4),
    "an outlier": (X, torch.cat([Y, torch.full((1, 8), 1e6)])),
    "large": (X * 1e30, Y * 1e30),
    "small": (X * 1e-30, Y * 1e-30),
    "tight clusters": (clusters(1), clusters(2)),
    "half precision": (X.half(), Y.half()),
}
EVERY = pytest.mark.parametrize("sides", SETS.values(), ids=SETS)


def plain(real: Tensor, fake: Tensor, neighborhood: Neighborhood) -> list[float]:
    def distances(a: Tensor, b: Tensor) -> Tensor:
        unit = max(real.double().abs().max(), fake.double().abs().max())
        return ((a.double()[:, None] - b.double()) / 2.0 ** unit.log2().floor()).square().sum(dim=2)

    def radii(a: Tensor) -> Tensor:
        return distances(a, a).fill_diagonal_(torch.inf).kthvalue(neighborhood.k).values

    across = distances(real, fake)
    in_real, in_fake = (across <= reach if neighborhood.closed else across < reach for reach in (radii(real)[:, None], radii(fake)))
    shares = [in_real.any(dim=0), in_fake.any(dim=1), in_real.double().sum(dim=0) / neighborhood.k, in_real.any(dim=1)]
    return [share.double().mean().item() for share in shares]


@pytest.fixture
def in_float64() -> Iterator[None]:
    """What a user does who lets products round further: nothing may then hang on float32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    yield
    torch.set_float32_matmul_precision(before)


@EVERY
@BOTH
@pytest.mark.parametrize("tile", [1000, 2**23])
def test_counts_are_those_of_pairs_one_by_one(
    sides: tuple[Tensor, Tensor], neighborhood: Neighborhood, tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ganeval.metrics.bounds, "TILE_ELEMENTS", tile)
    found = manifold(*sides, neighborhood, spread=False)
    assert [score.value for score in found] == pytest.approx(plain(*sides, neighborhood), abs=1e-12)
    assert all(score.error is None for score in found)


@EVERY
@BOTH
def test_errors_leave_the_values_as_they_are(sides: tuple[Tensor, Tensor], neighborhood: Neighborhood) -> None:
    with_errors = manifold(*sides, neighborhood)
    assert [score.value for score in with_errors] == [score.value for score in manifold(*sides, neighborhood, spread=False)]
    assert all(score.error is not None for score in with_errors)


@pytest.mark.parametrize("name", sorted(SETS.keys() - {"ties", "copies"}))  # of which products in float64 break some
@BOTH
def test_errors_are_those_from_float64(name: str, neighborhood: Neighborhood, request: pytest.FixtureRequest) -> None:
    fast = manifold(*SETS[name], neighborhood)
    request.getfixturevalue("in_float64")
    for one, other in zip(fast, manifold(*SETS[name], neighborhood), strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-12)
        assert one.error == pytest.approx(other.error, abs=1e-12)


@EVERY
def test_bounds_hold_every_distance(sides: tuple[Tensor, Tensor]) -> None:
    scale = 0.5 ** int(max(side.double().abs().max() for side in sides).log2().ceil())
    first = Points(sides[0], scale=scale, dtype=torch.float32)
    bounds = Bounds(first, Points(sides[1], scale=scale, dtype=torch.float32, center=first.center))
    i, j = torch.cartesian_prod(torch.arange(len(sides[0])), torch.arange(20)).T
    below = bounds.below(slice(None), slice(0, 20)).flatten().double()
    exact = bounds.exact(i[:500], j[:500])
    assert (below[:500] <= exact).all()
    assert (exact <= bounds.above(below, i, j)[:500]).all()
