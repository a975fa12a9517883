"""DCGAN (Radford et al. 2015): convolutions, batch normalization, no pooling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from ganeval.training.batch import Batch, DataSpec
from ganeval.training.gan import FromNoise, GANConfig, Preset, Prior, frozen, step
from ganeval_models.blocks.convolutional import Activation, Discriminator, Generator, levels_between
from ganeval_models.blocks.initial import start_normal
from ganeval_models.blocks.noise import latents
from ganeval_models.losses import log_loss


@dataclass(frozen=True, slots=True, kw_only=True)
class DCGANConfig(GANConfig):
    """DCGAN for faces; "code" is Newmu/dcgan_code."""

    batch_size: Annotated[int, "Pictures per step: sec. 4."] = 128
    num_steps: Annotated[int, "Training steps: 25 epochs (code) of 350,000 faces (sec. 5.2)."] = 68_000
    z_dim: Annotated[int, "Numbers in z: fig. 1."] = 100
    prior: Annotated[Prior, "Distribution of z: uniform in fig. 1, normal in most later code."] = "uniform"
    g_width: Annotated[int, "Channels of the generator's last hidden layer; each one before has twice as many: fig. 1."] = 128
    d_width: Annotated[int, "Channels of the discriminator's first layer; each further one has twice as many: code."] = 128
    bottom: Annotated[int, "Side of the maps that z is projected to: fig. 1."] = 4
    kernel: Annotated[int, "Side of all kernels, 4 or 5: fig. 1."] = 5
    bias: Annotated[bool, "Biases in convolutions and linear layers; the code has none."] = False
    g_activation: Annotated[Activation, "In the generator: sec. 3."] = "relu"
    g_norm_last: Annotated[bool, "Batch normalization of the generator's output too; sec. 3 found that it oscillates."] = False
    d_norm_first: Annotated[bool, "Batch normalization of the discriminator's first layer too; sec. 3 leaves it out."] = False


class DCGAN(FromNoise):
    """Nets for any power-of-two side from 16 to 128."""

    Config = DCGANConfig
    paper = "Radford, Metz, Chintala 2015, Unsupervised Representation Learning with DCGANs, arXiv:1511.06434"
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset(config=DCGANConfig(), about="fig. 1 and the authors' code, without their weight decay of 1e-5", image_size=64),
        "article": Preset(
            config=DCGANConfig(batch_size=2048, num_steps=2_500, prior="normal", g_width=64, d_width=64, kernel=4, d_norm_first=True),
            about="code of article 002 on CIFAR-10, with pictures in [-1, 1]; 100 epochs, where it names none",
            image_size=32,
        ),
        "article-64": Preset(
            config=DCGANConfig(prior="normal", bias=True),
            about="text of article 002: 64×64, 1024 channels at 4×4",
            image_size=64,
        ),
        "blog": Preset(
            config=DCGANConfig(num_steps=117_300, g_width=64, d_width=64, bottom=2, bias=True, g_activation="leaky", g_norm_last=True),
            about="the series' notebook CIFAR10_DCGAN.ipynb: 2×2 at the bottom, 300 epochs",
            image_size=32,
        ),
        "pytorch-example": Preset(
            config=DCGANConfig(batch_size=64, num_steps=79_000, prior="normal", g_width=64, d_width=64, kernel=4),
            about="pytorch/examples dcgan: 25 epochs of 202,599 CelebA faces",
            image_size=64,
        ),
        "cifar10": Preset(
            config=DCGANConfig(num_steps=100_000, beta2=0.9, decay_from=0.0, flip=True, prior="normal", d_width=64, bottom=2, kernel=4),
            about="schedule and generator of pytorch-gan-collections, which reports FID 42.7 with a 5×5 discriminator",
            image_size=32,
        ),
        "quick": Preset(
            config=DCGANConfig(
                lr=5e-4, batch_size=32, num_steps=3_000, prior="normal", g_width=64, d_width=32, bottom=8, kernel=4, ema_decay=0.995
            ),
            about="a few minutes on two cores",
            image_size=32,
        ),
    }

    def __init__(self, config: DCGANConfig, spec: DataSpec) -> None:
        super().__init__(config, spec)
        levels = levels_between(config.bottom, spec.image_size, kernel=config.kernel)
        self.generator = Generator(
            config.z_dim,
            spec.channels,
            levels=levels,
            bottom=config.bottom,
            width=config.g_width,
            kernel=config.kernel,
            bias=config.bias,
            activation=config.g_activation,
            norm_last=config.g_norm_last,
        )
        self.discriminator = Discriminator(
            spec.channels,
            levels=levels,
            bottom=config.bottom,
            width=config.d_width,
            kernel=config.kernel,
            bias=config.bias,
            norm_first=config.d_norm_first,
        )
        start_normal(self.generator, self.discriminator)
        self.g_optimizer = self.adam(self.generator)
        self.d_optimizer = self.adam(self.discriminator)

    def latents(self, num: int, rng: torch.Generator | None = None) -> Tensor:
        return latents(num, self.config.z_dim, self.config.prior, device=self.device, rng=rng)

    def pictures(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        images: Tensor = self.generator(z)
        return images

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        real, fake = batch.images, self.generator(self.latents(len(batch.images)))

        # Reals and fakes apart: each has batch statistics of its own.
        d_loss = log_loss(self.discriminator(real), 1) + log_loss(self.discriminator(fake.detach()), 0)
        step(self.d_optimizer, d_loss)

        with frozen(self.discriminator):
            g_loss = log_loss(self.discriminator(fake), 1)
            step(self.g_optimizer, g_loss)
        return {"discriminator": d_loss.detach(), "generator": g_loss.detach()}
