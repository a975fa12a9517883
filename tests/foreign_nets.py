"""The generators of other projects in plain layers, whose state dicts have their names: of papers and listings of parameters."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class Around(nn.Module):
    """x + inside(x) under a name that the project chose."""

    def __init__(self, name: str, *layers: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        inside: Tensor = self.get_submodule(self.name)(x)
        return x + inside


class Named(nn.Module):
    """Layers under a name that the project chose."""

    def __init__(self, name: str, layers: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, layers)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.get_submodule(self.name)(x)
        return out


def resnet(*, blocks: int, width: int = 4, channels: int = 3, statistics: bool = False, dropout: bool = False) -> nn.Module:
    """pytorch-CycleGAN-and-pix2pix, --netG resnet_9blocks: everything in `model`, blocks in `conv_block`."""

    def norm(outputs: int) -> nn.Module:
        return nn.InstanceNorm2d(outputs, track_running_stats=statistics)

    inside = 4 * width
    layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(channels, width, 7), norm(width), nn.ReLU()]
    for inputs in (width, 2 * width):
        layers += [nn.Conv2d(inputs, 2 * inputs, 3, stride=2, padding=1), norm(2 * inputs), nn.ReLU()]
    for _ in range(blocks):
        first = [nn.ReflectionPad2d(1), nn.Conv2d(inside, inside, 3), norm(inside), nn.ReLU(), *([nn.Dropout(0.5)] if dropout else [])]
        layers.append(Around("conv_block", *first, nn.ReflectionPad2d(1), nn.Conv2d(inside, inside, 3), norm(inside)))
    for inputs in (inside, 2 * width):
        up = nn.ConvTranspose2d(inputs, inputs // 2, 3, stride=2, padding=1, output_padding=1)
        layers += [up, norm(inputs // 2), nn.ReLU()]
    return Named("model", nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7), nn.Tanh()))


class Mask(nn.Module):
    """Dropout whose draw is given: ones and zeros, or nothing at all."""

    mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        return x if self.mask is None else x * self.mask


class Skip(nn.Module):
    """A level of the U-Net: its input, then what its layers make of it."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.model(x)], dim=1)


def unet(levels: int, *, width: int = 4, channels: int = 3, batch_norm: bool = True) -> nn.Module:
    """pytorch-CycleGAN-and-pix2pix, --netG unet_256 for 8 levels: one inside another, dropout where levels are of full width."""

    def norm(outputs: int) -> nn.Module:
        return nn.BatchNorm2d(outputs) if batch_norm else nn.InstanceNorm2d(outputs)

    def down(inputs: int, outputs: int) -> nn.Module:
        return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=not batch_norm)

    def up(inputs: int, outputs: int) -> nn.Module:
        return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=not batch_norm)

    widths = [width * min(2**level, 8) for level in range(levels)]
    inner = widths[-1]
    level: nn.Module = Skip(nn.LeakyReLU(0.2), down(inner, inner), nn.ReLU(), up(inner, inner), norm(inner))
    for deep, outer in pairwise(reversed(widths[:-1])):
        dropout = [Mask()] if deep == outer else []
        around = [nn.LeakyReLU(0.2), down(outer, deep), norm(deep), level, nn.ReLU(), up(2 * deep, outer), norm(outer)]
        level = Skip(*around, *dropout)
    out = nn.ConvTranspose2d(2 * width, channels, 4, stride=2, padding=1)
    return Named("model", Named("model", nn.Sequential(down(channels, width), level, nn.ReLU(), out, nn.Tanh())))


def stargan(num_labels: int, *, blocks: int = 6, width: int = 4, channels: int = 3) -> nn.Module:
    """yunjey/stargan: everything in `main`, pictures and maps of attributes go in together."""

    def norm(outputs: int) -> nn.Module:
        return nn.InstanceNorm2d(outputs, affine=True, track_running_stats=True)

    inside = 4 * width
    layers: list[nn.Module] = [nn.Conv2d(channels + num_labels, width, 7, padding=3, bias=False), norm(width), nn.ReLU()]
    for inputs in (width, 2 * width):
        layers += [nn.Conv2d(inputs, 2 * inputs, 4, stride=2, padding=1, bias=False), norm(2 * inputs), nn.ReLU()]
    for _ in range(blocks):
        convs = [nn.Conv2d(inside, inside, 3, padding=1, bias=False) for _ in range(2)]
        layers.append(Around("main", convs[0], norm(inside), nn.ReLU(), convs[1], norm(inside)))
    for inputs in (inside, 2 * width):
        layers += [nn.ConvTranspose2d(inputs, inputs // 2, 4, stride=2, padding=1, bias=False), norm(inputs // 2), nn.ReLU()]
    return Named("main", nn.Sequential(*layers, nn.Conv2d(width, channels, 7, padding=3, bias=False), nn.Tanh()))
