"""LSGAN (Mao et al. 2016): squares in place of logarithms, so that fakes far from the boundary still get a gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganeval.errors import InputError
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.gan import FromNoise, GANConfig, Preset, Prior, frozen, step
from ganeval_models.blocks import convolutional, perceptron
from ganeval_models.blocks.initial import start_glorot, start_normal
from ganeval_models.blocks.noise import latents
from ganeval_models.losses import squared_loss


@dataclass(frozen=True, slots=True, kw_only=True)
class LSGANConfig(GANConfig):
    """LSGAN for scenes; "code" is xudonmao/LSGAN, train_lsun.py."""

    lr: Annotated[float, "Learning rate of Adam: 0.001 for scenes, 0.0002 for characters, sec. 4 and code."] = 1e-3
    a: Annotated[float, "What the discriminator shall say of fakes: eq. 9; −1 with b = 1 and c = 0 is eq. 8."] = 0.0
    b: Annotated[float, "What the discriminator shall say of reals: eq. 9."] = 1.0
    c: Annotated[float, "What the generator wants it to say of fakes: eq. 9."] = 1.0
    nets: Annotated[Literal["dcgan", "mlp"], "Convolutions as DCGAN has them, or the series' perceptrons 256-512-1024."] = "dcgan"
    g_width: Annotated[int, "Channels of the generator's last hidden layer; each one before has twice as many."] = 64
    d_width: Annotated[int, "Channels of the discriminator's first layer, each further one has twice as many: code."] = 64
    bottom: Annotated[int, "Side of the maps that z is projected to."] = 4
    kernel: Annotated[int, "Side of all kernels, 4 or 5: code, of the discriminator."] = 5
    z_dim: Annotated[int, "Numbers in z: code."] = 1024
    prior: Annotated[Prior, "Distribution of z: uniform in the code."] = "uniform"


class LSGAN(FromNoise):
    """The discriminator's output is used as it is: no sigmoid."""

    Config = LSGANConfig
    paper = "Mao et al. 2016, Least Squares Generative Adversarial Networks, arXiv:1611.04076"
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset(config=LSGANConfig(), about="the authors' rates and noise, with DCGAN's nets", image_size=64),
        "article": Preset(
            config=LSGANConfig(lr=2e-4, batch_size=128, num_steps=93_800, nets="mlp", z_dim=100, prior="normal"),
            about="the series: the nets of its GAN, squares for logarithms, 200 epochs of MNIST",
            image_size=28,
            channels=1,
        ),
        "pearson": Preset(config=LSGANConfig(a=-1.0, b=1.0, c=0.0), about="eq. 8, which minimizes a Pearson χ² divergence", image_size=64),
        "quick": Preset(
            config=LSGANConfig(
                lr=5e-4,
                batch_size=32,
                num_steps=3_000,
                g_width=64,
                d_width=32,
                z_dim=100,
                bottom=8,
                kernel=4,
                prior="normal",
                ema_decay=0.995,
            ),
            about="a few minutes on two cores",
            image_size=32,
        ),
    }

    def __init__(self, config: LSGANConfig, spec: DataSpec) -> None:
        super().__init__(config, spec)
        if config.a == config.b:
            raise InputError(f"a and b must differ, both are {config.a:g}; 0 and 1 are usual")
        self.generator: nn.Module
        self.discriminator: nn.Module
        if config.nets == "mlp":
            self.generator = perceptron.Generator(config.z_dim, spec.channels, spec.image_size)
            self.discriminator = perceptron.Discriminator(spec.channels, spec.image_size, dropout=0.3)  # as the series' GAN
            start_glorot(self.generator, self.discriminator)
        else:
            bottom, kernel = config.bottom, config.kernel
            levels = convolutional.levels_between(bottom, spec.image_size, kernel=kernel)
            self.generator = convolutional.Generator(
                config.z_dim, spec.channels, levels=levels, bottom=bottom, width=config.g_width, kernel=kernel, bias=True
            )
            self.discriminator = convolutional.Discriminator(
                spec.channels, levels=levels, bottom=bottom, width=config.d_width, kernel=kernel, bias=True
            )
            start_normal(self.generator, self.discriminator)
        self.g_optimizer = self.adam(self.generator)
        self.d_optimizer = self.adam(self.discriminator)

    def latents(self, num: int, rng: torch.Generator | None = None) -> Tensor:
        return latents(num, self.config.z_dim, self.config.prior, device=self.device, rng=rng)

    def pictures(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        images: Tensor = self.generator(z)
        return images * 2 - 1 if self.config.nets == "mlp" else images  # the perceptron's pixels are in [0, 1]

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        a, b, c = self.config.a, self.config.b, self.config.c
        real, fake = batch.images, self.pictures(self.latents(len(batch.images)))

        d_loss = (squared_loss(self.discriminator(real), b) + squared_loss(self.discriminator(fake.detach()), a)) / 2  # eq. 2
        step(self.d_optimizer, d_loss)

        with frozen(self.discriminator):
            g_loss = squared_loss(self.discriminator(fake), c) / 2  # eq. 2
            step(self.g_optimizer, g_loss)
        return {"discriminator": d_loss.detach(), "generator": g_loss.detach()}
