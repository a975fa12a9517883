"""PPL: the arithmetic against closed forms, the walk of a generator against torch-fidelity, the command against a trained run."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from test_runs import COMMON, on_disk, options
from torch import Tensor, nn

from ganeval import InputError
from ganeval.cli import main
from ganeval.extractors.lpips import load_lpips
from ganeval.extractors.protocol import Identity
from ganeval.metrics.path_length import lerp, path_length, slerp
from ganeval.path_length import Steps, perceptual_path_length
from standin_networks import saved, vgg16_state

CPU = torch.device("cpu")
Z = 5


def normal(num: int, rng: torch.Generator) -> Tensor:
    return torch.randn(num, Z, generator=rng, dtype=torch.float64)


class SquaredDistance:
    """A stand-in for LPIPS that can be followed by hand: the sum of squared differences."""

    name = "lpips-vgg"
    identity = Identity(weights_sha256="0" * 64, standard=True, preprocessing="none")
    device = CPU

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        return (a - b).double().square().sum(dim=(1, 2, 3))


class Flat(nn.Module):
    """z → one pixel of three channels, linearly."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(Z, 3, generator=torch.Generator().manual_seed(1)))
        self.dropout = nn.Dropout(0.5)

    def forward(self, z: Tensor) -> Tensor:
        pixels: Tensor = self.dropout(z.float() @ self.matrix)
        return pixels[:, :, None, None]


# ------------------------------------------------------------------ arithmetic


@given(seed=st.integers(0, 2**32 - 1), t=st.floats(0, 1))
def test_an_arc_between_vectors_of_one_length_keeps_it_and_turns_evenly(seed: int, t: float) -> None:
    a, b = torch.nn.functional.normalize(torch.randn(2, 7, Z, generator=torch.Generator().manual_seed(seed)).double(), dim=-1)
    along = slerp(a, b, t)
    torch.testing.assert_close(along.norm(dim=-1), torch.ones(7).double())
    angle = (a * b).sum(dim=-1).clamp(-1, 1).acos()
    torch.testing.assert_close((a * along).sum(dim=-1).clamp(-1, 1).acos(), t * angle, rtol=1e-5, atol=1e-6)


def test_both_walks_begin_and_end_where_they_are_told_and_an_arc_without_an_angle_is_a_line() -> None:
    a, b = torch.randn(2, 4, Z, generator=torch.Generator().manual_seed(0)).double()
    for walk in (lerp, slerp):
        torch.testing.assert_close(walk(a, b, 0.0), a)
        torch.testing.assert_close(walk(a, b, 1.0), b)
    torch.testing.assert_close(slerp(a, 3 * a, 0.25), 1.5 * a)
    torch.testing.assert_close(slerp(a, 0 * a, 0.25), 0.75 * a)
    torch.testing.assert_close(lerp(a, b, 0.25), 0.75 * a + 0.25 * b)


