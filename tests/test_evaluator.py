"""Evaluator and Report: one computation of the reals, all that makes a number comparable, nothing of the caller's changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import ganeval
from conftest import MeanColor
from ganeval import Activations, Evaluator, FeatureStats, InputError, Score
from ganeval.extract import regrouped
from ganeval.images import open_images
from pictures import as_tensor, pictures


def gray(*levels: int) -> torch.Tensor:
    """One flat 4×4 picture for each gray level."""
    return torch.tensor(levels, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 4, 4)


def test_the_distance_of_flat_pictures_is_known_by_hand() -> None:
    # Features are (g, g, g): the means differ by 10 in three channels, the variances are 200 against 800, fully correlated.
    real, fake = gray(90, 110), gray(80, 120, 80, 120)[:2] + 10
    value = ganeval.fid(real, fake, extractor=MeanColor())
    assert value == pytest.approx(3 * 10**2 + 3 * (200**0.5 - 800**0.5) ** 2, rel=1e-10)


def test_one_evaluator_scores_many_sets_as_one_shot_calls_do(mean_color: MeanColor) -> None:
    real = as_tensor(pictures(8, (32, 32)))
    evaluator = Evaluator(real, extractor=mean_color, metrics=("fid", "is"), num_splits=2)
    for skip in (8, 16):
        fake = as_tensor(pictures(8, (32, 32), skip=skip))
        assert evaluator(fake).scores == ganeval.evaluate(real, fake, extractor=mean_color, metrics=("fid", "is"), num_splits=2).scores


def test_the_reals_are_read_once() -> None:
    passes = []

    def reals(number: int) -> torch.Tensor:
        passes.append(number)
        return gray(*range(number))

    evaluator = Evaluator(reals, extractor=MeanColor(), num_images=6)
    evaluator(gray(1, 2, 3))
    evaluator(gray(4, 5, 6))
    assert passes == [6]


def test_one_forward_pass_serves_all_metrics() -> None:
    class Counting(MeanColor):
        seen = 0

        def __call__(self, images: torch.Tensor) -> Activations:
            self.seen += len(images)
            return super().__call__(images)

    extractor = Counting()
    ganeval.evaluate(gray(*range(10)), gray(*range(20)), extractor=extractor, metrics=("fid", "is"))
    assert extractor.seen == 30


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
@pytest.mark.parametrize("cuts", [[17], [5, 1, 9, 2], [1] * 17])
def test_the_network_gets_the_same_runs_whatever_batches_the_source_gives(batch_size: int, cuts: list[int]) -> None:
    images = gray(*range(17))
    runs = list(regrouped(images.split(cuts), batch_size))
    assert [len(run) for run in runs] == [batch_size] * (17 // batch_size) + ([17 % batch_size] if 17 % batch_size else [])
    assert torch.equal(torch.cat(runs), images)


def test_runs_hold_one_picture_size_and_a_bounded_number_of_bytes() -> None:
    small, large = torch.zeros(5, 3, 8, 8, dtype=torch.uint8), torch.zeros(3, 3, 2000, 3000, dtype=torch.uint8)
    assert [tuple(run.shape[::3]) for run in regrouped([small, large, small], 4)] == [
        (4, 8),
        (1, 8),
        (1, 3000),
        (1, 3000),
        (1, 3000),
        (4, 8),
        (1, 8),
    ]


def test_an_extractor_in_two_stages_gets_full_batches_of_mixed_sizes() -> None:
    class TwoStages(MeanColor):
        sizes: list[int]

        def prepare(self, images: torch.Tensor) -> torch.Tensor:
            return images.float().mean(dim=(2, 3))

        def network(self, inputs: torch.Tensor) -> Activations:
            self.sizes.append(len(inputs))
            return Activations(inputs)

    extractor = TwoStages()
    extractor.sizes = []
    mixed = [torch.randint(0, 256, (1, 3, 4 + i % 3, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(i)) for i in range(10)]
    found = Evaluator(mixed, extractor=extractor, batch_size=4).reference.stats
    assert extractor.sizes == [4, 4, 2]
    torch.testing.assert_close(found.mean, Evaluator(mixed, extractor=MeanColor()).reference.stats.mean, rtol=1e-6, atol=0)


def test_the_json_is_one_line_with_the_documented_keys(folders: tuple[Path, Path]) -> None:
    report = ganeval.evaluate(*folders, extractor="tiny", metrics=("fid", "is"))
    line = report.to_json()
    assert "\n" not in line
    found = json.loads(line)
    assert list(found) == ["scores", "titles", "num_real", "num_fake", "extractor", "convention", "provenance", "notes"]
    assert set(found["scores"]["fd_tiny"]) == {"value", "spread", "error", "degrees", "deviations"}
    assert found["scores"]["fd_tiny"]["spread"] is None
    assert found["scores"]["is_tiny"]["spread"] > 0
    provenance = found["provenance"]
    for key in ("weights_sha256", "convention", "resize", "dtype", "device", "seed", "order", "real", "fake", "versions"):
        assert provenance[key] is not None
    assert set(provenance["versions"]) >= {"ganeval", "torch", "numpy", "scipy", "pillow"}
    for side in ("real", "fake"):
        assert provenance[side]["count"] == 24
        assert len(provenance[side]["names_sha256"]) == len(provenance[side]["pixels_sha256"]) == 64


def test_the_table_shows_the_same_numbers(folders: tuple[Path, Path]) -> None:
    report = ganeval.evaluate(*folders, extractor="tiny", metrics=("fid", "is"))
    table = str(report)
    assert f"{report.scores['fd_tiny'].value:.6g}" in table
    assert "24 real, 24 fake" in table
    assert "24 real images for 256 features: the covariance is singular" in table


def test_digests_tell_order_and_pixels_apart() -> None:
    def digest(images: torch.Tensor) -> str:
        found: str = ganeval.evaluate(gray(1, 2), images, extractor=MeanColor()).provenance["fake"]["pixels_sha256"]
        return found

    assert digest(gray(1, 2, 3)) == digest(gray(1, 2, 3))
    assert len({digest(gray(1, 2, 3)), digest(gray(2, 1, 3)), digest(gray(1, 2, 4)), digest(gray(1, 2))}) == 4


def test_the_stored_order_and_the_seed_are_in_the_provenance() -> None:
    report = ganeval.evaluate(None, gray(*range(20)), metrics=("is",), extractor=MeanColor(), convention="improved-gan", seed=3)
    assert (report.provenance["order"], report.provenance["seed"], report.num_real) == ("stored", 3, None)


def test_the_order_of_the_images_moves_the_inception_score_but_not_the_distance() -> None:
    images = torch.randint(0, 256, (40, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    shuffled = images[torch.randperm(40, generator=torch.Generator().manual_seed(1))]
    stored = [ganeval.inception_score(x, extractor=MeanColor(), convention="improved-gan").value for x in (images, shuffled)]
    assert abs(stored[0] - stored[1]) > 1e-3
    assert ganeval.fid(images, shuffled, extractor=MeanColor()) == pytest.approx(0, abs=1e-8)


def test_a_convention_without_the_metric_says_what_was_computed(standin: Path, folders: tuple[Path, Path]) -> None:
    report = ganeval.evaluate(None, folders[1], metrics=("is",), weights=standin, convention="clean-fid")
    assert any(note.startswith("clean-fid itself defines no is") for note in report.notes)


class Wandering(nn.Module):
    """A module in training mode that draws random numbers, as an extractor of one's own may be."""

    name, dim = "wandering", 3

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.scale = nn.Parameter(torch.ones(3))
        self.asked: list[tuple[bool, bool]] = []

    def forward(self, images: torch.Tensor) -> Activations:
        self.asked.append((self.training, torch.is_grad_enabled()))
        return Activations(self.dropout(images.float().mean(dim=(2, 3))) * self.scale)


