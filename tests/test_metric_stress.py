"""Every row of METRICS on sets that strain it: odd shapes, scales from 1e-44 to 1e38, offsets, growing damage.

Tolerances, and why: times a power of two all arithmetic is exact, but LAPACK may choose other steps: 1e-9 of the value; the standard error,
a difference of scores, 1e-6. Turned features are rounded anew, to 1e-16 of themselves, and sums of some thousand terms lose two digits:
1e-9; FLD's fit keeps rounding alive over fifty steps of Adam: 1e-6. Shifted by `FAR`, a mean is known to FAR · 2⁻⁵³, 1e-10 of a deviation;
the drawn features are multiples of 2⁻²⁰ so that the shift itself rounds nothing: 1e-8. Counts are counts, and stay.
"""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from features import normal
from ganeval import InputError
from ganeval.metrics.kid import kid
from rows import FRECHET, OF_LOGITS, ROWS, SHARES, odd_sets, scored

FAR = 2.0**20
POWER = dict.fromkeys((*FRECHET, "fid_infinity"), 2)  # of the scale, in the score
SETTLES = {"fld": 1e-6}
ALL = pytest.mark.parametrize("name", ROWS)
DISTINCT = [name for name in ROWS if name not in ("sfid", "fd_dinov2", "fd_clip")]  # those are "fid" here
FREE_OF_SCALE = [name for name in DISTINCT if name not in OF_LOGITS and name != "kid"]
FREE_OF_ORIGIN = [name for name in FREE_OF_SCALE if name not in ("vendi", "cmmd", "mifid")]
FREE_OF_AXES = [name for name in DISTINCT if name not in OF_LOGITS and name not in ("fld",)]