@given(num=st.integers(2, 400), seed=st.integers(0, 2**32 - 1), ties=st.booleans())
def test_the_outermost_steps_are_left_out_as_numpy_s_percentiles_say(num: int, seed: int, ties: bool) -> None:
    distances = torch.rand(num, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    if ties:
        distances = (distances * 5).round()
    lengths = distances.numpy() / 0.1**2
    low, high = np.percentile(lengths, 1, method="lower"), np.percentile(lengths, 99, method="higher")
    kept = lengths[(lengths >= low) & (lengths <= high)]
    score = path_length(distances, epsilon=0.1)
    assert score.value == pytest.approx(kept.mean())
    assert score.spread == pytest.approx(kept.std())


def test_the_standard_error_is_how_far_another_draw_moves_the_score() -> None:
    rng = torch.Generator().manual_seed(0)
    scores = [path_length(torch.randn(1000, generator=rng).exp() ** 1.5, epsilon=1.0) for _ in range(400)]
    moved = torch.tensor([score.value for score in scores]).std().item()
    stated = math.sqrt(sum((score.error or 0) ** 2 for score in scores) / len(scores))
    assert stated == pytest.approx(moved, rel=0.15)  # 400 draws know their deviation to 3.5 %, and tails are heavy


def test_one_step_has_no_path_length() -> None:
    with pytest.raises(InputError, match="at least 2 steps, got 1"):
        path_length(torch.ones(1))


# ------------------------------------------------------------------ a generator's walk


def test_of_a_linear_generator_the_path_length_is_the_mean_square_of_its_slope() -> None:
    generator, steps = Flat(), Steps(path="lerp", num_pairs=300, epsilon=1e-2, side=None)
    report = perceptual_path_length(generator, normal, distance=SquaredDistance(), steps=steps)
    rng = torch.Generator().manual_seed(0)
    start, end = normal(300, rng), normal(300, rng)
    slopes = ((end - start) @ generator.matrix.double()).square().sum(dim=1)
    assert report.scores["ppl"].value == pytest.approx(path_length(slopes, epsilon=1.0).value, rel=1e-3)  # float32 pixels
    assert report.num_fake == 600
    assert "at the start of a line" in str(report)
    assert json.loads(report.to_json())["provenance"]["epsilon"] == 1e-2


@pytest.mark.parametrize("sampling", ["end", "full"])
def test_the_batch_size_does_not_matter_and_the_generator_is_left_as_it_was(sampling: Any) -> None:
    generator = Flat().train()
    reports = [
        perceptual_path_length(generator, normal, distance=SquaredDistance(), steps=Steps(num_pairs=30, batch_size=size, sampling=sampling))
        for size in (7, 30)
    ]
    assert reports[0].scores["ppl"].value == pytest.approx(reports[1].scores["ppl"].value, rel=1e-4)
    assert generator.training
    assert generator.dropout.training


def test_both_ends_of_a_step_are_of_one_class() -> None:
    def generator(z: Tensor, labels: Tensor) -> Tensor:
        return (1000.0 * labels + 0 * z[:, 0]).view(-1, 1, 1, 1)  # gray

    steps = Steps(num_pairs=20, batch_size=6)
    score = perceptual_path_length(generator, normal, distance=SquaredDistance(), num_classes=4, steps=steps).scores["ppl"]
    assert score.value == 0


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.zeros(4, 3, 8, 8, dtype=torch.uint8), "do not round them to uint8"),
        (torch.zeros(2, 3, 8, 8), r"expected float pictures \[4,"),
        (torch.zeros(4, 2, 8, 8), r"expected float pictures \[4,"),
        (torch.full((4, 3, 8, 8), math.nan), "NaN or infinite"),
    ],
    ids=["bytes", "too few", "two channels", "NaN"],
)
def test_a_generator_that_gives_something_else_is_refused(images: Tensor, says: str) -> None:
    with pytest.raises(InputError, match=says):
        perceptual_path_length(lambda z: images, normal, distance=SquaredDistance(), steps=Steps(num_pairs=2))


@pytest.mark.parametrize("wrong", [{"path": "walk"}, {"num_pairs": 1}, {"epsilon": 0.0}, {"epsilon": math.nan}, {"batch_size": 0}])
def test_steps_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Steps(**wrong)


# ------------------------------------------------------------------ against torch-fidelity


