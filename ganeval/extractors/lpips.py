"""LPIPS (Zhang et al. 2018): how far apart two pictures look, by the layers of a classifier weighed after human judgments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torchvision import models

from ganeval import weights
from ganeval.errors import InputError, InputTypeError
from ganeval.extractors.loading import StateDict, filled, loaded
from ganeval.extractors.protocol import Identity
from ganeval.files import sha256_of
from ganeval.progress import Progress, silent
from ganeval.published import ALEXNET, VGG16, WeightsFile

Net = Literal["vgg", "alex"]
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of pixels in [-1, 1]: ScalingLayer of lpips 0.1.4, lpips.py
EPSILON = 1e-10  # added to the length of a feature vector: normalize_tensor, ibid.
BLOCK = 32  # pairs worked on at once


class Backbone(NamedTuple):
    """A classifier whose layers see what people see."""

    published: WeightsFile
    taps: tuple[int, ...]  # layers of its `features` whose output counts
    smallest: int  # pixels of a side, below which the last of them has no output
    heads_sha256: str  # of the weights of the taps' channels


BACKBONES: dict[Net, Backbone] = {  # the taps are the ReLU that ends each stage: pretrained_networks.py, ibid.
    "vgg": Backbone(VGG16, (3, 8, 15, 22, 29), 16, "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"),
    "alex": Backbone(ALEXNET, (1, 4, 7, 9, 11), 31, "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"),
}


class LPIPS:
    """Distance of pictures, paired by position. Symmetric, 0 for equal pictures; lower is more alike."""

    def __init__(self, layers: nn.Sequential, heads: list[Tensor], net: Net, *, identity: Identity) -> None:
        self.name = f"lpips-{net}"
        self.identity = identity
        self._layers = layers
        self._heads = heads  # of each tap, [1, channels, 1, 1]
        self._taps = BACKBONES[net].taps
        self._smallest = BACKBONES[net].smallest

    @property
    def device(self) -> torch.device:
        return self._heads[0].device

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """float64 [num] of two sets of pictures [num, 3, height, width]: uint8, or float in [-1, 1].

        Raises:
            InputTypeError: other types or shapes, or two that differ.
            InputError: pictures too small for the network.
        """
        _check(a, b)
        if min(a.shape[2:]) < self._smallest:
            raise InputError(f"{self.name} needs pictures of at least {self._smallest}×{self._smallest}, got {list(a.shape[2:])}")
        with full_precision(self.device):
            parts = [self._distance(x.to(self.device), y.to(self.device)) for x, y in zip(a.split(BLOCK), b.split(BLOCK), strict=True)]
        return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float64, device=self.device)

    def _distance(self, a: Tensor, b: Tensor) -> Tensor:
        x = self._scaled(torch.cat([a, b]))
        total = torch.zeros(len(a), dtype=torch.float64, device=x.device)
        for index, layer in enumerate(self._layers):
            x = layer(x)
            if index in self._taps:
                first, second = (x / (x.square().sum(dim=1, keepdim=True).sqrt() + EPSILON)).chunk(2)
                weighed = (first - second).square() * self._heads[self._taps.index(index)]  # [num, channels, height, width]
                total += weighed.sum(dim=1).double().mean(dim=(1, 2))
        return total

    def _scaled(self, images: Tensor) -> Tensor:
        shift, scale = (torch.tensor(values, device=images.device).view(1, 3, 1, 1) for values in (SHIFT, SCALE))
        x = images.float() / 127.5 - 1 if images.dtype == torch.uint8 else images.float()
        return (x - shift) / scale


def load_lpips(net: Net = "vgg", *, weights_file: Path | None = None, device: torch.device, progress: Progress = silent) -> LPIPS:
    """LPIPS v0.1 with torchvision's weights, fetched if need be, or with a classifier's state dict in `weights_file`.

    Raises:
        InputError: the package lpips, whose heads are read, is not installed; or the weights cannot be had or are of another network.
    """
    if net not in BACKBONES:
        raise InputError(f"LPIPS has the networks {', '.join(BACKBONES)}, got {net!r}")
    published, taps = BACKBONES[net].published, BACKBONES[net].taps
    heads = _heads(net)
    found = loaded(published, weights_file, preprocessing="x/127.5-1, LPIPS v0.1", instead="", progress=progress)
    state = {name.removeprefix("features."): value for name, value in found.state.items() if name.startswith("features.")}
    layers = filled(lambda: _layers(net), found._replace(state=state), device=device, what=f"torchvision's {published.name}")
    weighed = [heads[f"lin{stage}.model.1.weight"].to(device, torch.float32) for stage in range(len(taps))]
    return LPIPS(layers, weighed, net, identity=found.identity)


def _layers(net: Net) -> nn.Sequential:
    """The convolutions up to the last that counts."""
    network = models.vgg16(init_weights=False) if net == "vgg" else models.alexnet()
    layers: nn.Sequential = network.features[: BACKBONES[net].taps[-1] + 1]
    return layers


def _heads(net: Net) -> StateDict:
    """The few numbers of the package lpips 0.1; the package itself is not imported: it would bring a plotting library and a trainer."""
    spec = find_spec("lpips")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("LPIPS needs lpips; install it with: pip install 'ganeval[lpips]'")
    path = Path(spec.submodule_search_locations[0], "weights", "v0.1", f"{net}.pth")
    if not path.is_file() or sha256_of(path) != BACKBONES[net].heads_sha256:
        raise InputError(f"{path} is not the published file of LPIPS v0.1; install lpips again: pip install --force-reinstall lpips")
    return weights.load_state_dict(path)


def _check(a: Tensor, b: Tensor) -> None:
    for images in (a, b):
        if images.ndim != 4 or images.shape[1] != 3 or not (images.dtype == torch.uint8 or images.is_floating_point()):
            raise InputTypeError(
                f"LPIPS takes pictures [num, 3, height, width], uint8 or float in [-1, 1], got {images.dtype} {list(images.shape)}"
            )
    if a.shape != b.shape or a.dtype != b.dtype:
        raise InputTypeError(f"LPIPS pairs pictures of one shape and type, got {a.dtype} {list(a.shape)} and {b.dtype} {list(b.shape)}")


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """No gradients, no autocast, and full float32: TF32 would drown the small distances that PPL divides by ε²."""
    convolution, matmul = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = convolution
        torch.set_float32_matmul_precision(matmul)
