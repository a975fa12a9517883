"""CycleGAN (Zhu et al. 2017): from one domain to another and back, without pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganeval.errors import InputError
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.gan import GAN, GANConfig, Preset, frozen, step
from ganeval_models.blocks.initial import start_normal
from ganeval_models.blocks.padding import ReflectionPad
from ganeval_models.blocks.patch import PatchGAN, patches
from ganeval_models.blocks.pool import ImagePool
from ganeval_models.blocks.residual import Residual
from ganeval_models.foreign import RESNET
from ganeval_models.losses import Distance, distance, log_loss, squared_loss


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleGANConfig(GANConfig):
    """CycleGAN for horses and zebras: sec. 4 and app. 7; "code" is junyanz/pytorch-CycleGAN-and-pix2pix."""

    batch_size: Annotated[int, "Pictures of each domain per step: sec. 4."] = 1
    num_steps: Annotated[int, "Training steps: 200 epochs of 1,334 zebras."] = 266_800
    decay_from: Annotated[float, "Share of the steps after which the learning rate falls linearly to 0: sec. 4."] = 0.5
    flip: Annotated[bool, "Mirror half of the pictures: code."] = True
    enlarge: Annotated[float, "Resize pictures to this times their size, then crop at random: code."] = 286 / 256
    lambda_cycle: Annotated[float, "Weight of the way there and back: sec. 4."] = 10.0
    lambda_identity: Annotated[float, "Weight, relative to lambda_cycle, of leaving the target domain as it is: code; 0 is without."] = 0.5
    cycle_loss: Annotated[Distance, "Distance after the way there and back: l1 in sec. 3.2, l2 in article 001."] = "l1"
    adversarial: Annotated[Literal["squares", "log"], "Least squares, sec. 4, or the logarithms of eq. 1."] = "squares"
    pool_size: Annotated[int, "Past fakes that the discriminators are shown in half of the cases: sec. 4; 0 is none."] = 50
    residual_blocks: Annotated[int, "In the generators; 0 is 6 below 256 pixels, and 9 from there: app. 7.2."] = 0
    g_width: Annotated[int, "Channels of the generators' first layer: app. 7.2."] = 64
    d_width: Annotated[int, "Channels of the discriminators' first layer: app. 7.2."] = 64
    d_layers: Annotated[int, "Layers of stride 2 in the discriminators: patches of 16, 34, 70, 142 or 286 pixels for 1 to 5."] = 3

    may_be_zero: ClassVar[tuple[str, ...]] = ("pool_size", "residual_blocks")


def normalized(conv: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    """Then instance normalization, without weights of its own (code), and ReLU."""
    return [conv, nn.InstanceNorm2d(conv.out_channels), nn.ReLU(inplace=True)]


def generator(channels: int, *, width: int, residual_blocks: int) -> nn.Sequential:
    """c7s1-64, d128, d256, R256 ×6 or ×9, u128, u64, c7s1-3 (app. 7.2): pictures of any side divisible by 4."""
    inside = 4 * width
    residuals = [
        Residual(
            ReflectionPad(1),
            *normalized(nn.Conv2d(inside, inside, 3)),
            ReflectionPad(1),
            nn.Conv2d(inside, inside, 3),
            nn.InstanceNorm2d(inside),
        )
        for _ in range(residual_blocks)
    ]
    return nn.Sequential(
        ReflectionPad(3),
        *normalized(nn.Conv2d(channels, width, 7)),
        *normalized(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)),
        *normalized(nn.Conv2d(2 * width, inside, 3, stride=2, padding=1)),
        *residuals,
        *normalized(nn.ConvTranspose2d(inside, 2 * width, 3, stride=2, padding=1, output_padding=1)),
        *normalized(nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1)),
        ReflectionPad(3),
        nn.Conv2d(width, channels, 7),
        nn.Tanh(),
    )


class CycleGAN(GAN):
    """Two generators, one each way, and a PatchGAN for each domain."""

    Config = CycleGANConfig
    task = "domains"
    paper = "Zhu et al. 2017, Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, arXiv:1703.10593"
    generators = ("to_target", "to_source")
    foreign = RESNET
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset(config=CycleGANConfig(), about="horses and zebras: app. 7, with the code's identity loss", image_size=256),
        "article": Preset(
            config=CycleGANConfig(adversarial="log", cycle_loss="l2", lambda_identity=0.0, pool_size=0, residual_blocks=6),
            about="text of article 001: logarithms, squared cycle distance, 6 blocks, neither pool nor identity loss",
            image_size=256,
        ),
        "quick": Preset(
            config=CycleGANConfig(
                lr=5e-4, batch_size=4, num_steps=1_500, enlarge=1.0, residual_blocks=3, g_width=16, d_width=16, d_layers=2, ema_decay=0.995
            ),
            about="some minutes on two cores",
            image_size=32,
        ),
    }

    def __init__(self, config: CycleGANConfig, spec: DataSpec) -> None:
        super().__init__(config, spec)
        if spec.task != "domains":
            raise InputError(f"cyclegan needs pictures of two domains, the data are {spec.task!r}; pix2pix takes pairs")
        if spec.image_size % 4 or spec.image_size < 16:
            raise InputError(f"cyclegan makes pictures whose side is divisible by 4, of at least 16 pixels, got {spec.image_size}")
        for name in ("lambda_cycle", "lambda_identity", "pool_size", "residual_blocks"):
            if getattr(config, name) < 0:
                raise InputError(f"{name} must not be negative, got {getattr(config, name):g}; the default is the paper's")
        if config.d_layers < 1 or patches(spec.image_size, config.d_layers) < 1:
            raise InputError(f"d_layers must be at least 1 and fit {spec.image_size} pixels, got {config.d_layers}; try fewer")
        blocks = config.residual_blocks or (9 if spec.image_size >= 256 else 6)
        self.to_target, self.to_source = (generator(spec.channels, width=config.g_width, residual_blocks=blocks) for _ in range(2))
        self.target_discriminator, self.source_discriminator = (
            PatchGAN(spec.channels, width=config.d_width, layers=config.d_layers, norm="instance") for _ in range(2)
        )
        self.target_pool, self.source_pool = (ImagePool(config.pool_size, spec.channels, spec.image_size) for _ in range(2))
        start_normal(self.to_target, self.to_source, self.target_discriminator, self.source_discriminator)
        self.g_optimizer = self.adam(self.to_target, self.to_source)
        self.d_optimizer = self.adam(self.target_discriminator, self.source_discriminator)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        assert batch.source is not None
        config, source, target = self.config, batch.source, batch.images
        loss = squared_loss if config.adversarial == "squares" else log_loss
        fake_target, fake_source = self.to_target(source), self.to_source(target)

        with frozen(self.target_discriminator, self.source_discriminator):
            g_loss = loss(self.target_discriminator(fake_target), 1) + loss(self.source_discriminator(fake_source), 1)
            cycle = distance(self.to_source(fake_target), source, config.cycle_loss)
            cycle = cycle + distance(self.to_target(fake_source), target, config.cycle_loss)  # eq. 2
            losses = {"generator": g_loss, "cycle": cycle}
            total = g_loss + config.lambda_cycle * cycle  # eq. 3
            if config.lambda_identity:
                losses["identity"] = distance(self.to_target(target), target) + distance(self.to_source(source), source)  # sec. 5.2
                total = total + config.lambda_cycle * config.lambda_identity * losses["identity"]
            step(self.g_optimizer, total)

        seen_target, seen_source = self.target_pool.exchanged(fake_target), self.source_pool.exchanged(fake_source)
        target_loss = loss(self.target_discriminator(target), 1) + loss(self.target_discriminator(seen_target), 0)
        source_loss = loss(self.source_discriminator(source), 1) + loss(self.source_discriminator(seen_source), 0)
        losses["discriminator"] = (target_loss + source_loss) / 2  # halved: sec. 4
        step(self.d_optimizer, losses["discriminator"])
        return {name: loss.detach() for name, loss in losses.items()}

    def fakes(self, batch: Batch, rng: torch.Generator) -> Tensor:
        images: Tensor = self.to_target(batch.source)
        return images

    def fake_sources(self, batch: Batch, rng: torch.Generator) -> Tensor:
        images: Tensor = self.to_source(batch.images)
        return images