class Smooth(nn.Module):
    """A small generator of pictures in [-1, 1], or of 0 to 255 as torch-fidelity takes them."""

    def __init__(self, side: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        self.first, self.second = (torch.randn(shape, generator=rng) / math.sqrt(shape[0]) for shape in ((Z, 64), (64, 3 * side * side)))
        self.side = side
        self.levels = False

    def forward(self, z: Tensor) -> Tensor:
        x = ((z @ self.first).tanh() @ self.second).tanh().view(-1, 3, self.side, self.side)
        return (x + 1) * 127.5 if self.levels else x


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(vgg16_state(), tmp_path_factory.mktemp("vgg") / "vgg16-397923af.pth")


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("side", [32, 96], ids=["enlarged", "reduced"])
@pytest.mark.parametrize("path", ["lerp", "slerp"])
def test_path_lengths_equal_those_of_torch_fidelity(path: Any, side: int, vgg: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch_fidelity", reason="peers are not installed: pip install '.[peers]'")
    spec = find_spec("lpips")
    if spec is None or spec.origin is None:
        pytest.skip("pip install '.[lpips]'")
    from torch_fidelity.generative_model_modulewrapper import GenerativeModelModuleWrapper
    from torch_fidelity.metric_ppl import calculate_ppl

    # A torch hub in which our files stand for those that it would download.
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / vgg.name).symlink_to(vgg)
    (tmp_path / "checkpoints" / "weights-vgg16-lpips.pth").symlink_to(Path(spec.origin).parent / "weights" / "v0.1" / "vgg.pth")
    generator, before, num, epsilon = Smooth(side), torch.hub.get_dir(), 40, 1e-2
    generator.levels = True
    torch.hub.set_dir(str(tmp_path))
    try:
        theirs = calculate_ppl(
            1,
            input1=GenerativeModelModuleWrapper(generator, Z, "normal", 0),
            input1_model_num_samples=num,
            batch_size=16,
            cuda=False,
            verbose=False,
            rng_seed=2020,
            ppl_epsilon=epsilon,
            ppl_z_interp_mode={"lerp": "lerp", "slerp": "slerp_any"}[path],
            ppl_reduction="none",
            ppl_sample_similarity="lpips-vgg16",
            ppl_sample_similarity_resize=64,
            ppl_sample_similarity_dtype="float32",
            ppl_discard_percentile_lower=None,  # 0.4.0 asks NumPy for them by a name that NumPy 2.4 no longer knows
            ppl_discard_percentile_higher=None,
        )
    finally:
        torch.hub.set_dir(before)
    draws = np.random.RandomState(2020)

    def latents(number: int, rng: torch.Generator) -> Tensor:
        return torch.from_numpy(draws.randn(number, Z)).float()

    generator.levels = False
    steps = Steps(path=path, num_pairs=num, epsilon=epsilon)
    report = perceptual_path_length(generator, latents, distance=load_lpips("vgg", weights_file=vgg, device=CPU), steps=steps)
    expected = path_length(torch.from_numpy(theirs["perceptual_path_length_raw"]).double() * epsilon**2, epsilon=epsilon)
    assert report.scores["ppl"].value == pytest.approx(expected.value, rel=1e-5)  # they walk in float32
    assert report.scores["ppl"].spread == pytest.approx(expected.spread, rel=1e-5)


# ------------------------------------------------------------------ a trained run


def run(*arguments: object) -> Any:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", ["gan", "dcgan", "lsgan", "cgan"])
def test_each_model_out_of_noise_has_a_path_length(name: str, vgg: Path, tmp_path: Path) -> None:
    pytest.importorskip("lpips", reason="pip install '.[lpips]'")
    data = on_disk("classes" if name == "cgan" else "images", 16 if name in ("dcgan", "lsgan") else 8, tmp_path / "data")
    assert run("train", name, "--data", data, "--out", tmp_path / "run", *options(name), *COMMON).exit_code == 0
    done = run("ppl", tmp_path / "run", "--num-pairs", 4, "--side", 32, "--weights", vgg, "--device", "cpu", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["scores"]["ppl"]["value"] > 0
    assert report["provenance"]["path"] == "lerp"  # the paper's latents are uniform in all four
    assert "non-standard weights" in report["titles"]["ppl"]


@pytest.mark.usefixtures("one_thread")
def test_a_model_that_takes_pictures_has_none_and_says_so(tmp_path: Path) -> None:
    data = on_disk("pairs", 32, tmp_path / "data")
    assert run("train", "pix2pix", "--data", data, "--out", tmp_path / "run", *options("pix2pix"), *COMMON).exit_code == 0
    done = run("ppl", tmp_path / "run")
    assert done.exit_code == 1
    assert "pix2pix makes its pictures out of pictures; a path length is between latents" in done.output