def test_an_embedded_network_is_loaded_without_random_numbers_and_whatever_the_default_dtype() -> None:
    state = torch.get_rng_state()
    expected = ganeval.fid(gray(1, 2, 3), gray(4, 5, 7), extractor="tiny")
    assert torch.equal(torch.get_rng_state(), state)
    torch.set_default_dtype(torch.float64)
    try:
        assert ganeval.fid(gray(1, 2, 3), gray(4, 5, 7), extractor="tiny") == expected
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_training_loop_s_autocast_does_not_reach_the_network() -> None:
    expected = ganeval.fid(gray(1, 2, 3), gray(4, 5, 7), extractor="tiny")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ganeval.fid(gray(1, 2, 3), gray(4, 5, 7), extractor="tiny") == expected


def test_a_source_runs_in_the_caller_s_own_modes() -> None:
    inside = []

    def drawn(number: int) -> torch.Tensor:
        inside.append((torch.is_inference_mode_enabled(), torch.backends.cudnn.allow_tf32))
        return gray(*range(number))

    ganeval.fid(gray(1, 2, 3), drawn, num_images=3, extractor="tiny")
    assert inside == [(False, torch.backends.cudnn.allow_tf32)]


def test_mode_gradients_and_random_state_are_left_as_they_were() -> None:
    extractor = Wandering().train()
    extractor.dropout.eval()
    torch.manual_seed(0)
    state, precision = torch.get_rng_state(), torch.backends.cudnn.allow_tf32
    ganeval.fid(gray(1, 2, 3), gray(4, 5, 7), extractor=extractor)
    assert extractor.asked == [(False, False)] * 2
    assert (extractor.training, extractor.dropout.training) == (True, False)
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.backends.cudnn.allow_tf32 is precision


