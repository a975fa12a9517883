"""The layers and blocks of Inception-v3 (Szegedy et al. 2015, fig. 5 to 7).

Named as in torchvision, so that the public state dict loads with `strict=True`.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

Kernel = int | tuple[int, int]


class Conv(nn.Module):
    """Convolution without bias, batch normalization, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Kernel, *, stride: int = 1, padding: Kernel = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.linear(x), inplace=True)

    def linear(self, x: Tensor) -> Tensor:
        """What comes before the ReLU: pooling, which commutes with a 1×1 convolution or with the ReLU, is cheaper between the two."""
        linear: Tensor = self.bn(self.conv(x))
        return linear

    def fold(self) -> None:
        """Make one convolution with bias of convolution and batch normalization, as they are in evaluation."""
        assert isinstance(self.bn, nn.BatchNorm2d)
        exact = fuse_conv_bn_eval(self.conv.double(), self.bn.double())  # float32 would round three times
        self.conv, self.bn = exact.float(), nn.Identity()


def same(inputs: int, outputs: int, kernel: Kernel) -> Conv:
    """A convolution that keeps height and width."""
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    return Conv(inputs, outputs, kernel, padding=(height // 2, width // 2))


def half(inputs: int, outputs: int) -> Conv:
    """A 3×3 convolution that halves height and width."""
    return Conv(inputs, outputs, 3, stride=2)


def average_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def maxima(x: Tensor) -> Tensor:
    """Of 3×3 positions, every second one."""
    return F.max_pool2d(x, 3, stride=2)


def pooled(x: Tensor) -> Tensor:
    """[batch, channels, height, width] → [batch, channels], the mean over positions."""
    return F.adaptive_avg_pool2d(x, 1).flatten(1)


class Block(nn.Module):
    """Chains of convolutions side by side; a chain `name` has the layers name_1, name_2 …, or only name."""

    def chain(self, name: str, inputs: int, *layers: tuple[int, Kernel]) -> None:
        widths = [inputs, *(outputs for outputs, _ in layers)]
        for i, ((before, after), (_, kernel)) in enumerate(zip(pairwise(widths), layers, strict=True), start=1):
            self.add_module(name if len(layers) == 1 else f"{name}_{i}", same(before, after, kernel))

    def run(self, name: str, x: Tensor) -> Tensor:
        for layer_name, layer in self.named_children():
            if layer_name == name or layer_name.rpartition("_")[0] == name:
                x = layer(x)
        return x


class A(Block):
    """35×35: 1×1, 5×5, double 3×3, pool."""

    def __init__(self, inputs: int, pool_features: int) -> None:
        super().__init__()
        self.chain("branch1x1", inputs, (64, 1))
        self.chain("branch5x5", inputs, (48, 1), (64, 5))
        self.chain("branch3x3dbl", inputs, (64, 1), (96, 3), (96, 3))
        self.branch_pool = same(inputs, pool_features, 1)

    def forward(self, x: Tensor) -> Tensor:
        chains = [self.run(name, x) for name in ("branch1x1", "branch5x5", "branch3x3dbl")]
        return torch.cat([*chains, average_pool(self.branch_pool.linear(x)).relu_()], dim=1)


class B(Block):
    """35×35 → 17×17."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = half(inputs, 384)
        self.chain("branch3x3dbl", inputs, (64, 1), (96, 3))
        self.branch3x3dbl_3 = half(96, 96)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch3x3(x), self.run("branch3x3dbl", x), maxima(x)], dim=1)


class C(Block):
    """17×17: 1×1, factored 7×7, double factored 7×7, pool."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.chain("branch1x1", inputs, (192, 1))
        self.chain("branch7x7", inputs, (width, 1), (width, (1, 7)), (192, (7, 1)))
        self.chain("branch7x7dbl", inputs, (width, 1), (width, (7, 1)), (width, (1, 7)), (width, (7, 1)), (192, (1, 7)))
        self.branch_pool = same(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        chains = [self.run(name, x) for name in ("branch1x1", "branch7x7", "branch7x7dbl")]
        return torch.cat([*chains, average_pool(self.branch_pool.linear(x)).relu_()], dim=1)


class D(Block):
    """17×17 → 8×8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = same(inputs, 192, 1)
        self.branch3x3_2 = half(192, 320)
        self.chain("branch7x7x3", inputs, (192, 1), (192, (1, 7)), (192, (7, 1)))
        self.branch7x7x3_4 = half(192, 192)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.run("branch3x3", x), self.run("branch7x7x3", x), maxima(x)], dim=1)


class E(Block):
    """8×8: 1×1, 3×3 split in two, double 3×3 split in two, pool; `max_pool` is the quirk of the last block."""

    def __init__(self, inputs: int, *, max_pool: bool) -> None:
        super().__init__()
        self.max_pool = max_pool
        self.branch1x1 = same(inputs, 320, 1)
        self.branch3x3_1 = same(inputs, 384, 1)
        self.branch3x3_2a = same(384, 384, (1, 3))
        self.branch3x3_2b = same(384, 384, (3, 1))
        self.branch3x3dbl_1 = same(inputs, 448, 1)
        self.branch3x3dbl_2 = same(448, 384, 3)
        self.branch3x3dbl_3a = same(384, 384, (1, 3))
        self.branch3x3dbl_3b = same(384, 384, (3, 1))
        self.branch_pool = same(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        if self.max_pool:
            pool = self.branch_pool(F.max_pool2d(x, 3, stride=1, padding=1))
        else:
            pool = average_pool(self.branch_pool.linear(x)).relu_()
        halves = [self.branch3x3_2a(single), self.branch3x3_2b(single), self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([self.branch1x1(x), *halves, pool], dim=1)
