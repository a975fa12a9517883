"""METRICS: what holds for every row at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

import ganeval.measured
from ganeval import METRICS, FeatureStats, InputError, Score
from ganeval.citations import entries
from ganeval.conventions import convention_named
from ganeval.measured import Measured, Rows, Vectors
from ganeval.metrics import Metric, Sets, Settings, paired, score_key

SETTINGS = Settings(convention=convention_named("ttur"), num_subsets=20, subset_size=50, num_splits=2, spread=True)
DIM, CLASSES, NUMBER = 8, 5, 200

# Their subsets, splits or clusters follow from the order that images come in, as the conventions want it; an image more to the left
# is another draw of a subset, so the value moves by less than its own uncertainty.
SEEDED = {"is", "kid", "fid_infinity", "is_infinity", "ct", "intra_is"}
KNOWS_NO_REALS = {"is", "is_infinity", "vendi", "intra_is"}
LOOKS_FOR_COPIES = {"authpct": "higher", "ct": "higher", "fld": "lower"}  # for them the reals themselves are bad fakes: a new draw is …

pytestmark = pytest.mark.usefixtures("one_thread")


def features(seed: int, *, number: int = NUMBER, shift: float = 0.0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(number, DIM, generator=rng) + 3 + shift  # off 0: a direction is then of some meaning


def measured(x: Tensor) -> Measured:
    """What a network would leave whose features, logits and spatial features are all made of `x`."""
    stats, classes = FeatureStats.of(x), tuple("ab"[i % 2] for i in range(len(x)))
    images = (x * 20).clamp(0, 255).byte()[:, :, None, None].repeat(1, 1, 11, 11)[:, :3]
    # A side has no pairs by itself: these are with the same pictures upside down.
    pairs = {name: getattr(paired, name)(images, images.flip(2) // 2) for name in ("l1", "psnr", "ssim")}
    pairs["lpips"] = pairs["l1"]
    return Measured(stats=stats, features=x, logits=x[:, :CLASSES], spatial=Vectors(stats=stats, sample=x), classes=classes, pairs=pairs)


def score(metric: Metric, real: Tensor, fake: Tensor, settings: Settings = SETTINGS) -> Score:
    sets = Sets(real=measured(real), fake=measured(fake), held_out=measured(features(99)))
    return metric.score(sets, settings, True)[""]


rows = pytest.mark.parametrize("name", METRICS)


@rows
def test_scores_are_floats_with_an_error_and_what_groups_add_to_it(name: str) -> None:
    found = score(METRICS[name], features(0), features(1))
    assert type(found.value) is float
    assert type(found.error) is float
    assert found.error >= 0
    low, high = found.interval()
    assert low <= found.value <= high
    if found.deviations is not None:
        assert len(found.deviations) == 20
        # 20 groups estimate an error to within 1/√38 = 16 %; four times that is beyond chance.
        assert math.hypot(*found.deviations) == pytest.approx(found.error, rel=0.65)


@rows
def test_the_order_of_images_does_not_matter(name: str) -> None:
    real, fake = features(0), features(1)
    classes = torch.arange(NUMBER)
    turned = torch.cat([classes[2:], classes[:2]])  # by two, so that every image keeps its class
    before, after = score(METRICS[name], real, fake), score(METRICS[name], real[turned], fake[turned])
    if name in SEEDED:
        assert abs(before.value - after.value) <= 3 * (before.error or 0.0) + (before.spread or 0.0)
    else:
        assert after.value == pytest.approx(before.value, rel=1e-9)


@rows
def test_equal_sets_give_the_best_value_there_is(name: str) -> None:
    metric, real = METRICS[name], features(0)
    if name in KNOWS_NO_REALS or metric.paired:
        pytest.skip("knows no reals, or only its own pairs")
    equal = score(metric, real, real.clone()).value
    others = [score(metric, real, features(1, shift=shift)).value for shift in (0.5, 1.5)]
    if name in LOOKS_FOR_COPIES:
        new_draw = score(metric, real, features(1)).value
        assert new_draw > equal if LOOKS_FOR_COPIES[name] == "higher" else new_draw < equal
    elif metric.better == "higher":
        assert all(equal >= other for other in others)
    else:
        assert all(equal <= other for other in others)


@rows
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_single_and_double_precision_features_give_the_same_score(name: str, dtype: torch.dtype) -> None:
    real, fake = features(0), features(1)
    found = score(METRICS[name], real.to(dtype), fake.to(dtype)).value
    assert found == pytest.approx(score(METRICS[name], real, fake).value, rel=1e-9)


@rows
def test_fewer_images_than_the_row_says_are_too_few(name: str) -> None:
    metric = METRICS[name]
    fewest = metric.fewest(SETTINGS)
    if fewest == 1:
        pytest.skip("one pair is a score")
    with pytest.raises(InputError):
        score(metric, features(0)[: fewest - 1], features(1)[: fewest - 1])


@rows
def test_a_row_says_what_it_is(name: str) -> None:
    metric = METRICS[name]
    assert metric.bibtex in entries()
    year = metric.source.split()[-1]
    assert year.isdigit()
    assert year in entries()[metric.bibtex]
    assert "fake" in metric.needs
    assert metric.equals
    assert metric.sees


def test_a_key_is_of_one_metric_on_one_network() -> None:
    assert score_key("fid", "inception") == "fid"
    assert score_key("fid", "tiny") == "fd_tiny"
    assert score_key("fd_dinov2", "inception") == score_key("fd_clip", "inception") == "fid"
    assert score_key("lpips", "lpips-alex") == "lpips"
    assert score_key("lpips_vgg", "lpips-vgg") == "lpips_vgg"
    assert score_key("fid", "dinov2") == score_key("fd_dinov2", "dinov2") == "fd_dinov2"
    assert score_key("precision", "vgg16") == "precision_vgg16"
    assert score_key("kid", "inception-768") == "kd_inception_768"
    assert score_key("cmmd", "clip-l-336") == "cmmd"
    on_tiny: dict[str, list[str]] = {}
    for name, metric in METRICS.items():
        if not metric.paired:
            on_tiny.setdefault(score_key(name, "tiny"), []).append(name)
    assert {tuple(names) for names in on_tiny.values() if len(names) > 1} == {("fid", "fd_dinov2", "fd_clip")}  # all one distance


@pytest.mark.parametrize("cuts", [[1] * NUMBER, [NUMBER], [7] * (NUMBER // 7) + [NUMBER % 7]])
def test_what_is_kept_does_not_depend_on_the_batches(cuts: Sequence[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ganeval.measured, "SAMPLED", 80)
    x, kept = features(0), Rows({"stats", "sample"}, DIM)
    for batch in x.split(list(cuts)):
        kept.add(batch)
    found = kept.vectors()
    whole = FeatureStats.of(x)
    assert found.stats is not None
    torch.testing.assert_close(found.stats.scatter, whole.scatter, rtol=1e-12, atol=1e-9)
    assert found.sample is not None
    once = Rows({"sample"}, DIM)
    once.add(x)
    expected = once.vectors().sample
    assert expected is not None
    assert torch.equal(found.sample, expected)


def test_a_sample_is_everything_of_a_small_set_and_a_fair_draw_of_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ganeval.measured, "SAMPLED", 80)
    small, large = Rows({"sample"}, DIM), Rows({"sample"}, DIM)
    for i in range(50):
        large.add(torch.full((20, DIM), float(i)))
    small.add(features(0, number=80))
    assert torch.equal(small.vectors().sample, features(0, number=80))  # type: ignore[arg-type]
    drawn = large.vectors().sample
    assert drawn is not None
    assert drawn.shape == (80, DIM)
    assert (drawn[1:, 0] >= drawn[:-1, 0]).all()  # in the order of the images
    # The mean of 80 of 1000 numbers 0 to 49 scatters by 14.4 / √80 · √0.92 = 1.5.
    assert abs(drawn[:, 0].mean().item() - 24.5) < 4.5


def test_without_error_bars_a_distance_is_the_same() -> None:
    real, fake = features(0), features(1)
    sets = Sets(real=measured(real), fake=measured(fake))
    with_bars, without = (METRICS["fid"].score(sets, replace(SETTINGS, spread=spread), spread)[""] for spread in (True, False))
    assert with_bars.value == without.value
    assert without.error is None
