"""The fully connected nets of the series: 256-512-1024 and its mirror."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

WIDTHS = (256, 512, 1024)  # article 004
SLOPE = 0.2  # of LeakyReLU: the series' notebook mnist_GAN.ipynb


class Generator(nn.Module):
    """[batch, z_dim] → [batch, channels, side, side] in [0, 1]."""

    def __init__(self, z_dim: int, channels: int, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((z_dim, *WIDTHS[:-1]), WIDTHS, strict=True):
            layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(
            *layers,
            nn.Linear(WIDTHS[-1], channels * side * side),
            nn.Sigmoid(),
            nn.Unflatten(1, (channels, side, side)),
        )

    def forward(self, z: Tensor) -> Tensor:
        pictures: Tensor = self.layers(z)
        return pictures


class Discriminator(nn.Module):
    """[batch, channels, side, side] → [batch], one logit per picture."""

    def __init__(self, channels: int, side: int, *, dropout: float) -> None:
        super().__init__()
        widths = (channels * side * side, *reversed(WIDTHS))
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(SLOPE), nn.Dropout(dropout)]
        self.layers = nn.Sequential(nn.Flatten(), *layers, nn.Linear(widths[-1], 1), nn.Flatten(0))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        return logits
