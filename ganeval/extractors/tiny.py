"""The embedded extractor: a small residual network that needs no download.

Trained by `examples/train_tiny_extractor.py` on CIFAR-10, MNIST and Fashion-MNIST; `docs/tiny.md` has its accuracy and
how its distance answers to blur, noise, JPEG, color shift, missing classes and duplicates. Its scores are called `fd_tiny`
and `is_tiny`: they rank generators on small pictures, they are not FID.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ganeval import weights
from ganeval.conventions import DEFAULT, Convention
from ganeval.errors import InputError
from ganeval.extractors.protocol import Activations, Identity
from ganeval.files import sha256_of
from ganeval.progress import Progress, silent
from ganeval.resize import bilinear_antialias, resized

EMBEDDED = Path(__file__).with_name("tiny.safetensors")

SIDE = 32  # every picture is brought to 32×32, the size the network was trained at
STAGES = (64, 128, 192)
SPATIAL_SIDE, SPATIAL_CHANNELS = 8, 7  # of the distance with positions: the second stage, and as many channels as sFID takes
CLASSES = 30  # ten each of CIFAR-10, MNIST and Fashion-MNIST


def conv(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    """3×3 convolution, batch normalization, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Stage(nn.Module):
    """Halve the side, widen to `outputs` channels, then one residual block (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = conv(inputs, outputs, stride=2)
        self.residual = nn.Sequential(conv(outputs, outputs), conv(outputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        residual: Tensor = self.residual(x)
        return x + residual


class TinyNet(nn.Module):
    """[batch, 3, 32, 32] in [-1, 1] → 256 features and 30 class logits; 1.35 M parameters.

    The features join the averages of the first stage (texture, noise, color) and of the last (content), so that the distance
    sees damage that a classifier learns to ignore.
    """

    dim = STAGES[0] + STAGES[-1]

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 32)
        self.stages = nn.ModuleList(Stage(a, b) for a, b in zip((32, *STAGES), STAGES, strict=False))
        self.classifier = nn.Linear(STAGES[-1], CLASSES)

    def forward(self, x: Tensor) -> Activations:
        pooled = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            pooled.append(x.mean(dim=(2, 3)))
            if x.shape[2] == SPATIAL_SIDE:
                spatial = x[:, :SPATIAL_CHANNELS].flatten(1)  # [batch, 448]
        features = torch.cat([pooled[0], pooled[-1]], dim=1)  # [batch, 256]
        return Activations(features, self.classifier(pooled[-1]), spatial)


def normalized(images: Tensor) -> Tensor:
    """uint8 [batch, 3, height, width] → float32 [batch, 3, 32, 32] in [-1, 1]."""
    return resized(images, SIDE, SIDE, bilinear_antialias) / 127.5 - 1


class TinyExtractor:
    """The embedded network as an extractor. Its preprocessing is its own, whatever the convention."""

    name = "tiny"
    dim = TinyNet.dim

    def __init__(self, net: TinyNet, identity: Identity) -> None:
        self.identity = identity
        self._net = net.eval().requires_grad_(False)

    def __call__(self, images: Tensor) -> Activations:
        return self.network(self.prepare(images))

    def prepare(self, images: Tensor) -> Tensor:
        return normalized(images)

    def network(self, inputs: Tensor) -> Activations:
        activations: Activations = self._net(inputs)
        return activations


def load(*, convention: Convention, weights_file: Path | None, device: torch.device, progress: Progress = silent) -> TinyExtractor:
    """The extractor with the embedded weights, or with those of `weights_file`.

    Raises:
        InputError: weights of another network, or a convention that says how Inception is fed.
    """
    if convention.name not in (DEFAULT, "improved-gan"):
        raise InputError(
            f"the convention {convention.name} says how Inception is fed; the tiny extractor has its own preprocessing, leave it out"
        )
    path = weights_file or EMBEDDED
    with torch.device("meta"):  # as inception.py
        net = TinyNet()
    try:
        net.load_state_dict(weights.load_state_dict(path), assign=True)
    except RuntimeError as error:
        raise InputError(f"{path} does not hold the weights of the tiny extractor: {str(error).splitlines()[1].strip()[:200]}") from None
    identity = Identity(
        weights_sha256=sha256_of(path),
        standard=weights_file is None,
        preprocessing=f"bilinear-antialias {SIDE}x{SIDE}, 2x/255-1",
    )
    return TinyExtractor(net.to(device, torch.float32), identity)
