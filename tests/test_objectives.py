"""Gradients of both players, against the paper's objective written out: no label, input or sign of it can be another."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganeval.training.batch import Batch, DataSpec, Task
from ganeval_models.blocks.noise import latents
from ganeval_models.cgan import CGAN, CGANConfig, Conditioning
from ganeval_models.cyclegan import CycleGAN, CycleGANConfig
from ganeval_models.pix2pix import Pix2Pix, Pix2PixConfig


@pytest.fixture(autouse=True)
def seeded(one_thread: None) -> None:
    torch.manual_seed(0)


def spec(task: Task) -> DataSpec:
    return DataSpec(task=task, image_size=32, channels=3, label_names=("a", "b", "c") if task == "classes" else ())


def pictures() -> Tensor:
    return torch.rand(4, 3, 32, 32) * 2 - 1


def judged(logits: Tensor, label: int) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def assert_a_step_differentiates(model: Any, batch: Batch, objectives: dict[str, tuple[tuple[nn.Module, ...], Tensor]]) -> None:
    """`objectives`: by optimizer, its nets and what they minimize. The rates are 0, so that no update comes between the players."""
    checked = []
    for name, (nets, objective) in objectives.items():
        parameters = [parameter for net in nets for parameter in net.parameters()]
        right = torch.autograd.grad(objective, parameters, retain_graph=True)

        def check(*_: Any, parameters: list[nn.Parameter] = parameters, right: tuple[Tensor, ...] = right) -> None:
            checked.append(len(right))
            torch.testing.assert_close([parameter.grad for parameter in parameters], list(right))

        getattr(model, name).register_step_pre_hook(check)
    torch.manual_seed(1)
    model.train_step(batch)
    assert len(checked) == len(objectives) == len(model.optimizers)


@pytest.mark.parametrize("conditioning", ["onehot-concat", "embed-concat", "projection"])
def test_both_players_of_cgan_are_told_the_class_of_the_real_picture(conditioning: Conditioning) -> None:
    model = CGAN(CGANConfig(lr=0.0, dropout=0.0, conditioning=conditioning), spec("classes"))
    real, labels = pictures(), torch.tensor([0, 1, 2, 1])
    torch.manual_seed(1)
    fake = model.generator(latents(4, 100, "uniform", device=model.device), labels)
    judge = model.discriminator
    assert_a_step_differentiates(
        model,
        Batch(real, labels),
        {
            "d_optimizer": ((judge,), judged(judge(real, labels), 1) + judged(judge(fake.detach(), labels), 0)),
            "g_optimizer": ((model.generator,), judged(judge(fake, labels), 1)),
        },
    )


def test_both_players_of_pix2pix_see_the_source() -> None:
    model = Pix2Pix(Pix2PixConfig(lr=0.0, g_width=4, d_width=4, d_layers=2), spec("pairs"))
    real, source = pictures(), pictures()
    torch.manual_seed(1)
    fake = model.generator(source, model.generator.masks(4, device=model.device))

    def judge(target: Tensor) -> Tensor:
        logits: Tensor = model.discriminator(torch.cat([source, target], dim=1))
        return logits

    assert_a_step_differentiates(
        model,
        Batch(real, None, source),
        {
            "d_optimizer": ((model.discriminator,), (judged(judge(real), 1) + judged(judge(fake.detach()), 0)) / 2),
            "g_optimizer": ((model.generator,), judged(judge(fake), 1) + 100 * (fake - real).abs().mean()),
        },
    )


def test_both_sides_of_cyclegan_follow_the_whole_objective() -> None:
    model = CycleGAN(CycleGANConfig(lr=0.0, g_width=4, d_width=4, d_layers=1, residual_blocks=1, pool_size=4), spec("domains"))
    source, target = pictures(), pictures()
    there, back, judge_target, judge_source = model.to_target, model.to_source, model.target_discriminator, model.source_discriminator
    fake_target, fake_source = there(source), back(target)  # the pool is empty at first, so these are what the judges see
    adversarial = (judge_target(fake_target) - 1).square().mean() + (judge_source(fake_source) - 1).square().mean()
    cycle = (back(fake_target) - source).abs().mean() + (there(fake_source) - target).abs().mean()
    identity = (there(target) - target).abs().mean() + (back(source) - source).abs().mean()
    of_target = (judge_target(target) - 1).square().mean() + judge_target(fake_target.detach()).square().mean()
    of_source = (judge_source(source) - 1).square().mean() + judge_source(fake_source.detach()).square().mean()
    assert_a_step_differentiates(
        model,
        Batch(target, None, source),
        {
            "g_optimizer": ((there, back), adversarial + 10 * cycle + 5 * identity),
            "d_optimizer": ((judge_target, judge_source), (of_target + of_source) / 2),
        },
    )
