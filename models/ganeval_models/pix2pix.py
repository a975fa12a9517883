"""pix2pix (Isola et al. 2016): a picture from its paired source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganeval.errors import InputError
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.gan import GAN, GANConfig, Preset, frozen, step
from ganeval_models.blocks.convolutional import downsampling, upsampling
from ganeval_models.blocks.initial import start_normal
from ganeval_models.blocks.patch import Norm, PatchGAN, normalization, patches
from ganeval_models.foreign import UNET
from ganeval_models.losses import distance, log_loss

SLOPE = 0.2  # of LeakyReLU: app. 6.1
DROPOUT = 0.5  # app. 6.1.1

Dropout = Literal["first", "later", "none"]
"""In the three first layers of the decoder; in all of full width but the first; nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pix2PixConfig(GANConfig):
    """pix2pix for facades: app. 6.2."""

    batch_size: Annotated[int, "Pictures per step: sec. 3.3."] = 1
    num_steps: Annotated[int, "Training steps: 200 epochs of 400 facades."] = 80_000
    flip: Annotated[bool, "Mirror half of the pairs."] = True
    enlarge: Annotated[float, "Resize pairs to this times their size, then crop both alike."] = 286 / 256
    lambda_l1: Annotated[float, "Weight of the distance to the target: sec. 3.3."] = 100.0
    norm: Annotated[Norm, "Statistics of the batch or of each picture; of one picture they are the same: sec. 3.4."] = "batch"
    dropout: Annotated[Dropout, "In the decoder's first layers: app. 6.1.1; the authors' PyTorch code begins a layer later."] = "first"
    g_width: Annotated[int, "Channels of the U-Net's first layer; at most 8 times as many inside."] = 64
    d_width: Annotated[int, "Channels of the discriminator's first layer."] = 64
    d_layers: Annotated[int, "Layers of stride 2 in the discriminator: patches of 16, 34, 70, 142 or 286 pixels for 1 to 5."] = 3


class UNet(nn.Module):
    """[batch, channels, side, side] → the same shape, in [-1, 1]: halve the side down to 1, double it back, with skips (app. 6.1.1).

    The noise is dropout: `masks` are given with the input, so that a picture is a function of its arguments alone.
    """

    def __init__(self, channels: int, side: int, *, width: int, norm: Norm, dropout: Dropout = "first") -> None:
        super().__init__()
        levels = side.bit_length() - 1
        widths = [width * min(2**level, 8) for level in range(levels)]  # of the way down
        bias = norm == "instance"  # idle before a normalization that has its own
        self.down = nn.ModuleList([downsampling(channels, widths[0], 4, bias=bias)])
        for level in range(1, levels):
            conv = downsampling(widths[level - 1], widths[level], 4, bias=bias)
            innermost = level == levels - 1
            self.down.append(nn.Sequential(nn.LeakyReLU(SLOPE), conv, *([] if innermost else [normalization(norm, widths[level])])))
        self.up = nn.ModuleList()
        for level in reversed(range(1, levels)):
            inputs = widths[level] * (1 if level == levels - 1 else 2)
            conv_up = upsampling(inputs, widths[level - 1], 4, bias=bias)
            self.up.append(nn.Sequential(nn.ReLU(), conv_up, normalization(norm, widths[level - 1])))
        self.up.append(nn.Sequential(nn.ReLU(), upsampling(2 * widths[0], channels, 4, bias=True), nn.Tanh()))

        full = [channels_up for channels_up in reversed(widths[:-1]) if channels_up == 8 * width]
        masked = {"first": range(len(full[:3])), "later": range(1, len(full)), "none": range(0)}[dropout]  # CD512-CD512-CD512
        self.masked = {level: (full[level], 2 ** (level + 1)) for level in masked}  # channels and side, by level of the way up

    def masks(self, num: int, *, device: torch.device, rng: torch.Generator | None = None) -> list[Tensor]:
        """Dropout for `num` pictures: 0 or 1 / (1 − rate); without `rng`, from torch's global stream."""
        drawn_on = device if rng is None else rng.device
        shapes = [(num, channels, side, side) for channels, side in self.masked.values()]
        drawn = [torch.rand(shape, generator=rng, device=drawn_on).to(device) for shape in shapes]
        return [(uniform >= DROPOUT).float() / (1 - DROPOUT) for uniform in drawn]

    def forward(self, x: Tensor, masks: list[Tensor]) -> Tensor:
        skips, mask_of = [], dict(zip(self.masked, masks, strict=True))
        for down in self.down:
            x = down(x)
            skips.append(x)
        skips.pop()
        for level, up in enumerate(self.up):
            x = up(x)
            if level in mask_of:
                x = x * mask_of[level].to(x.dtype)
            if skips:
                x = torch.cat([x, skips.pop()], dim=1)
        return x


