"""An eighth model: GAN with the hinge loss (Lim & Ye 2017). One file, and one line in pyproject.toml.

pip install ./examples/eighth_model
ganeval train-and-score hinge
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganeval.training.batch import Batch, DataSpec
from ganeval.training.gan import GAN, GANConfig, Preset, frozen, step


@dataclass(frozen=True, slots=True, kw_only=True)
class HingeGANConfig(GANConfig):
    """Every field becomes an option of the command line."""

    z_dim: Annotated[int, "Numbers in z."] = 64
    width: Annotated[int, "Units of the hidden layers."] = 512


class HingeGAN(GAN):
    Config = HingeGANConfig
    paper = "Lim, Ye 2017, Geometric GAN, arXiv:1705.02894"
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset(config=HingeGANConfig(), about="the paper's loss, small nets", image_size=32),
        "quick": Preset(config=HingeGANConfig(num_steps=2_000, width=256), about="a minute on two cores", image_size=32),
    }

    def __init__(self, config: HingeGANConfig, spec: DataSpec) -> None:
        super().__init__(config, spec)
        shape = (spec.channels, spec.image_size, spec.image_size)
        pixels, width = spec.channels * spec.image_size**2, config.width
        self.generator = nn.Sequential(
            nn.Linear(config.z_dim, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, pixels), nn.Tanh()
        ).append(nn.Unflatten(1, shape))
        self.discriminator = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 1)
        )
        self.g_optimizer = self.adam(self.generator)
        self.d_optimizer = self.adam(self.discriminator)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        real = batch.images
        fake = self.generator(torch.randn(len(real), self.config.z_dim, device=self.device))

        d_loss = F.relu(1 - self.discriminator(real)).mean() + F.relu(1 + self.discriminator(fake.detach())).mean()
        step(self.d_optimizer, d_loss)

        with frozen(self.discriminator):
            g_loss = -self.discriminator(fake).mean()
            step(self.g_optimizer, g_loss)
        return {"discriminator": d_loss.detach(), "generator": g_loss.detach()}

    def fakes(self, batch: Batch, rng: torch.Generator) -> Tensor:
        z = torch.randn(len(batch.images), self.config.z_dim, generator=rng, device=rng.device)
        images: Tensor = self.generator(z.to(self.device))
        return images
