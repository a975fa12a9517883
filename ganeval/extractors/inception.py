"""Inception-v3 of 2015-12-05: the only network whose distance is called FID.

Layers are named as in torchvision (Szegedy et al. 2015, fig. 5 to 7), so that the public state dict loads with `strict=True`. Four
things differ from torchvision's network, as in the TensorFlow graph that the weights come from: 1008 classes, batch-norm eps 1e-3
throughout, average pools that do not count the padding, and a max pool in the last block's pool branch.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganeval import weights
from ganeval.conventions import Convention
from ganeval.extractors.loading import filled, loaded
from ganeval.extractors.protocol import Activations, Identity
from ganeval.progress import Progress, silent
from ganeval.resize import RESIZE

SIDE = 299
CLASSES = 1008
SPATIAL_CHANNELS = 7  # of sFID
TAPS = (64, 192, 768, 2048)  # features after the first and second max pool, after Mixed_6e, and at the end

Kernel = int | tuple[int, int]


class Conv(nn.Module):
    """Convolution without bias, batch normalization, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Kernel, *, stride: int = 1, padding: Kernel = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)


def same(inputs: int, outputs: int, kernel: Kernel) -> Conv:
    """A convolution that keeps height and width."""
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    return Conv(inputs, outputs, kernel, padding=(height // 2, width // 2))


def half(inputs: int, outputs: int) -> Conv:
    """A 3×3 convolution that halves height and width."""
    return Conv(inputs, outputs, 3, stride=2)


def average_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


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
        self.chain("branch_pool", inputs, (pool_features, 1))

    def forward(self, x: Tensor) -> Tensor:
        chains = [self.run(name, x) for name in ("branch1x1", "branch5x5", "branch3x3dbl")]
        return torch.cat([*chains, self.run("branch_pool", average_pool(x))], dim=1)


class B(Block):
    """35×35 → 17×17."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = half(inputs, 384)
        self.chain("branch3x3dbl", inputs, (64, 1), (96, 3))
        self.branch3x3dbl_3 = half(96, 96)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch3x3(x), self.run("branch3x3dbl", x), F.max_pool2d(x, 3, stride=2)], dim=1)


class C(Block):
    """17×17: 1×1, factored 7×7, double factored 7×7, pool."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.chain("branch1x1", inputs, (192, 1))
        self.chain("branch7x7", inputs, (width, 1), (width, (1, 7)), (192, (7, 1)))
        self.chain("branch7x7dbl", inputs, (width, 1), (width, (7, 1)), (width, (1, 7)), (width, (7, 1)), (192, (1, 7)))
        self.chain("branch_pool", inputs, (192, 1))

    def forward(self, x: Tensor) -> Tensor:
        chains = [self.run(name, x) for name in ("branch1x1", "branch7x7", "branch7x7dbl")]
        return torch.cat([*chains, self.run("branch_pool", average_pool(x))], dim=1)


class D(Block):
    """17×17 → 8×8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = same(inputs, 192, 1)
        self.branch3x3_2 = half(192, 320)
        self.chain("branch7x7x3", inputs, (192, 1), (192, (1, 7)), (192, (7, 1)))
        self.branch7x7x3_4 = half(192, 192)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.run("branch3x3", x), self.run("branch7x7x3", x), F.max_pool2d(x, 3, stride=2)], dim=1)


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
        pool = F.max_pool2d(x, 3, stride=1, padding=1) if self.max_pool else average_pool(x)
        halves = [self.branch3x3_2a(single), self.branch3x3_2b(single), self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([self.branch1x1(x), *halves, self.branch_pool(pool)], dim=1)


class InceptionV3(nn.Module):
    """float32 [batch, 3, 299, 299] → features at one tap, and the logits where that tap is the last."""

    def __init__(self, *, tap: int = 2048, logits_bias: bool = False) -> None:
        super().__init__()
        self.tap = tap
        self.logits_bias = logits_bias
        self.Conv2d_1a_3x3 = half(3, 32)
        self.Conv2d_2a_3x3 = Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = same(32, 64, 3)
        self.Conv2d_3b_1x1 = same(64, 80, 1)
        self.Conv2d_4a_3x3 = Conv(80, 192, 3)
        self.Mixed_5b = A(192, pool_features=32)
        self.Mixed_5c = A(256, pool_features=64)
        self.Mixed_5d = A(288, pool_features=64)
        self.Mixed_6a = B(288)
        self.Mixed_6b = C(768, width=128)
        self.Mixed_6c = C(768, width=160)
        self.Mixed_6d = C(768, width=160)
        self.Mixed_6e = C(768, width=192)
        self.Mixed_7a = D(768)
        self.Mixed_7b = E(1280, max_pool=False)
        self.Mixed_7c = E(2048, max_pool=True)
        self.fc = nn.Linear(2048, CLASSES)

    def forward(self, x: Tensor) -> Activations:
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = F.max_pool2d(x, 3, stride=2)
        if self.tap == 64:
            return Activations(pooled(x))
        x = F.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, stride=2)
        if self.tap == 192:
            return Activations(pooled(x))
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x)))
        # "mixed_6/conv:0[..., :7]" of ADM's evaluator.py: the first of the 1×1 branch's channels, which come first, at all 17×17 positions.
        spatial = x[:, :SPATIAL_CHANNELS].permute(0, 2, 3, 1).flatten(1)
        x = self.Mixed_6e(x)
        if self.tap == 768:
            return Activations(pooled(x))
        features = pooled(self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))))
        return Activations(features, F.linear(features, self.fc.weight, self.fc.bias if self.logits_bias else None), spatial)


def normalized(images: Tensor, convention: Convention) -> Tensor:
    """uint8 [batch, 3, height, width] → float32 [batch, 3, 299, 299] as the convention feeds it to the network."""
    unit = convention.normalization == "2x/255-1"  # such tools divide before they resize; the order of rounding shows in features
    x = RESIZE[convention.resize](images.float() / 255 if unit else images.float(), SIDE)
    if convention.clip:
        x = x.clamp(0, 1 if unit else 255)
    return 2 * x - 1 if unit else (x - 128) / 128


class InceptionExtractor:
    """Inception-v3 fed as a convention says. `inception` is the 2048 features of FID, `inception-768` and so on the earlier taps."""

    def __init__(self, net: InceptionV3, *, convention: Convention, identity: Identity) -> None:
        self.name = "inception" if net.tap == 2048 else f"inception-{net.tap}"
        self.dim = net.tap
        self.identity = identity
        self.convention = convention
        self._net = net.eval().requires_grad_(False)

    def __call__(self, images: Tensor) -> Activations:
        return self.network(self.prepare(images))

    def prepare(self, images: Tensor) -> Tensor:
        return normalized(images, self.convention)

    def network(self, inputs: Tensor) -> Activations:
        activations: Activations = self._net(inputs)
        return activations


def load(
    *, convention: Convention, weights_file: Path | None, device: torch.device, progress: Progress = silent, tap: int = 2048
) -> InceptionExtractor:
    """The extractor with the published weights, fetched if need be, or with those of `weights_file`.

    Raises:
        InputError: the weights cannot be had, or are not of this network.
    """
    found = loaded(weights.INCEPTION, weights_file, preprocessing=convention.preprocessing, progress=progress)
    what = "this Inception-v3 (torchvision's layer names, 1008 classes)"
    net = filled(lambda: InceptionV3(tap=tap, logits_bias=convention.logits_bias), found, device=device, what=what)
    return InceptionExtractor(net, convention=convention, identity=found.identity)


load_64, load_192, load_768 = (partial(load, tap=tap) for tap in TAPS[:3])