class Pix2Pix(GAN):
    """U-Net against PatchGAN. Pictures of any power-of-two side from 32 to 512."""

    Config = Pix2PixConfig
    task = "pairs"
    foreign = UNET
    paper = "Isola et al. 2016, Image-to-Image Translation with Conditional Adversarial Networks, arXiv:1611.07004"
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset(config=Pix2PixConfig(), about="facades: app. 6.2", image_size=256),
        "article": Preset(
            config=Pix2PixConfig(batch_size=8, num_steps=13_700, flip=False, enlarge=1.0, d_layers=4),
            about="article 003 on maps: 100 epochs of 1,096, patches of 142 pixels; with its text's λ of 100, not its code's 0.01",
            image_size=256,
        ),
        "quick": Preset(
            config=Pix2PixConfig(lr=5e-4, batch_size=8, num_steps=1_500, enlarge=1.0, g_width=16, d_width=16, d_layers=1, ema_decay=0.995),
            about="some minutes on two cores",
            image_size=32,
        ),
    }

    def __init__(self, config: Pix2PixConfig, spec: DataSpec) -> None:
        super().__init__(config, spec)
        if spec.task != "pairs":
            raise InputError(f"pix2pix needs pairs of pictures, the data are {spec.task!r}; cyclegan does without pairs")
        if spec.image_size not in (32, 64, 128, 256, 512):
            raise InputError(f"pix2pix makes pictures of 32, 64, 128, 256 or 512 pixels, got {spec.image_size}; choose one of them")
        if config.lambda_l1 < 0:
            raise InputError(f"lambda_l1 must not be negative, got {config.lambda_l1:g}; the paper has 100")
        if config.d_layers < 1 or patches(spec.image_size, config.d_layers) < 1:
            raise InputError(f"d_layers must be at least 1 and fit {spec.image_size} pixels, got {config.d_layers}; try fewer")
        self.generator = UNet(spec.channels, spec.image_size, width=config.g_width, norm=config.norm, dropout=config.dropout)
        self.discriminator = PatchGAN(2 * spec.channels, width=config.d_width, layers=config.d_layers, norm=config.norm)
        start_normal(self.generator, self.discriminator)
        self.g_optimizer = self.adam(self.generator)
        self.d_optimizer = self.adam(self.discriminator)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        assert batch.source is not None
        real, source = batch.images, batch.source
        fake = self.generator(source, self.generator.masks(len(source), device=self.device))

        d_real = self.discriminator(torch.cat([source, real], dim=1))
        d_fake = self.discriminator(torch.cat([source, fake.detach()], dim=1))
        d_loss = (log_loss(d_real, 1) + log_loss(d_fake, 0)) / 2  # halved: sec. 3.3
        step(self.d_optimizer, d_loss)

        with frozen(self.discriminator):
            g_loss = log_loss(self.discriminator(torch.cat([source, fake], dim=1)), 1)
            l1 = distance(fake, real)
            step(self.g_optimizer, g_loss + self.config.lambda_l1 * l1)  # eq. 4
        return {"discriminator": d_loss.detach(), "generator": g_loss.detach(), "l1": l1.detach()}

    def fakes(self, batch: Batch, rng: torch.Generator) -> Tensor:
        assert batch.source is not None
        # One by one: batch statistics then are those of the picture, as at test time in sec. 3.4, and not of its neighbors.
        size = 1 if self.config.norm == "batch" else len(batch.source)
        masks = self.generator.masks(len(batch.source), device=self.device, rng=rng)
        parts = zip(batch.source.split(size), *(mask.split(size) for mask in masks), strict=True)
        return torch.cat([self.generator(source, list(part)) for source, *part in parts])
