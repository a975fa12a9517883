"""Every model learns: small pictures drawn here, a fixed seed, and a measure that a swapped label, a cut graph or a wrong sign spoils."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganeval.training.batch import Batch, DataSpec, Task
from ganeval.training.gan import GAN
from ganeval.training.sampling import sampling
from ganeval_models.cgan import CGAN, CGANConfig, Conditioning
from ganeval_models.cyclegan import CycleGAN, CycleGANConfig
from ganeval_models.dcgan import DCGAN, DCGANConfig
from ganeval_models.gan import VanillaGAN, VanillaGANConfig
from ganeval_models.lsgan import LSGAN, LSGANConfig
from ganeval_models.pix2pix import Pix2Pix, Pix2PixConfig
from ganeval_models.stargan import StarGAN, StarGANConfig

pytestmark = pytest.mark.slow

RED, BLUE = torch.tensor([0.8, -0.8, -0.8]), torch.tensor([-0.8, -0.8, 0.8])
DARK, LIGHT = torch.tensor([-0.7, -0.7, -0.7]), torch.tensor([0.7, 0.7, 0.7])


@pytest.fixture(autouse=True)
def seeded(one_thread: None) -> None:
    torch.manual_seed(0)


def spec(task: Task, side: int, channels: int = 3, num_labels: int = 0) -> DataSpec:
    return DataSpec(task=task, image_size=side, channels=channels, label_names=tuple(f"label-{index}" for index in range(num_labels)))


def trained(model: GAN, batches: Callable[[], Batch], num_steps: int) -> GAN:
    for _ in range(num_steps):
        model.train_step(batches())
    return model


def made(model: GAN, batch: Batch) -> Tensor:
    with sampling(model) as rng:
        return model.fakes(batch, rng)


def distance_to(right: Tensor, images: Tensor) -> float:
    return (images - right).abs().mean().item()


def squares(color: Tensor, ground: Tensor, *, side: int) -> tuple[Tensor, Tensor]:
    """One square per picture, half as wide as it, in any place: pictures and masks; colors are [batch, 3]."""
    num, half = len(color), side // 2
    x, y = torch.randint(side - half + 1, (2, num, 1, 1))
    column, row = torch.arange(side)[None, None, :], torch.arange(side)[None, :, None]
    inside = ((column >= x) & (column < x + half) & (row >= y) & (row < y + half))[:, None]
    return torch.where(inside, color[:, :, None, None], ground[:, :, None, None]), inside


def centered(num: int = 64, *, side: int) -> Batch:
    """A square in the middle, from blue to red, on ground of any brightness."""
    red, ground = torch.rand(num, 1, 1, 1), torch.rand(num, 1, 1, 1)
    images = (ground * LIGHT[:, None, None]).repeat(1, 1, side, side)
    middle = slice(side // 4, 3 * side // 4)
    images[:, :, middle, middle] = red * RED[:, None, None] + (1 - red) * BLUE[:, None, None]
    return Batch(images)


def frechet(a: Tensor, b: Tensor) -> float:
    """Distance of two sets of pictures, each cut down to 4×4 and read as vectors."""
    first, second = (F.adaptive_avg_pool2d(images, 4).flatten(1).double() for images in (a, b))
    roots = torch.linalg.eigvals(first.T.cov() @ second.T.cov()).real.clamp(min=0).sqrt().sum()
    return float((first.mean(0) - second.mean(0)).square().sum() + first.T.cov().trace() + second.T.cov().trace() - 2 * roots)


@pytest.mark.parametrize(
    ("build", "side", "num_steps"),
    [
        (lambda spec: VanillaGAN(VanillaGANConfig(lr=1e-3), spec), 8, 400),
        (lambda spec: DCGAN(DCGANConfig(lr=1e-3, g_width=16, d_width=16, kernel=4), spec), 16, 800),
        (lambda spec: LSGAN(LSGANConfig(g_width=16, d_width=16, z_dim=32), spec), 16, 300),
        (lambda spec: LSGAN(LSGANConfig(g_width=16, d_width=16, z_dim=32, a=-1.0, b=1.0, c=0.0), spec), 16, 300),
    ],
    ids=["gan", "dcgan", "lsgan", "lsgan-pearson"],
)
def test_fakes_come_to_look_like_reals(build: Callable[[DataSpec], GAN], side: int, num_steps: int) -> None:
    model, held_out = build(spec("images", side)), centered(1000, side=side)
    before = frechet(made(model, held_out), held_out.images)
    trained(model, lambda: centered(side=side), num_steps)
    after = frechet(made(model, held_out), held_out.images)
    one_picture = frechet(held_out.images.mean(dim=0, keepdim=True).repeat(1000, 1, 1, 1), held_out.images)
    assert after < 0.25 * before
    assert after < 0.75 * one_picture  # so it is not a generator that collapsed to the average


@pytest.mark.parametrize("conditioning", ["onehot-concat", "embed-concat", "projection"])
def test_cgan_draws_the_class_that_is_asked_for(conditioning: Conditioning) -> None:
    def pictures(num: int = 64) -> Batch:
        """Class k: quadrant k is bright."""
        labels = torch.randint(4, (num,))
        quadrants = 1.5 * F.one_hot(labels, 4).view(num, 1, 2, 2) - 0.8 + 0.2 * (torch.rand(num, 1, 1, 1) - 0.5)
        return Batch(F.interpolate(quadrants, scale_factor=4), labels)

    model = CGAN(CGANConfig(lr=1e-3, conditioning=conditioning), spec("classes", 8, 1, num_labels=4))
    trained(model, pictures, 300)
    asked = pictures(200)
    assert asked.labels is not None
    quadrants = F.avg_pool2d(made(model, asked), 4).flatten(1)
    assert (quadrants.argmax(dim=1) == asked.labels).float().mean() > 0.95
    assert (quadrants.max(dim=1).values - quadrants.mean(dim=1)).mean() > 0.5  # of 1.125


@pytest.mark.parametrize("lambda_l1", [100.0, 0.0], ids=["l1", "adversarial-only"])
def test_pix2pix_finds_the_picture_that_belongs_to_a_source(lambda_l1: float) -> None:
    def pairs(num: int = 8) -> Batch:
        """A dark square becomes red, and bright ground dark."""
        ground = torch.rand(num, 1) * LIGHT
        source, inside = squares(DARK.expand(num, 3), ground, side=32)
        return Batch(torch.where(inside, RED[:, None, None], 0.7 - ground[:, :, None, None]), None, source)

    config = Pix2PixConfig(lr=1e-3, g_width=8, d_width=16, d_layers=1, lambda_l1=lambda_l1)
    model, held_out = Pix2Pix(config, spec("pairs", 32)), pairs(50)
    trained(model, pairs, 300)
    # Untouched sources would be 0.43 off.
    assert distance_to(held_out.images, made(model, held_out)) < (0.16 if lambda_l1 else 0.27)


def test_cyclegan_learns_both_ways_without_pairs() -> None:
    def ground(num: int) -> Tensor:
        return F.interpolate(torch.rand(num, 3, 2, 2) - 0.5, scale_factor=8)

    def domains(num: int = 4) -> Batch:
        """Striped pictures and plain ones: the cycle alone would be content to leave them as they are."""
        rows = torch.arange(16)[None, None, :, None] // 2 + torch.randint(2, (num, 1, 1, 1))
        return Batch(ground(num) + 0.4 - 0.8 * (rows % 2), None, ground(num))

    def stripes(images: Tensor) -> float:
        """0.8 of striped pictures, 0.05 of plain ones."""
        return (images[:, :, 2:] - images[:, :, :-2]).abs().mean().item()

    model = CycleGAN(CycleGANConfig(lr=1e-3, lambda_identity=0.0, g_width=8, d_width=8, d_layers=1, residual_blocks=1), spec("domains", 16))
    trained(model, domains, 400)
    held_out = domains(50)
    assert held_out.source is not None
    with sampling(model) as rng:
        striped, plain = model.fakes(held_out, rng), model.fake_sources(held_out, rng)
        source, target = model.fake_sources(Batch(striped), rng), model.fakes(Batch(plain, source=plain), rng)
    assert stripes(striped) == pytest.approx(0.8, abs=0.2)
    assert stripes(plain) == pytest.approx(0.0, abs=0.2)
    # Not compared with the same ground: its negative is as good an answer where there are no pairs. A flat picture would be 0.25 off.
    assert distance_to(held_out.source, source) < 0.25
    assert distance_to(held_out.images, target) < 0.25


def test_stargan_changes_the_attributes_asked_for_and_keeps_the_rest() -> None:
    def drawn(labels: Tensor) -> Tensor:
        """Attribute 0: a red square, else a blue one; attribute 1: on light ground, else on dark."""
        wanted = labels[:, :, None] > 0.5
        return squares(torch.where(wanted[:, 0], RED, BLUE), torch.where(wanted[:, 1], LIGHT, DARK), side=16)[0]

    def pictures(num: int = 16) -> Batch:
        labels = torch.randint(2, (num, 2)).float()
        return Batch(drawn(labels), labels)

    config = StarGANConfig(lr=1e-3, n_critic=2, g_width=8, d_width=8, residual_blocks=1)
    model = trained(StarGAN(config, spec("attributes", 16, num_labels=2)), pictures, 400)
    labels, asked = torch.randint(2, (2, 200, 2)).float()
    places = torch.get_rng_state()
    source = drawn(labels)
    torch.set_rng_state(places)
    right = drawn(asked)
    # Untouched sources would be 0.70 off.
    assert distance_to(right, made(model, Batch(torch.empty_like(source), asked, source))) < 0.42
