"""Inception-v3 of 2015-12-05: the only network whose distance is called FID.

Its layers are in `inception_layers`. Four things differ from torchvision's network, as in the TensorFlow graph that the weights come
from: 1008 classes, batch-norm eps 1e-3 throughout, average pools that do not count the padding, and a max pool in the last block's
pool branch.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganeval import weights
from ganeval.conventions import Convention
from ganeval.extractors.inception_layers import A, B, C, Conv, D, E, half, maxima, pooled, same
from ganeval.extractors.loading import filled, loaded
from ganeval.extractors.protocol import Activations, Identity, joined
from ganeval.progress import Progress, silent
from ganeval.resize import RESIZE, resized

SIDE = 299
CLASSES = 1008
SPATIAL_CHANNELS = 7  # of sFID
TAPS = (64, 192, 768, 2048)  # features after the first and second max pool, after Mixed_6e, and at the end

# Images at a time on a CPU: the largest tensor of either part stays under the 32 MB up to which glibc keeps freed memory. A larger one
# comes anew from the system each time, page by page, which takes a tenth of the time.
STEM_BATCH, BODY_BATCH = 4, 16


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
        few, some = (STEM_BATCH, BODY_BATCH) if x.device.type == "cpu" else (len(x), len(x))
        return joined([self.body(torch.cat([self.stem(images) for images in part.split(few)])) for part in x.split(some)])

    def stem(self, x: Tensor) -> Tensor:
        """The layers before the 35×35 blocks, as far as the tap."""
        x = maxima(self.Conv2d_2b_3x3.linear(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))).relu_()
        if self.tap == 64:
            return x
        return maxima(self.Conv2d_4a_3x3.linear(self.Conv2d_3b_1x1(x))).relu_()

    def body(self, x: Tensor) -> Activations:
        """From the stem to the tap."""
        if self.tap in (64, 192):
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

    def fused(self) -> InceptionV3:
        """Itself, made ready for evaluation only: 2.3 times as fast on a CPU, and equal but for rounding."""
        for layer in self.modules():
            if isinstance(layer, Conv):
                layer.fold()
        channels_last = self.fc.weight.device.type == "cpu"  # elsewhere not measured
        return self.to(memory_format=torch.channels_last) if channels_last else self


def normalized(images: Tensor, convention: Convention) -> Tensor:
    """uint8 [batch, 3, height, width] → float32 [batch, 3, 299, 299] as the convention feeds it to the network."""
    unit = convention.normalization == "2x/255-1"  # such tools resize x/255
    x = resized(images, SIDE, SIDE, RESIZE[convention.resize], divisor=255 if unit else 1)
    if convention.clip:
        x.clamp_(0, 1 if unit else 255)
    return x.mul_(2).sub_(1) if unit else x.sub_(128).div_(128)


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
    return InceptionExtractor(net.fused(), convention=convention, identity=found.identity)


load_64, load_192, load_768 = (partial(load, tap=tap) for tap in TAPS[:3])
