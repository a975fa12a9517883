"""Losses at points where they are known in closed form."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganeval.training.gan import GAN
from ganeval_models.cgan import CGAN
from ganeval_models.cyclegan import CycleGAN
from ganeval_models.dcgan import DCGAN
from ganeval_models.gan import VanillaGAN
from ganeval_models.losses import distance, gradient_penalty, log_loss, squared_loss
from ganeval_models.lsgan import LSGAN
from ganeval_models.pix2pix import Pix2Pix
from ganeval_models.stargan import StarGAN
from small_models import batch_for, small

pytestmark = pytest.mark.usefixtures("one_thread")


def test_losses_are_those_of_the_papers() -> None:
    logits = torch.tensor([-30.0, -1.0, 0.0, 2.0, 30.0], dtype=torch.float64)
    for label in (0.0, 0.9, 1.0):
        torch.testing.assert_close(
            log_loss(logits, label).double(),
            nn.functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label)),
            rtol=1e-6,
            atol=1e-6,
        )
    assert log_loss(torch.zeros(3, 1, 2, 2), 1).item() == pytest.approx(math.log(2))
    assert squared_loss(torch.tensor([0.0, 2.0]), -1).item() == pytest.approx((1 + 9) / 2)
    assert distance(torch.tensor([0.0, 2.0]), torch.tensor([1.0, -1.0])).item() == pytest.approx(2)
    assert distance(torch.tensor([0.0, 2.0]), torch.tensor([1.0, -1.0]), "l2").item() == pytest.approx(5)


LOG2 = math.log(2)


@pytest.mark.parametrize(
    ("model_class", "changes", "losses"),
    [
        (VanillaGAN, {}, {"discriminator": 2 * LOG2, "generator": LOG2}),
        (VanillaGAN, {"loss": "saturating", "real_label": 0.9}, {"discriminator": 2 * LOG2, "generator": -LOG2}),
        (DCGAN, {}, {"discriminator": 2 * LOG2, "generator": LOG2}),
        (CGAN, {}, {"discriminator": 2 * LOG2, "generator": LOG2}),
        (LSGAN, {}, {"discriminator": 0.5, "generator": 0.5}),
        (LSGAN, {"a": -1.0, "b": 1.0, "c": 0.0}, {"discriminator": 1.0, "generator": 0.0}),
        (LSGAN, {"a": 3.0, "b": 2.0, "c": 1.0, "nets": "mlp"}, {"discriminator": 6.5, "generator": 0.5}),
        (Pix2Pix, {}, {"discriminator": LOG2, "generator": LOG2}),
        (CycleGAN, {}, {"discriminator": 1.0, "generator": 2.0}),
        (CycleGAN, {"adversarial": "log"}, {"discriminator": 2 * LOG2, "generator": 2 * LOG2}),
        (
            StarGAN,
            {"n_critic": 1},
            {
                "discriminator": 0.0,
                "generator": 0.0,
                "gradient_penalty": 1.0,
                "classification": 3 * LOG2,  # summed over the attributes
                "fake_classification": 3 * LOG2,
            },
        ),
    ],
)
def test_losses_of_a_discriminator_that_says_0_are_known(model_class: type[GAN], changes: dict[str, Any], losses: dict[str, float]) -> None:
    model = small(model_class, lr=0.0, **changes)
    for name, net in model.named_children():
        if "discriminator" in name:
            for parameter in net.parameters():
                nn.init.zeros_(parameter)
    found = model.train_step(batch_for(model))
    assert {name: found[name].item() for name in losses} == pytest.approx(losses, abs=1e-5)


def test_gradient_penalty_of_a_linear_critic_is_known() -> None:
    real, fake = torch.randn(5, 3, 4, 4), torch.randn(5, 3, 4, 4)
    slope = torch.randn(3, 4, 4)

    def critic(images: Tensor) -> Tensor:
        score = (images * slope).sum(dim=(1, 2, 3))
        return torch.stack([score, 2 * score], dim=1)  # a map of two patches: their gradients add

    assert gradient_penalty(critic, real, fake).item() == pytest.approx((3 * slope.norm().item() - 1) ** 2, rel=1e-5)


def test_gradient_penalty_is_taken_between_a_real_and_its_fake() -> None:
    seen: list[Tensor] = []

    def critic(images: Tensor) -> Tensor:
        seen.append(images.detach())
        return images.sum(dim=(1, 2, 3))

    gradient_penalty(critic, torch.zeros(1000, 1, 2, 2), torch.ones(1000, 1, 2, 2))
    (points,) = seen
    shares = points[:, 0, 0, 0]
    assert points.equal(shares[:, None, None, None].expand_as(points))  # one share per picture
    assert 0 <= shares.min() < 0.01
    assert 0.99 < shares.max() <= 1
    assert shares.mean() == pytest.approx(0.5, abs=0.05)
