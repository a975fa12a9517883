"""StarGAN (Choi et al. 2017): one generator for all attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganeval.errors import InputError
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.gan import GAN, GANConfig, Preset, frozen, step
from ganeval_models.blocks.residual import Residual
from ganeval_models.foreign import STARGAN
from ganeval_models.losses import distance, gradient_penalty


@dataclass(frozen=True, slots=True, kw_only=True)
class StarGANConfig(GANConfig):
    """StarGAN for CelebA: sec. 5; "code" is yunjey/stargan."""

    batch_size: Annotated[int, "Pictures per step: sec. 5.4."] = 16
    num_steps: Annotated[int, "Training steps, each an update of the discriminator: code."] = 200_000
    lr: Annotated[float, "Learning rate of Adam: sec. 5.4."] = 1e-4
    decay_from: Annotated[float, "Share of the steps after which the learning rate falls linearly to 0: sec. 5.4."] = 0.5
    flip: Annotated[bool, "Mirror half of the pictures: sec. 5.4."] = True
    n_critic: Annotated[int, "Updates of the discriminator per update of the generator: sec. 5.4."] = 5
    lambda_cls: Annotated[float, "Weight of the attributes' classification: sec. 4."] = 1.0
    lambda_rec: Annotated[float, "Weight of the way there and back: sec. 4."] = 10.0
    lambda_gp: Annotated[float, "Weight of the gradient penalty: sec. 4."] = 10.0
    residual_blocks: Annotated[int, "In the generator: app., table 4."] = 6
    g_width: Annotated[int, "Channels of the generator's first layer: app., table 4."] = 64
    d_width: Annotated[int, "Channels of the discriminator's first layer: app., table 5."] = 64

    may_be_zero: ClassVar[tuple[str, ...]] = ("residual_blocks",)


def normalized(conv: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    """Then instance normalization with weights of its own, and ReLU.

    By each picture's statistics, also in evaluation: fakes are made the way that was trained. The code keeps running ones as well.
    """
    return [conv, nn.InstanceNorm2d(conv.out_channels, affine=True), nn.ReLU(inplace=True)]


class Generator(nn.Module):
    """Pictures and attributes → pictures in [-1, 1], of any side divisible by 4 (app., table 4).

    Zero padding: with reflection, instance normalization would take constant maps of attributes out again (code).
    """

    def __init__(self, channels: int, num_labels: int, *, width: int, residual_blocks: int) -> None:
        super().__init__()
        inside = 4 * width
        residuals = [
            Residual(
                *normalized(nn.Conv2d(inside, inside, 3, padding=1, bias=False)),
                nn.Conv2d(inside, inside, 3, padding=1, bias=False),
                nn.InstanceNorm2d(inside, affine=True),
            )
            for _ in range(residual_blocks)
        ]
        self.layers = nn.Sequential(
            *normalized(nn.Conv2d(channels + num_labels, width, 7, padding=3, bias=False)),
            *normalized(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False)),
            *normalized(nn.Conv2d(2 * width, inside, 4, stride=2, padding=1, bias=False)),
            *residuals,
            *normalized(nn.ConvTranspose2d(inside, 2 * width, 4, stride=2, padding=1, bias=False)),
            *normalized(nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False)),
            nn.Conv2d(width, channels, 7, padding=3, bias=False),
            nn.Tanh(),
        )

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        maps = labels[:, :, None, None].expand(-1, -1, *images.shape[2:]).to(images.dtype)
        fakes: Tensor = self.layers(torch.cat([images, maps], dim=1))
        return fakes


class Discriminator(nn.Module):
    """Pictures → a map of [batch, 1, 2, 2] scores, and [batch, num_labels] logits of attributes (app., table 5)."""

    def __init__(self, channels: int, side: int, num_labels: int, *, width: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(side.bit_length() - 2)]  # halve the side down to 2
        layers: list[nn.Module] = []
        for inputs, outputs in zip((channels, *widths[:-1]), widths, strict=True):
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(0.01, inplace=True)]  # table 5
        self.layers = nn.Sequential(*layers)
        self.score = nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False)
        self.classify = nn.Conv2d(widths[-1], num_labels, 2, bias=False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.layers(images)
        return self.score(features).float(), self.classify(features).flatten(1).float()


class StarGAN(GAN):
    """Wasserstein loss with gradient penalty, and a discriminator that tells the attributes. Any power-of-two side from 16 to 256."""

    Config = StarGANConfig
    task = "attributes"
    paper = "Choi et al. 2017, StarGAN: Unified GANs for Multi-Domain Image-to-Image Translation, arXiv:1711.09020"
    twice_differentiated = ("discriminator",)
    foreign = STARGAN
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset(config=StarGANConfig(), about="CelebA: sec. 5 and the authors' code, with a decay that reaches 0", image_size=128),
        "quick": Preset(
            config=StarGANConfig(
                lr=1e-3,
                batch_size=8,
                num_steps=6_000,
                decay_from=0.5,
                n_critic=2,
                residual_blocks=2,
                g_width=16,
                d_width=16,
                ema_decay=0.99,
            ),
            about="some minutes on two cores",
            image_size=32,
        ),
    }

    def __init__(self, config: StarGANConfig, spec: DataSpec) -> None:
        super().__init__(config, spec)
        if spec.task != "attributes" or not spec.num_labels:
            raise InputError(f"stargan needs pictures with attributes, the data are {spec.task!r} with {spec.num_labels}")
        if spec.image_size not in (16, 32, 64, 128, 256):
            raise InputError(f"stargan makes pictures of 16, 32, 64, 128 or 256 pixels, got {spec.image_size}; choose one of them")
        for name in ("lambda_cls", "lambda_rec", "lambda_gp"):
            if getattr(config, name) < 0:
                raise InputError(f"{name} must not be negative, got {getattr(config, name):g}; the default is the paper's")
        self.generator = Generator(spec.channels, spec.num_labels, width=config.g_width, residual_blocks=config.residual_blocks)
        self.discriminator = Discriminator(spec.channels, spec.image_size, spec.num_labels, width=config.d_width)
        self.num_updates = 0  # of the discriminator
        self.g_optimizer = self.adam(self.generator)
        self.d_optimizer = self.adam(self.discriminator)

    def get_extra_state(self) -> Tensor:
        """In the checkpoint, for it decides whose turn it is; never on the device, which would be waited for."""
        return torch.tensor(self.num_updates)

    def set_extra_state(self, state: Tensor) -> None:
        self.num_updates = int(state)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        assert batch.labels is not None
        images, labels = batch.images, batch.labels
        wanted = labels[torch.randperm(len(labels), device=labels.device)]  # other pictures' labels: no impossible combinations

        losses = self._discriminator_step(images, labels, wanted)
        self.num_updates += 1
        if self.num_updates % self.config.n_critic == 0:
            losses |= self._generator_step(images, labels, wanted)
        return {name: loss.detach() for name, loss in losses.items()}

    def _discriminator_step(self, images: Tensor, labels: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            fake = self.generator(images, wanted)
        real_score, logits = self.discriminator(images)
        d_loss = self.discriminator(fake)[0].mean() - real_score.mean()
        penalty = gradient_penalty(lambda x: self.discriminator(x)[0], images, fake)
        classification = classification_loss(logits, labels)
        step(self.d_optimizer, d_loss + self.config.lambda_gp * penalty + self.config.lambda_cls * classification)  # eq. 5, 8
        return {"discriminator": d_loss, "gradient_penalty": penalty, "classification": classification}

    def _generator_step(self, images: Tensor, labels: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        with frozen(self.discriminator):
            fake = self.generator(images, wanted)
            score, logits = self.discriminator(fake)
            g_loss, classification = -score.mean(), classification_loss(logits, wanted)
            reconstruction = distance(self.generator(fake, labels), images)
            config = self.config
            step(self.g_optimizer, g_loss + config.lambda_cls * classification + config.lambda_rec * reconstruction)  # eq. 6
        return {"generator": g_loss, "fake_classification": classification, "reconstruction": reconstruction}

    def fakes(self, batch: Batch, rng: torch.Generator) -> Tensor:
        images: Tensor = self.generator(batch.source, batch.labels)
        return images


def classification_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each attribute, summed over attributes, mean over pictures (code)."""
    return F.binary_cross_entropy_with_logits(logits, labels, reduction="sum") / len(labels)