def drawn(num: int = 72, dim: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    sides = normal(num, dim, 1), normal(num + 2, dim, 2), normal(num + 4, dim, 3, shift=0.2)
    real, held_out, fake = ((side * 2**20).round() / 2**20 for side in sides)
    return real, held_out, fake


def least(name: str) -> float:
    """What no score is below."""
    if name in ("is", "intra_is", "vendi"):
        return 1 - 1e-9
    return 0.0 if name in {*FRECHET, *SHARES, "density", "authpct", "cmmd"} else -math.inf


def check_number_or_words(name: str, sides: tuple[Tensor, Tensor, Tensor]) -> None:
    """`Score` takes no NaN and no infinity."""
    with suppress(InputError):
        score = scored(name, *sides)
        assert score.value >= least(name)
        assert name not in SHARES or score.value <= 1
        assert score.error is None or score.error >= 0
        assert score.spread is None or score.spread >= 0


@ALL
@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(sides=odd_sets())
def test_whatever_the_sets_a_score_is_a_number_or_refused_in_words(name: str, sides: tuple[Tensor, Tensor, Tensor]) -> None:
    check_number_or_words(name, sides)


@ALL
@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(sides=odd_sets())
def test_many_odd_sets_are_scored_or_refused_in_words(name: str, sides: tuple[Tensor, Tensor, Tensor]) -> None:
    check_number_or_words(name, sides)


@ALL
@pytest.mark.parametrize("scale", [1e-60, 1e60, 1e200, 1e308])
def test_numbers_beyond_float32_are_refused_and_not_scored_wrongly(name: str, scale: float) -> None:
    sides = [side.clamp(-1, 1) * scale for side in drawn()]
    if name in OF_LOGITS and scale < 1:  # these are of differences, which may be 0
        assert scored(name, *sides).value == pytest.approx(1)
    else:
        with pytest.raises(InputError, match=r"numbers that float32 can hold.*scale its (features|logits)"):
            scored(name, *sides)


@pytest.mark.parametrize("exponent", [-100, 120])
@pytest.mark.parametrize("name", FREE_OF_SCALE)
def test_scores_follow_the_scale(name: str, exponent: int) -> None:
    sides, scale = drawn(), 2.0**exponent
    plain, scaled = scored(name, *sides), scored(name, *(side * scale for side in sides))
    times = scale ** POWER.get(name, 0)
    assert scaled.value == pytest.approx(plain.value * times, rel=1e-9, abs=1e-12 * times)
    assert plain.error is not None
    assert scaled.error == pytest.approx(plain.error * times, rel=1e-6, abs=1e-12 * times)


@pytest.mark.parametrize("name", FREE_OF_ORIGIN)
def test_scores_do_not_know_the_origin(name: str) -> None:
    sides = drawn()
    shift = FAR * torch.tensor([1, -1, 0.5, 0.25, -0.75], dtype=torch.float64)
    plain, moved = scored(name, *sides), scored(name, *(side + shift for side in sides))
    limit = SETTLES.get(name, 1e-8)
    assert moved.value == pytest.approx(plain.value, rel=limit, abs=limit)
    assert moved.error == pytest.approx(plain.error, rel=1e-5)


@pytest.mark.parametrize("name", FREE_OF_AXES)
def test_scores_do_not_know_the_axes(name: str) -> None:
    sides = drawn()
    turn = torch.linalg.qr(normal(5, 5, 9)).Q
    assert scored(name, *(side @ turn for side in sides)).value == pytest.approx(scored(name, *sides).value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["fid", "sfid", "cmmd", "kid"])
def test_distances_do_not_know_which_side_is_which(name: str) -> None:
    real, held_out, fake = drawn()
    whole = {"num_subsets": 1, "subset_size": len(real)}  # all images, so that no subset is drawn from one side first
    one, other = scored(name, real, held_out, fake[: len(real)], **whole), scored(name, fake[: len(real)], held_out, real, **whole)
    assert other.value == pytest.approx(one.value, rel=1e-9)


@pytest.mark.parametrize(("name", "mirrored"), [("precision", "recall"), ("prdc_precision", "prdc_recall")])
def test_precision_is_the_recall_of_the_sides_exchanged(name: str, mirrored: str) -> None:
    real, held_out, fake = drawn()
    assert scored(name, real, held_out, fake).value == scored(mirrored, fake, held_out, real).value


@pytest.mark.parametrize("exponent", [-100, 0, 100])
@pytest.mark.parametrize("name", sorted({*FRECHET, *SHARES, "cmmd", "authpct"} - {"mifid"}))
def test_equal_sets_have_the_score_of_equal_sets_at_any_scale(name: str, exponent: int) -> None:
    x = drawn()[0] * 2.0**exponent
    expected = 1 if name in SHARES else 0
    assert scored(name, x, x, x).value == pytest.approx(expected, abs=1e-8 * max(1.0, 4.0**exponent) if name in FRECHET else 1e-9)


# Not CMMD, which sees directions only, nor recall, which noise flatters: fakes far from each other have large neighborhoods.
GROWING = ["fid", "intra_fid", "mifid", "fid_infinity", "kid", "fld", "ct"]
FALLING = ["precision", "prdc_precision", "density", "coverage"]


@pytest.mark.parametrize("name", [*GROWING, *FALLING])
def test_growing_noise_makes_a_score_worse_at_each_step(name: str) -> None:
    # Steps of a deviation and more, of 200 images: some standard errors each, so that chance does not turn the order. Shares may reach 0.
    real, held_out, fake, noise = (normal(200, 5, seed) for seed in range(4))
    values = [scored(name, real, held_out, fake + size * noise).value for size in (0, 2, 6, 20)]
    assert values == sorted(values, reverse=name in FALLING), values
    assert values[0] != values[-1]


@pytest.mark.parametrize("name", ["fid", "kid", "cmmd", "fld", "ct"])
def test_the_farther_the_fakes_the_larger_a_distance(name: str) -> None:
    real, held_out, fake = (normal(200, 5, seed) for seed in range(3))
    values = [scored(name, real, held_out, fake + shift).value for shift in (0.0, 0.7, 1.5, 4.0)]
    assert values == sorted(values), values
    assert values[0] < values[-1]


@pytest.mark.parametrize("name", ["vendi", "recall", "prdc_recall", "coverage", "is", "is_infinity"])
def test_fewer_and_fewer_different_fakes_lower_what_diversity_is_measured_by(name: str) -> None:
    real, held_out, fake = (normal(200, 5, seed) * (4 if name in OF_LOGITS else 1) for seed in range(3))
    fewer = [fake, *(fake[:left].repeat(200 // left, 1) + 1e-3 * normal(200, 5, 5) for left in (40, 10, 2))]
    values = [scored(name, real, held_out, one).value for one in fewer]
    if name in OF_LOGITS:  # that of few classes
        values = [scored(name, real, held_out, fake * size).value for size in (4.0, 1.0, 0.3, 0.05)]
    assert values == sorted(values, reverse=True), values
    assert values[-1] < 0.7 * values[0]


@settings(max_examples=20)
@given(exponent=st.integers(-140, -40), seed=st.integers(0, 100))
def test_small_features_have_the_kernel_distance_of_their_means(exponent: int, seed: int) -> None:
    # (1 + t)³ − 1 is 3t where t is below rounding: the unbiased square of the distance of means, times 3 / dim.
    x, y = normal(20, 4, seed), normal(20, 4, seed + 1, shift=1.0)
    scale = 2.0**exponent
    found = kid(x * scale, y * scale, num_subsets=1, subset_size=20)
    within = sum((side.sum(dim=0).square().sum() - side.square().sum()).item() / (20 * 19) for side in (x, y))
    expected = 3 / 4 * (within - 2 * (x.mean(dim=0) @ y.mean(dim=0)).item()) * scale**2
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.error is not None
    assert 0 < found.error < abs(expected) * 10


@settings(max_examples=20)
@given(exponent=st.integers(40, 120), seed=st.integers(0, 100))
def test_large_features_have_the_cubic_kernel_alone(exponent: int, seed: int) -> None:
    x, y = normal(20, 4, seed), normal(20, 4, seed + 1, shift=1.0)
    scale = 2.0**exponent
    found = kid(x * scale, y * scale, num_subsets=1, subset_size=20)
    of_reals, of_fakes, across = ((a @ b.T / 4) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = sum((table.sum() - table.trace()).item() / (20 * 19) for table in (of_reals, of_fakes))
    assert found.value / scale**6 == pytest.approx(within - 2 * across.mean().item(), rel=1e-9)
    assert found.error is not None
    assert math.isfinite(found.error)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.3), (1e-2, 0.0), (1e-3, 0.3)])
def test_the_error_of_kid_is_the_scatter_of_its_values_at_any_scale(scale: float, shift: float) -> None:
    # 150 draws know a standard deviation to 6 %, and the error of each is an estimate too.
    real = normal(100, 8, 0) * scale
    scores = [kid(real, normal(100, 8, seed, shift=shift) * scale, num_subsets=1, subset_size=100) for seed in range(1, 151)]
    scatter = torch.tensor([score.value for score in scores], dtype=torch.float64).std().item()
    errors = torch.tensor([score.error for score in scores], dtype=torch.float64)
    assert 0.75 < errors.square().mean().sqrt().item() / scatter < 1.35


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize(("num", "dim"), [(2, 8), (3, 8), (20, 2), (21, 8), (64, 8), (66, 200)])
def test_few_images_or_many_features_are_scored_or_refused_in_words(name: str, num: int, dim: int) -> None:
    real, held_out, fake = (normal(num, dim, seed) for seed in (1, 2, 3))
    with suppress(InputError):
        score = scored(name, real, held_out, fake, subset_size=min(num, 30))
        assert score.value >= least(name)
        assert score.error is None or num >= 20 or name == "kid"


@pytest.mark.slow
@pytest.mark.parametrize("name", DISTINCT)
def test_four_thousand_features_are_scored(name: str) -> None:
    sides = normal(130, 4096, 1), normal(130, 4096, 2), normal(130, 4096, 3)
    score = scored(name, *sides)
    assert score.value >= least(name)
    assert score.error is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fid", "is", "kid", "sfid", "intra_fid", "intra_is", "vendi", "is_infinity", "fid_infinity"])
def test_a_hundred_thousand_images_are_scored(name: str) -> None:
    """Those whose work grows as the number of images does; the others take its square."""
    sides = normal(100_000, 8, 1), normal(100, 8, 2), normal(100_000, 8, 3)
    score = scored(name, *sides)
    assert score.value >= least(name)
    if name in FRECHET:  # equal distributions: a few standard errors, and the bias of dim (dim + 5) / 4N for each side
        assert score.value < 2e-3