@pytest.mark.parametrize(
    ("features", "why"),
    [
        (lambda images: images.float().mean(dim=(1, 2, 3)), r"expected float \[2, 3\]"),
        (lambda images: images.double().mean(dim=(2, 3)).long(), "int64"),
        (lambda images: images.float().mean(dim=(2, 3))[:1], r"\[1, 3\] for 2 images"),
        (lambda images: torch.full((len(images), 3), float("nan")), "NaN or infinite features, first for image 0"),
    ],
    ids=["flattened", "integers", "lost rows", "NaN"],
)
def test_an_extractor_that_breaks_its_word_gives_no_score(features: Any, why: str) -> None:
    class Broken(MeanColor):
        def __call__(self, images: torch.Tensor) -> Activations:
            return Activations(features(images))

    with pytest.raises(InputError, match=why):
        ganeval.fid(gray(1, 2), gray(3, 4), extractor=Broken())


def test_stats_and_references_stand_for_images(mean_color: MeanColor) -> None:
    real, fake = gray(1, 5, 9), gray(2, 4, 8)
    expected = ganeval.fid(real, fake, extractor=mean_color)
    reference = Evaluator(real, extractor=mean_color).reference
    assert ganeval.fid(reference, fake, extractor=mean_color) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(InputError, match="only inception is allowed, not mean-color"):
        ganeval.fid(reference.stats, fake, extractor=mean_color)


def refusal(*args: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        ganeval.evaluate(*args, **options)
    return str(caught.value)


def test_options_that_make_no_sense_are_refused() -> None:
    real, fake, extractor = gray(1, 2), gray(3, 4), MeanColor()
    assert "no metric is called 'fdi'; did you mean f" in refusal(real, fake, metrics=("fdi",), extractor=extractor)
    assert "metrics are a list of names or" in refusal(real, fake, metrics=(), extractor=extractor)
    assert "metrics are a list of names or" in refusal(real, fake, metrics="fid", extractor=extractor)
    assert "no convention is called 'tf'; there are ttur" in refusal(real, fake, convention="tf", extractor=extractor)
    assert "no extractor is called 'vgg'; did you mean vgg16?" in refusal(real, fake, extractor="vgg")
    assert "batch_size must be at least 1, got 0" in refusal(real, fake, extractor=extractor, batch_size=0)
    assert "name a set of real images" in refusal(None, fake, extractor=extractor)
    assert "the device nowhere cannot be used here" in refusal(real, fake, extractor=extractor, device="nowhere")
    assert "an object that has its own" in refusal(real, fake, extractor=extractor, weights="x.pth")
    assert "at least 2 real images, got 1" in refusal(gray(1), fake, extractor=extractor)
    assert "at least 10 fake images, got 2; add images, or leave it out, or choose at most 2 splits" in refusal(
        real, fake, metrics=("is",), extractor=extractor
    )


def test_a_missing_fake_is_noticed_before_the_reals_are_worked_through() -> None:
    def reals(number: int) -> torch.Tensor:
        raise AssertionError("the reals were read")

    assert "does not exist" in refusal(reals, "no/such/folder", num_images=5, extractor=MeanColor())


@pytest.mark.parametrize("numbers", [(float("nan"), None), (float("inf"), None), (1.0, float("nan"))])
def test_there_is_no_score_that_is_not_a_number(numbers: tuple[float, float | None]) -> None:
    with pytest.raises(ArithmeticError, match="this is a bug of ganeval"):
        Score(*numbers)


def test_every_public_name_is_there() -> None:
    for name in ganeval.__all__:
        assert getattr(ganeval, name) is not None
    assert isinstance(ganeval.open_images(gray(1)).num_images, int)
    assert open_images is ganeval.open_images
    assert str(Score(3.14159265)) == "3.14159"
    assert isinstance(FeatureStats.of(torch.rand(3, 2)), FeatureStats)
    with pytest.raises(AttributeError, match="no attribute 'fdi'"):
        ganeval.fdi  # noqa: B018
