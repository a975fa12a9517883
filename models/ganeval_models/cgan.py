"""cGAN (Mirza & Osindero 2014): both players are told the class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganeval.errors import InputError
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.gan import FromNoise, GANConfig, Preset, Prior, frozen, step
from ganeval_models.blocks.convolutional import downsampling, upsampling
from ganeval_models.blocks.noise import latents
from ganeval_models.losses import log_loss

Conditioning = Literal["onehot-concat", "embed-concat", "projection"]
SLOPE = 0.2  # of LeakyReLU: the series' notebook Fashion_mnist_cGAN.ipynb
EMBEDDING = 50  # numbers per class under "embed-concat": the same


@dataclass(frozen=True, slots=True, kw_only=True)
class CGANConfig(GANConfig):
    """cGAN with convolutions, as the series has it, and the paper's one-hot labels and noise."""

    batch_size: Annotated[int, "Pictures per step: sec. 4.1."] = 100
    num_steps: Annotated[int, "Training steps: 100 epochs of 60,000 pictures."] = 60_000
    z_dim: Annotated[int, "Numbers in z: sec. 4.1."] = 100
    prior: Annotated[Prior, "Distribution of z: uniform in sec. 4.1, normal in the series."] = "uniform"
    conditioning: Annotated[
        Conditioning,
        "How the class enters. onehot-concat: as constant maps beside the input of each layer (Newmu/dcgan_code); embed-concat: as one "
        "learned map (the series); projection: in the discriminator by an inner product (Miyato & Koyama 2018).",
    ] = "onehot-concat"
    last_kernel: Annotated[int, "Side of the generator's last kernel, odd: 7 in the series."] = 7
    d_width: Annotated[int, "Channels of the discriminator's first layer, each further one has twice as many: the series."] = 64
    d_levels: Annotated[int, "Convolutions of the discriminator, each halves the side: 2 in the series."] = 2
    norm: Annotated[
        bool, "Batch normalization of hidden convolutions but the discriminator's first (Newmu/dcgan_code); the series has none."
    ] = False
    dropout: Annotated[float, "Share of the discriminator's last features left out: 0.4 in the series, 0.5 in the paper."] = 0.4


def one_hot(labels: Tensor, num_labels: int, like: Tensor) -> Tensor:
    return F.one_hot(labels, num_labels).to(like.dtype)


