"""What metrics refuse, and that they say what to do; and the fewest images that each takes."""

from __future__ import annotations

import contextlib

import pytest
import torch

from features import SCORINGS, normal
from ganeval import FeatureStats, InputError
from ganeval.metrics.authenticity import authpct
from ganeval.metrics.cmmd import cmmd
from ganeval.metrics.coverage import coverage
from ganeval.metrics.ct import ct
from ganeval.metrics.fld import fld
from ganeval.metrics.infinity import fid_infinity, is_infinity
from ganeval.metrics.kid import kid
from ganeval.metrics.manifold import KYNKAANNIEMI, NAEEM, Neighborhood, manifold
from ganeval.metrics.mifid import memorization_distances, mifid
from ganeval.metrics.vendi import vendi

X, H, Y = normal(150, 6, 1), normal(130, 6, 2), normal(140, 6, 3)
REAL_FREE = {"vendi", "is_infinity"}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", SCORINGS)
def test_features_that_are_not_finite_are_refused(name: str, bad: float) -> None:
    spoiled = Y.clone()
    spoiled[7, 2] = bad
    with pytest.raises(InputError, match=r"NaN or infinite.*check the"):
        SCORINGS[name](X, H, spoiled)
    if name not in REAL_FREE:
        with pytest.raises(InputError, match=r"NaN or infinite.*check the"):
            SCORINGS[name](spoiled, H, Y)


@pytest.mark.parametrize("name", sorted(SCORINGS.keys() - REAL_FREE - {"fid", "fid_infinity"}))
def test_features_of_two_extractors_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"one dim, got .*6.*5"):
        SCORINGS[name](X, H, Y[:, :5])


@pytest.mark.parametrize("name", SCORINGS)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_fake_or_two_are_scored_or_refused_in_words(name: str, number: int) -> None:
    """Never by a traceback of PyTorch, never as NaN."""
    with contextlib.suppress(InputError):
        score = SCORINGS[name](X, H, Y[:number])
        assert number == 2
        assert score.error is None  # what so few say of their own scatter is worth nothing


@pytest.mark.parametrize("name", SCORINGS)
def test_fakes_that_are_all_alike_are_scored_or_refused_in_words(name: str) -> None:
    alike = torch.full((140, 6), 0.3)
    if name in ("precision", "recall", "density", "coverage"):
        with pytest.raises(InputError, match=r"all 140 fake images have the same features.*check the images"):
            SCORINGS[name](X, H, alike)
    else:
        assert SCORINGS[name](X, H, alike).error is not None


@pytest.mark.parametrize("name", SCORINGS)
def test_reals_that_are_all_alike_are_scored_or_refused_in_words(name: str) -> None:
    alike = torch.full((140, 6), 0.3)
    if name in ("precision", "recall", "density", "coverage"):
        with pytest.raises(InputError, match=r"all 140 real images have the same features.*check the images"):
            SCORINGS[name](alike, H, Y)
    elif name == "fld":
        with pytest.raises(InputError, match="all 140 held-out pictures have the same features"):
            fld(X, alike, Y)
    elif name == "ct":
        with pytest.raises(InputError, match="training pictures have the same features"):
            ct(alike, H, Y)
    else:
        assert SCORINGS[name](alike, H, Y).error is not None


@pytest.mark.parametrize("score", [cmmd, mifid, memorization_distances])
def test_a_vector_of_zeros_is_named(score: object) -> None:
    assert callable(score)
    blank = Y.clone()
    blank[5] = 0
    with pytest.raises(InputError, match=r"features of image 5 .* all zero.*check that image"):
        score(X, blank)
    with pytest.raises(InputError, match="image 5"):
        score(blank, Y)
    with pytest.raises(InputError, match="image 5"):
        vendi(blank)


@pytest.mark.parametrize("k", [3, 5, 50])
def test_neighborhoods_need_more_images_than_neighbors(k: int) -> None:
    with pytest.raises(InputError, match=f"more than {k} images on each side, got {k} real"):
        manifold(X[:k], Y, Neighborhood(k, closed=True))
    with pytest.raises(InputError, match=f"more than {k} images on each side, got {k} fake"):
        manifold(X, Y[:k], Neighborhood(k, closed=True))
    if k == 50:
        with pytest.raises(InputError, match=rf"of {k + 1} are .*: add fakes, or choose a smaller k"):
            manifold(X, Y[: k + 1], Neighborhood(k, closed=True))
    with pytest.raises(InputError, match=f"more than {k} reals and at least one fake, got {k} and 140"):
        coverage(X[:k], Y, k=k)


@pytest.mark.parametrize("neighborhood", [KYNKAANNIEMI, NAEEM], ids=["k = 3", "k = 5"])
def test_a_dozen_images_are_enough_for_neighborhoods(neighborhood: Neighborhood) -> None:
    assert all(score.error is None and 0 <= score.value <= 2 for score in manifold(X[:12], Y[:12], neighborhood))
    assert all(score.error is not None for score in manifold(X[:12], Y[:20], neighborhood))


def test_subsets_must_fit() -> None:
    with pytest.raises(InputError, match="100 subsets of 1000 images, but there are 150 real and 140 fake; choose a subset size between 2"):
        kid(X, Y)
    with pytest.raises(InputError, match="0 subsets"):
        kid(X, Y, num_subsets=0, subset_size=10)
    with pytest.raises(InputError, match="subsets of 1 images"):
        kid(X, Y, subset_size=1)


@pytest.mark.slow
def test_extrapolation_needs_sixty_fakes() -> None:
    for num in (20, 59):
        with pytest.raises(InputError, match=f"at least 60 of them, got {num}; add images"):
            fid_infinity(FeatureStats.of(X), Y[:num])
        with pytest.raises(InputError, match=f"at least 60 of them, got {num}; add images"):
            is_infinity(Y[:num])
    for num in range(60, 140):  # each subset keeps two images without any one group
        assert fid_infinity(FeatureStats.of(X), Y[:num]).error is not None


def test_the_counts_that_are_too_few_are_named() -> None:
    with pytest.raises(InputError, match="at least 2 images on each side, got 150 real and 1 fake"):
        authpct(X, Y[:1])
    with pytest.raises(InputError, match="a real and at least 2 fakes, got 0 and 140"):
        cmmd(X[:0], Y)
    with pytest.raises(InputError, match="at least 64 training pictures, got 63; add images"):
        ct(X[:63], H, Y)
    with pytest.raises(InputError, match="got 20 fakes and 130 held-out pictures: add images"):
        ct(X, H, Y[:20])
    with pytest.raises(InputError, match="held-out pictures and fakes, got 0 and 140; add images"):
        ct(X, H[:0], Y)
    with pytest.raises(InputError, match="at least 2 of each, got 150 training, 1 held-out and 140 fake pictures; add images"):
        fld(X, H[:1], Y)
    with pytest.raises(InputError, match="at least 2 images on each side, got 150 real and 1 fake; add images"):
        mifid(X, Y[:1])
    with pytest.raises(InputError, match="at least 2 images, got 1; add images"):
        vendi(Y[:1])


def test_a_cell_on_the_edge_keeps_its_say_in_the_jackknife() -> None:
    # With 61 fakes in three cells, some cell has 21 at least, and may have no more: without a group it would have too few.
    for num in range(61, 90):
        assert ct(X, H, Y[:num]).error is not None
