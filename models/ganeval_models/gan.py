"""GAN (Goodfellow et al. 2014): two players, fully connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.gan import FromNoise, GANConfig, Preset, Prior, frozen, step
from ganeval_models.blocks.initial import start_glorot, start_normal
from ganeval_models.blocks.noise import latents
from ganeval_models.blocks.perceptron import Discriminator, Generator
from ganeval_models.losses import log_loss


@dataclass(frozen=True, slots=True, kw_only=True)
class VanillaGANConfig(GANConfig):
    """GAN with the nets of the series, and the paper's loss and noise."""

    batch_size: Annotated[int, "Pictures per step: mnist.yaml of the authors."] = 100
    num_steps: Annotated[int, "Training steps: 200 epochs of MNIST, as the series."] = 120_000
    z_dim: Annotated[int, "Numbers in z: mnist.yaml."] = 100
    prior: Annotated[Prior, "Distribution of z: uniform in mnist.yaml, normal or uniform in article 004."] = "uniform"
    loss: Annotated[Literal["non-saturating", "saturating"], "The generator's: sec. 3 recommends the first, eq. 1 is the second."] = (
        "non-saturating"
    )
    real_label: Annotated[float, "What the discriminator shall say of reals; below 1 is one-sided smoothing (the series has 0.9)."] = 1.0
    dropout: Annotated[float, "Share of the discriminator's units left out: 0.3 in the series, 0.5 in the paper."] = 0.3
    init: Annotated[
        Literal["glorot", "normal"], "First weights: Keras' default, or N(0, 0.02) as DCGAN, which learns and collapses sooner."
    ] = "glorot"


class VanillaGAN(FromNoise):
    """Perceptrons 256-512-1024 and back. Inside, pixels are in [0, 1], since the generator ends in a sigmoid."""

    Config = VanillaGANConfig
    paper = "Goodfellow et al. 2014, Generative Adversarial Networks, arXiv:1406.2661"
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset(
            config=VanillaGANConfig(), about="the paper's loss and noise, the series' nets and Adam", image_size=28, channels=1
        ),
        "article": Preset(
            config=VanillaGANConfig(batch_size=128, num_steps=93_800, prior="normal", real_label=0.9),
            about="article 004 and its notebook: MNIST, 200 epochs, labels of 0.9 for reals",
            image_size=28,
            channels=1,
        ),
        "quick": Preset(
            config=VanillaGANConfig(
                lr=5e-4, batch_size=64, num_steps=6_000, prior="normal", real_label=0.9, dropout=0.5, init="normal", ema_decay=0.995
            ),
            about="a few minutes on two cores, gray as MNIST",
            image_size=28,
            channels=1,
        ),
    }

    def __init__(self, config: VanillaGANConfig, spec: DataSpec) -> None:
        super().__init__(config, spec)
        if not 0.5 < config.real_label <= 1:
            raise InputError(f"real_label must be above 0.5 and at most 1, got {config.real_label:g}; 0.9 smooths, 1 does not")
        if not 0 <= config.dropout < 1:
            raise InputError(f"dropout must be at least 0 and below 1, got {config.dropout:g}; the series has 0.3")
        self.generator = Generator(config.z_dim, spec.channels, spec.image_size)
        self.discriminator = Discriminator(spec.channels, spec.image_size, dropout=config.dropout)
        start = start_glorot if config.init == "glorot" else start_normal
        start(self.generator, self.discriminator)
        self.g_optimizer = self.adam(self.generator)
        self.d_optimizer = self.adam(self.discriminator)

    def latents(self, num: int, rng: torch.Generator | None = None) -> Tensor:
        return latents(num, self.config.z_dim, self.config.prior, device=self.device, rng=rng)

    def pictures(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        pixels: Tensor = self.generator(z)
        return pixels * 2 - 1

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        real = (batch.images + 1) / 2
        fake = self.generator(self.latents(len(real)))

        d_loss = log_loss(self.discriminator(real), self.config.real_label) + log_loss(self.discriminator(fake.detach()), 0)  # eq. 1
        step(self.d_optimizer, d_loss)

        with frozen(self.discriminator):
            logits = self.discriminator(fake)
            g_loss = log_loss(logits, 1) if self.config.loss == "non-saturating" else -log_loss(logits, 0)
            step(self.g_optimizer, g_loss)
        return {"discriminator": d_loss.detach(), "generator": g_loss.detach()}
