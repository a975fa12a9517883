"""Every model learns: small pictures drawn here, a fixed seed, and a measure that a swapped label, a cut graph or a wrong sign spoils."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from ganeval.training.batch import Batch, DataSpec, Task
from ganeval.training.gan import GAN
from ganeval.training.sampling import sampling
from ganeval_models.cgan import CGAN, CGANConfig
from ganeval_models.cyclegan import CycleGAN, CycleGANConfig
from ganeval_models.dcgan import DCGAN, DCGANConfig
from ganeval_models.gan import VanillaGAN, VanillaGANConfig
from ganeval_models.lsgan import LSGAN, LSGANConfig
from ganeval_models.pix2pix import Pix2Pix, Pix2PixConfig
from ganeval_models.stargan import StarGAN, StarGANConfig

RED, BLUE = torch.tensor([0.8, -0.8, -0.8]), torch.tensor([-0.8, -0.8, 0.8])
DARK, LIGHT = torch.tensor([-0.7, -0.7, -0.7]), torch.tensor([0.7, 0.7, 0.7])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Nets this small are slower on more; and the same numbers on any machine's count of cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def spec(task: Task, side: int, channels: int = 3, num_labels: int = 0) -> DataSpec:
    return DataSpec(task=task, image_size=side, channels=channels, label_names=tuple(f"label-{index}" for index in range(num_labels)))


def trained(model: GAN, batches: Callable[[], Batch], num_steps: int) -> GAN:
    for _ in range(num_steps):
        model.train_step(batches())
    return model


def made(model: GAN, batch: Batch) -> Tensor:
    with sampling(model) as rng:
        return model.fakes(batch, rng)


def squares(color: Tensor, ground: Tensor, *, side: int) -> tuple[Tensor, Tensor]:
    """One square per picture, half as wide as it, in any place: pictures and masks; colors are [batch, 3]."""
    num, half = len(color), side // 2
    x, y = torch.randint(side - half + 1, (2, num, 1, 1))
    column, row = torch.arange(side)[None, None, :], torch.arange(side)[None, :, None]
    inside = ((column >= x) & (column < x + half) & (row >= y) & (row < y + half))[:, None]
    return torch.where(inside, color[:, :, None, None], ground[:, :, None, None]), inside


def frechet(a: Tensor, b: Tensor) -> float:
    """Between pictures cut down to 4×4, as vectors."""
    first, second = (torch.nn.functional.adaptive_avg_pool2d(images, 4).flatten(1).double() for images in (a, b))
    roots = torch.linalg.eigvals(first.T.cov() @ second.T.cov()).real.clamp(min=0).sqrt().sum()
    return float((first.mean(0) - second.mean(0)).square().sum() + first.T.cov().trace() + second.T.cov().trace() - 2 * roots)


@pytest.mark.parametrize(
    ("build", "side", "num_steps"),
    [
        (lambda spec: VanillaGAN(VanillaGANConfig(batch_size=64), spec), 8, 300),
        (lambda spec: DCGAN(DCGANConfig(g_width=16, d_width=16), spec), 16, 200),
        (lambda spec: LSGAN(LSGANConfig(width=16, z_dim=32), spec), 16, 200),
        (lambda spec: LSGAN(LSGANConfig(width=16, z_dim=32, a=-1.0, b=1.0, c=0.0), spec), 16, 200),
    ],
    ids=["gan", "dcgan", "lsgan", "lsgan-pearson"],
)
def test_fakes_come_to_look_like_reals(build: Callable[[DataSpec], GAN], side: int, num_steps: int) -> None:
    def reals(num: int = 64) -> Batch:
        """A red or a blue square on light ground."""
        red = torch.rand(num, 1) < 0.5
        return Batch(squares(torch.where(red, RED, BLUE), LIGHT.expand(num, 3), side=side)[0])

    model, held_out = build(spec("images", side)), reals(1000)
    before = frechet(made(model, held_out), held_out.images)
    after = frechet(made(trained(model, reals, num_steps), held_out), held_out.images)
    print(before, after)
    assert after < before / 10


@pytest.mark.parametrize("conditioning", ["onehot-concat", "embed-concat", "projection"])
def test_cgan_draws_the_class_that_is_asked_for(conditioning: str) -> None:
    def pictures(num: int = 64) -> Batch:
        """Class k: quadrant k is bright."""
        labels = torch.randint(4, (num,))
        images = torch.full((num, 1, 2, 2), -0.8) + 1.5 * torch.nn.functional.one_hot(labels, 4).view(num, 1, 2, 2)
        return Batch((images + 0.2 * torch.rand(num, 1, 1, 1) - 0.1).repeat_interleave(4, 2).repeat_interleave(4, 3), labels)

    model = trained(CGAN(CGANConfig(conditioning=conditioning), spec("classes", 8, 1, num_labels=4)), pictures, 200)  # type: ignore[arg-type]
    asked = pictures(200)
    fakes = torch.nn.functional.avg_pool2d(made(model, asked), 4).flatten(1)
    print((fakes.argmax(dim=1) == asked.labels).float().mean(), (fakes.max(dim=1).values - fakes.mean(dim=1)).mean())
    assert (fakes.argmax(dim=1) == asked.labels).float().mean() > 0.95
    assert (fakes.max(dim=1).values - fakes.mean(dim=1)).mean() > 0.5
