"""Nets: as large as published, patches as wide, dropout and the pool of past fakes as described."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from ganeval.training.gan import GAN
from ganeval_models.blocks.padding import ReflectionPad
from ganeval_models.blocks.patch import PatchGAN, receptive_field
from ganeval_models.blocks.pool import ImagePool
from ganeval_models.cgan import CGAN
from ganeval_models.cyclegan import CycleGAN
from ganeval_models.dcgan import DCGAN, DCGANConfig
from ganeval_models.gan import VanillaGAN
from ganeval_models.lsgan import LSGAN
from ganeval_models.pix2pix import Pix2Pix
from ganeval_models.stargan import StarGAN
from small_models import preset, size_of, small, spec_for

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("model", "nets"),
    [
        (lambda: preset(VanillaGAN), {"generator": 1_486_352, "discriminator": 1_460_225}),
        (lambda: preset(DCGAN, "article"), {"generator": 1_068_928, "discriminator": 663_424}),
        (lambda: preset(DCGAN, "article-64"), {"generator": 18_872_323}),
        (lambda: preset(DCGAN, "blog"), {"generator": 4_514_825, "discriminator": 4_310_401}),
        (lambda: preset(DCGAN, "pytorch-example"), {"generator": 3_576_704, "discriminator": 2_765_568}),
        (
            lambda: DCGAN(DCGANConfig(prior="normal", bias=True, kernel=4), spec_for(DCGAN, 64)),
            {"generator": 12_675_715},
        ),
        (lambda: preset(CGAN, "article"), {"generator": 803_000, "discriminator": 121_829}),
        (lambda: preset(LSGAN, "article"), {"generator": 1_486_352, "discriminator": 1_460_225}),
        (lambda: preset(Pix2Pix), {"generator": 54_413_955, "discriminator": 2_768_705}),
        (lambda: preset(CycleGAN), {"to_target": 11_378_179, "to_source": 11_378_179, "target_discriminator": 2_764_737}),
        (lambda: preset(CycleGAN, image_size=128), {"to_target": 7_837_699, "source_discriminator": 2_764_737}),
        (lambda: preset(StarGAN, num_labels=5), {"generator": 8_430_528, "discriminator": 44_762_048}),
    ],
)
def test_nets_have_the_published_number_of_parameters(model: Callable[[], GAN], nets: dict[str, int]) -> None:
    built = model()
    assert {name: size_of(getattr(built, name)) for name in nets} == nets


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_patches_are_of_the_papers_size(layers: int, field: int) -> None:
    assert receptive_field(PatchGAN(3, width=2, layers=layers)) == field


def test_a_patch_is_what_a_logit_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.zeros(1, 3, 128, 128, requires_grad=True)
    net = PatchGAN(3, width=4, layers=3, norm="instance")
    for layer in net.layers:
        if isinstance(layer, nn.InstanceNorm2d):  # its statistics see everything
            monkeypatch.setattr(layer, "forward", lambda x: x)
    logits = net(images)
    assert logits.shape == (1, 1, 14, 14)
    (gradient,) = torch.autograd.grad(logits[0, 0, 7, 7], images)
    assert (gradient[0].abs().sum(dim=0).sum(dim=0) > 0).sum() == 70


def test_article_003_has_patches_of_142_pixels() -> None:
    assert receptive_field(preset(Pix2Pix, "article").discriminator) == 142  # type: ignore[arg-type]


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_pix2pix_drops_half_of_its_inner_channels_also_in_evaluation(norm: str) -> None:
    net: Any = small(Pix2Pix, norm=norm).eval().generator
    (masks,) = net.masks(2000, device=torch.device("cpu"))
    assert set(masks.unique().tolist()) == {0.0, 2.0}
    assert masks.mean() == pytest.approx(1, abs=0.02)


def test_an_image_pool_returns_half_of_the_fakes_later() -> None:
    torch.manual_seed(0)
    pool = ImagePool(50, 1, 2)
    numbered = [torch.full((1, 1, 2, 2), float(number)) for number in range(2000)]
    given = [int(pool.exchanged(fake)[0, 0, 0, 0]) for fake in numbered]
    assert given[:50] == list(range(50))
    late = [age for number, value in list(enumerate(given))[50:] if (age := number - value)]
    assert len(late) / 1950 == pytest.approx(0.5, abs=0.05)
    assert sum(late) / len(late) == pytest.approx(100, rel=0.25)  # each step takes one of 50 places with probability ½
    assert len(set(given[50:])) == 1950  # each is given once


def test_an_image_pool_without_room_passes_fakes_on() -> None:
    fakes = torch.randn(3, 1, 2, 2)
    assert ImagePool(0, 1, 2).exchanged(fakes).equal(fakes)


@pytest.mark.parametrize("size", [(4, 6), (9, 9)])
def test_padding_by_reflection_is_the_same_out_of_flipped_borders(size: tuple[int, int]) -> None:
    images = torch.randn(2, 3, *size, requires_grad=True)
    weights = torch.randn(2, 3, size[0] + 6, size[1] + 6)
    found = []
    for deterministic in (False, True):
        torch.use_deterministic_algorithms(deterministic)
        try:
            padded = ReflectionPad(3)(images)
        finally:
            torch.use_deterministic_algorithms(False)
        (gradient,) = torch.autograd.grad((padded * weights).sum(), images)
        found.append((padded, gradient))
    assert found[0][0].equal(nn.ReflectionPad2d(3)(images))
    assert found[1][0].equal(found[0][0])
    torch.testing.assert_close(found[1][1], found[0][1])


@pytest.mark.parametrize("init", ["glorot", "normal"])
def test_perceptrons_begin_as_they_are_told(init: str) -> None:
    layers = [layer for layer in small(VanillaGAN, init=init).modules() if isinstance(layer, nn.Linear)]
    assert all(not layer.bias.any() for layer in layers)
    first = layers[2]  # 512 to 1024
    assert (first.in_features, first.out_features) == (512, 1024)
    assert first.weight.std().item() == pytest.approx({"glorot": (2 / 1536) ** 0.5, "normal": 0.02}[init], rel=0.01)
    if init == "glorot":
        assert first.weight.abs().max().item() <= (6 / 1536) ** 0.5
