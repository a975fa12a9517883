"""The nets of DCGAN (Radford et al. 2015, fig. 1), for any power-of-two side."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ganeval.errors import InputError

Activation = Literal["relu", "leaky"]
SLOPE = 0.2  # of LeakyReLU: sec. 4


def upsampling(inputs: int, outputs: int, kernel: int, *, bias: bool) -> nn.ConvTranspose2d:
    """Twice the side."""
    return nn.ConvTranspose2d(inputs, outputs, kernel, stride=2, padding=(kernel - 1) // 2, output_padding=kernel % 2, bias=bias)


def downsampling(inputs: int, outputs: int, kernel: int, *, bias: bool) -> nn.Conv2d:
    """Half the side."""
    return nn.Conv2d(inputs, outputs, kernel, stride=2, padding=(kernel - 1) // 2, bias=bias)


def levels_between(bottom: int, side: int, *, kernel: int) -> int:
    """How often `bottom` doubles to become `side`.

    Raises:
        InputError: it does not, or the kernel does not fit.
    """
    if side not in (16, 32, 64, 128):
        raise InputError(f"convolutions as in DCGAN make pictures of 16, 32, 64 or 128 pixels, got {side}; choose one with --image-size")
    if bottom not in (2, 4, 8):
        raise InputError(f"bottom must be 2, 4 or 8, got {bottom}; the paper has 4")
    if kernel not in (4, 5):
        raise InputError(f"kernel must be 4 or 5, got {kernel}; the paper has 5")
    return (side // bottom).bit_length() - 1


class Generator(nn.Module):
    """[batch, z_dim] → [batch, channels, side, side] in [-1, 1]: project to `bottom`², then double the side `levels` times.

    The projection is a linear layer. A transposed convolution of a 1×1 input, as in pytorch/examples, has the same weights.
    """

    def __init__(
        self,
        z_dim: int,
        channels: int,
        *,
        levels: int,
        bottom: int = 4,
        width: int = 128,
        kernel: int = 5,
        bias: bool = False,
        activation: Activation = "relu",
        norm_last: bool = False,
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in reversed(range(levels))]
        self.project = nn.Linear(z_dim, widths[0] * bottom**2, bias=bias)
        layers: list[nn.Module] = [nn.Unflatten(1, (widths[0], bottom, bottom))]
        for inputs, outputs in zip(widths, (*widths[1:], channels), strict=True):
            layers += [nn.BatchNorm2d(inputs), nn.ReLU(inplace=True) if activation == "relu" else nn.LeakyReLU(SLOPE, inplace=True)]
            layers.append(upsampling(inputs, outputs, kernel, bias=bias))
        if norm_last:
            layers.append(nn.BatchNorm2d(channels))
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(self.layers(self.project(z)))


class Discriminator(nn.Module):
    """[batch, channels, side, side] → [batch], one logit per picture: the generator's mirror."""

    def __init__(
        self,
        channels: int,
        *,
        levels: int,
        bottom: int = 4,
        width: int = 128,
        kernel: int = 5,
        bias: bool = False,
        norm_first: bool = False,
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        layers: list[nn.Module] = []
        for inputs, outputs in zip((channels, *widths[:-1]), widths, strict=True):
            layers.append(downsampling(inputs, outputs, kernel, bias=bias))
            if inputs != channels or norm_first:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * bottom**2, 1, bias=bias), nn.Flatten(0))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        return logits
