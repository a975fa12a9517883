"""PatchGAN (Isola et al. 2016): a discriminator that judges overlapping patches."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

Norm = Literal["batch", "instance"]
SLOPE = 0.2  # of LeakyReLU: app. 6.1.2


def normalization(norm: Norm, channels: int) -> nn.Module:
    """By the statistics of the batch or of each picture, in evaluation as in training: no running ones are kept."""
    return nn.BatchNorm2d(channels, track_running_stats=False) if norm == "batch" else nn.InstanceNorm2d(channels)


class PatchGAN(nn.Module):
    """[batch, channels, side, side] → [batch, 1, patches, patches] logits, C64-C128-C256-C512 for 3 layers (app. 6.1.2).

    `layers` convolutions of stride 2, one of stride 1, one to a single channel; all 4×4. Patches are of 70×70 for 3 layers.
    """

    def __init__(self, channels: int, *, width: int = 64, layers: int = 3, norm: Norm = "batch") -> None:
        super().__init__()
        widths = [width * min(2**layer, 8) for layer in range(layers + 1)]
        parts: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, stride=2, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
        for layer, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            stride = 2 if layer < layers else 1
            # A bias before a normalization that has its own is idle; InstanceNorm2d has none, as in the authors' code.
            parts.append(nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1, bias=norm == "instance"))
            parts += [normalization(norm, outputs), nn.LeakyReLU(SLOPE, inplace=True)]
        self.layers = nn.Sequential(*parts, nn.Conv2d(widths[-1], 1, 4, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        return logits

    @property
    def about(self) -> str:
        side = receptive_field(self)
        return f"judges patches of {side}×{side}"


def receptive_field(net: nn.Module) -> int:
    """Side, in pixels, of the patch that one output of a plain chain of convolutions sees."""
    field = 1
    for layer in reversed([module for module in net.modules() if isinstance(module, nn.Conv2d)]):
        stride, kernel = int(layer.stride[0]), int(layer.kernel_size[0])
        field = (field - 1) * stride + kernel
    return field


def patches(side: int, layers: int) -> int:
    """Patches along a picture's side; below 1 the picture is too small."""
    return (side >> layers) - 2