def beside(x: Tensor, y: Tensor) -> Tensor:
    """Constant maps y [batch, num] as further channels of x [batch, channels, side, side]."""
    return torch.cat([x, y[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1)


def label_map(num_labels: int, side: int) -> nn.Sequential:
    """[batch] of classes → one learned map."""
    return nn.Sequential(nn.Embedding(num_labels, EMBEDDING), nn.Linear(EMBEDDING, side * side), nn.Unflatten(1, (1, side, side)))


def hidden(convolution: nn.Module, channels: int, *, norm: bool) -> nn.Sequential:
    return nn.Sequential(convolution, *([nn.BatchNorm2d(channels)] if norm else []), nn.LeakyReLU(SLOPE, inplace=True))


class Generator(nn.Module):
    """z and classes → pictures in [-1, 1]: project to a quarter of the side, double it twice."""

    def __init__(self, z_dim: int, spec: DataSpec, *, embed: bool, norm: bool, last_kernel: int) -> None:
        super().__init__()
        self.num_labels, bottom = spec.num_labels, spec.image_size // 4
        first, each = (1, 0) if embed else (spec.num_labels, spec.num_labels)
        self.label_map = label_map(spec.num_labels, bottom) if embed else None
        self.project = nn.Sequential(nn.Linear(z_dim + each, 128 * bottom**2), nn.LeakyReLU(SLOPE), nn.Unflatten(1, (128, bottom, bottom)))
        self.layers = nn.ModuleList(
            [
                hidden(upsampling(128 + first, 64, 4, bias=True), 64, norm=norm),
                hidden(upsampling(64 + each, 32, 4, bias=True), 32, norm=norm),
                nn.Sequential(nn.Conv2d(32 + each, spec.channels, last_kernel, padding=last_kernel // 2), nn.Tanh()),
            ]
        )

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        y = one_hot(labels, self.num_labels, z) if self.label_map is None else z.new_empty(len(z), 0)
        x: Tensor = self.project(torch.cat([z, y], dim=1))
        if self.label_map is not None:
            x = torch.cat([x, self.label_map(labels)], dim=1)
        for layer in self.layers:
            x = layer(beside(x, y))
        return x


class Discriminator(nn.Module):
    """Pictures and classes → [batch], one logit per pair: halve the side `levels` times, then a linear layer."""

    def __init__(self, spec: DataSpec, conditioning: Conditioning, *, width: int, levels: int, dropout: float, norm: bool) -> None:
        super().__init__()
        self.num_labels = spec.num_labels
        first, each = {"embed-concat": (1, 0), "onehot-concat": (spec.num_labels,) * 2, "projection": (0, 0)}[conditioning]
        self.label_map = label_map(spec.num_labels, spec.image_size) if conditioning == "embed-concat" else None
        layers, inputs, side = [], spec.channels + first, spec.image_size
        for level in range(levels):
            channels = width * 2**level
            layers.append(hidden(downsampling(inputs, channels, 3, bias=True), channels, norm=norm and level > 0))
            inputs, side = channels + each, (side + 1) // 2
        self.layers = nn.ModuleList(layers)
        self.dropout = nn.Dropout(dropout)
        features = width * 2 ** (levels - 1) * side**2
        self.head = nn.Linear(features + each, 1)
        self.per_class = nn.Embedding(spec.num_labels, features) if conditioning == "projection" else None
        if self.per_class is not None:
            nn.init.normal_(self.per_class.weight, std=features**-0.5)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        everywhere = self.label_map is None and self.per_class is None
        y = one_hot(labels, self.num_labels, images) if everywhere else images.new_empty(len(images), 0)
        x = images if self.label_map is None else torch.cat([images, self.label_map(labels)], dim=1)
        for layer in self.layers:
            x = layer(beside(x, y))
        features = self.dropout(x.flatten(1))
        logits: Tensor = self.head(torch.cat([features, y], dim=1)).squeeze(1)
        if self.per_class is not None:
            logits = logits + (self.per_class(labels) * features).sum(dim=1)  # eq. 3 of Miyato & Koyama 2018
        return logits


class CGAN(FromNoise):
    """GAN whose fakes are of the class asked for. Pictures of any side divisible by 4."""

    Config = CGANConfig
    task = "classes"
    paper = "Mirza, Osindero 2014, Conditional Generative Adversarial Nets, arXiv:1411.1784"
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset(config=CGANConfig(), about="the paper's labels, noise and batch; convolutions and Adam", image_size=28, channels=1),
        "article": Preset(
            config=CGANConfig(batch_size=128, num_steps=46_900, prior="normal", conditioning="embed-concat"),
            about="the series' notebook on Fashion-MNIST",
            image_size=28,
            channels=1,
        ),
        "quick": Preset(
            config=CGANConfig(
                lr=5e-4,
                beta2=0.99,
                batch_size=32,
                num_steps=4_000,
                prior="normal",
                conditioning="projection",
                last_kernel=3,
                d_width=32,
                d_levels=3,
                norm=True,
                ema_decay=0.995,
            ),
            about="a few minutes on two cores, gray as the series' Fashion-MNIST",
            image_size=28,
            channels=1,
        ),
    }

    def __init__(self, config: CGANConfig, spec: DataSpec) -> None:
        super().__init__(config, spec)
        if spec.task != "classes" or spec.num_labels < 2:
            raise InputError(f"cgan needs pictures of two classes or more, the data are {spec.task!r} with {spec.num_labels}")
        if spec.image_size % 4:
            raise InputError(f"cgan makes pictures whose side is divisible by 4, got {spec.image_size}; choose one with --image-size")
        if config.last_kernel < 1 or config.last_kernel % 2 == 0:
            raise InputError(f"last_kernel must be odd, got {config.last_kernel}; the series has 7")
        if not 1 <= config.d_levels <= spec.image_size.bit_length() - 1 or config.d_width < 1:
            raise InputError(
                f"the discriminator needs a width of at least 1 and levels that fit {spec.image_size} pixels, "
                f"got d_width {config.d_width} and d_levels {config.d_levels}; the series has 64 and 2"
            )
        if not 0 <= config.dropout < 1:
            raise InputError(f"dropout must be at least 0 and below 1, got {config.dropout:g}; the series has 0.4")
        self.generator = Generator(
            config.z_dim, spec, embed=config.conditioning == "embed-concat", norm=config.norm, last_kernel=config.last_kernel
        )
        self.discriminator = Discriminator(
            spec, config.conditioning, width=config.d_width, levels=config.d_levels, dropout=config.dropout, norm=config.norm
        )
        self.g_optimizer = self.adam(self.generator)
        self.d_optimizer = self.adam(self.discriminator)

    def latents(self, num: int, rng: torch.Generator | None = None) -> Tensor:
        return latents(num, self.config.z_dim, self.config.prior, device=self.device, rng=rng)

    def pictures(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        images: Tensor = self.generator(z, labels)
        return images

    def made(self, labels: Tensor) -> Tensor:
        return self.pictures(self.latents(len(labels)), labels)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        assert batch.labels is not None
        real, labels, fake = batch.images, batch.labels, self.made(batch.labels)

        d_loss = log_loss(self.discriminator(real, labels), 1) + log_loss(self.discriminator(fake.detach(), labels), 0)  # eq. 2
        step(self.d_optimizer, d_loss)

        with frozen(self.discriminator):
            g_loss = log_loss(self.discriminator(fake, labels), 1)
            step(self.g_optimizer, g_loss)
        return {"discriminator": d_loss.detach(), "generator": g_loss.detach()}
