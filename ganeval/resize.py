"""The resize kernels that evaluation tools use. Each takes float images on any device; none goes through a picture library.

All in RESIZE take `images` float [batch, channels, h, w] and return [batch, channels, height, width], neither rounded nor clipped.
They differ in where a sample falls and in how far it looks, which alone moves a FID by several points
(Parmar et al. 2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

Kernel = Callable[[Tensor, int, int], Tensor]

BAND = 32  # samples made of a large picture at once: the fewer, the fewer zeros are multiplied by, but the smaller the products
FEW = 128**2  # pixels up to which matrix products are faster than torch's own kernels too
LONGEST = 4096  # pixels; of longer pictures the matrices would take more time than the kernel itself
CHUNK = 2**21  # float values at once, 8 MB: they stay in the cache of a processor


def resized(images: Tensor, height: int, width: int, kernel: Kernel, *, divisor: float = 1) -> Tensor:
    """`kernel(images.float() / divisor, height, width)`, as two matrix products where that is faster: then equal but for float32 rounding.

    A kernel is linear and treats rows and columns apart, so what it makes of a single bright pixel says all of it.

    Args:
        images: uint8 [batch, channels, h, w].

    Returns:
        float32 [batch, channels, height, width].
    """
    if max(images.shape[2:]) > LONGEST or (kernel in NATIVE and images[0, 0].numel() > FEW):
        return kernel(images.float().div_(divisor), height, width)  # in place: of a large picture one copy is enough
    used, rows = _rows(kernel, images.shape[2], height, images.device)
    columns = _columns(kernel, images.shape[3], width, images.device, divisor)
    if len(used) < images.shape[2]:
        images = images.index_select(2, used)
    found = torch.empty(*images.shape[:2], height, width, dtype=torch.float32, device=images.device)
    some = max(1, CHUNK // (images[0].numel() + found[0].numel())) if images.device.type == "cpu" else len(images)
    for source, target in zip(images.split(some), found.split(some), strict=True):
        pixels, wide = source.float(), found.new_empty(*source.shape[:3], width)
        for band in columns:
            torch.matmul(pixels[..., band.pixels], band.weights.T, out=wide[..., band.samples])
        for band in rows:
            torch.matmul(band.weights, wide[..., band.pixels, :], out=target[..., band.samples, :])
    return found


class Band(NamedTuple):
    """Samples that follow each other, and the pixels that count in them."""

    samples: slice
    pixels: slice
    weights: Tensor  # float32 [samples, pixels]


# Made once for each length, on the CPU: looking at weights would wait for a GPU.
@lru_cache(maxsize=128)
def _rows(kernel: Kernel, length: int, side: int, device: torch.device) -> tuple[Tensor, tuple[Band, ...]]:
    """int64 [used], the rows that count, since shrinking without antialiasing passes over some; and the bands of those."""
    matrix = _matrix(kernel, length, side)
    used = matrix.any(dim=0).nonzero()[:, 0]
    return used.to(device), _bands(matrix.index_select(1, used), device)


@lru_cache(maxsize=128)
def _columns(kernel: Kernel, length: int, side: int, device: torch.device, divisor: float) -> tuple[Band, ...]:
    """The bands of all columns, which divide too."""
    return _bands((_matrix(kernel, length, side).double() / divisor).float(), device)


def _bands(matrix: Tensor, device: torch.device) -> tuple[Band, ...]:
    """The products with a matrix [side, length] that do not multiply by its zeros; a single one where they are few."""
    side, length = matrix.shape
    step = BAND if device.type == "cpu" and length * length > FEW else side
    found = []
    for start in range(0, side, step):
        weights = matrix[start : start + step]
        counts = weights.any(dim=0).nonzero()[:, 0]
        pixels = slice(int(counts[0]), int(counts[-1]) + 1)
        found.append(Band(slice(start, start + len(weights)), pixels, weights[:, pixels].contiguous().to(device)))
    return tuple(found)


def _matrix(kernel: Kernel, length: int, side: int) -> Tensor:
    """float32 [side, length]: how much each of `length` pixels counts in each of `side` samples."""
    bright = torch.eye(length, dtype=torch.float32)[None, None]  # column i has one bright pixel, in row i
    weights: Tensor = kernel(bright, side, length)[0, 0]
    return weights


def tf1_bilinear(images: Tensor, height: int, width: int) -> Tensor:
    """`tf.image.resize_bilinear` of TensorFlow 1: sample i falls at i·(in/out), no antialiasing.

    The corner of a pixel stands for its center, so the picture moves by half a pixel. TTUR, torch-fidelity, StyleGAN, ADM.
    """
    return _lerp(_lerp(images, width, dim=3), height, dim=2)


def _lerp(images: Tensor, side: int, *, dim: int) -> Tensor:
    length = images.shape[dim]
    # float32 throughout, as TensorFlow: the rounding of i·(in/out) decides which neighbor some samples take.
    scale = torch.tensor(length / side, dtype=torch.float32, device=images.device)
    position = torch.arange(side, dtype=torch.float32, device=images.device) * scale
    low = position.floor().long().clamp(max=length - 1)
    high = (low + 1).clamp(max=length - 1)
    shape = [1, 1, 1, 1]
    shape[dim] = side
    weight = (position - low).view(shape).to(images.dtype)
    below, above = images.index_select(dim, low), images.index_select(dim, high)
    return below + (above - below) * weight


def bilinear(images: Tensor, height: int, width: int) -> Tensor:
    """Bilinear with half-pixel centers, no antialiasing: pytorch-fid and its descendants."""
    return F.interpolate(images, size=(height, width), mode="bilinear", align_corners=False)


def bilinear_antialias(images: Tensor, height: int, width: int) -> Tensor:
    """Bilinear with the triangle widened by the scale when shrinking: torchmetrics since 1.8."""
    return F.interpolate(images, size=(height, width), mode="bilinear", align_corners=False, antialias=True)


def area_or_bilinear(images: Tensor, height: int, width: int) -> Tensor:
    """Means of areas where both sides shrink, else bilinear without antialiasing: how torch-fidelity brings pictures to LPIPS."""
    if images.shape[2] > height and images.shape[3] > width:
        return F.interpolate(images, size=(height, width), mode="area")
    return bilinear(images, height, width)


def bicubic_antialias(images: Tensor, height: int, width: int) -> Tensor:
    """Bicubic widened by the scale when shrinking, overshoot kept: Pillow's filter on float channels, clean-fid.

    Two matrix products. torch's own antialiased bicubic makes its weights in float32, which is off from Pillow by up to 0.005 gray
    levels; these are made in float64.
    """
    rows, columns = (
        _bicubic_weights(length, side).to(images.device, images.dtype)
        for length, side in zip(images.shape[2:], (height, width), strict=True)
    )
    return rows @ (images @ columns.T)


def pillow_bicubic(images: Tensor, height: int, width: int) -> Tensor:
    """Pillow's bicubic of 8-bit pictures, bit for bit: uint8 [batch, channels, h, w] → uint8 [batch, channels, height, width].

    It rounds weights to 22 bits, and the picture to gray levels after each direction. Such sums are whole numbers below 2^31, which
    float64 holds exactly in whatever order a device adds them. The width comes first, as in Pillow up to 12, which published numbers
    were made with; Pillow 13 begins with the height where that shrinks more (python-pillow/Pillow#9549), which moves single pixels of
    pictures that are not square by up to some 20 levels.
    """
    device = torch.device("cpu") if images.device.type == "mps" else images.device  # mps has no float64
    rows, columns = (
        (_bicubic_weights(length, side) * 2**22).round().to(device) for length, side in zip(images.shape[2:], (height, width), strict=True)
    )
    x = ((images.to(device).double() @ columns.T) / 2**22 + 0.5).floor().clamp(0, 255)
    x = ((rows @ x) / 2**22 + 0.5).floor().clamp(0, 255)
    return x.to(images.device, torch.uint8)


def _bicubic_weights(length: int, side: int) -> Tensor:
    """float64 [side, length]: how much each of `length` pixels counts in each of `side` samples (Keys 1981, a = −1/2)."""
    scale = length / side
    reach = max(scale, 1.0)  # shrinking, the filter spans the pixels that one sample stands for
    center = (torch.arange(side, dtype=torch.float64) + 0.5)[:, None] * scale
    pixel = torch.arange(length, dtype=torch.float64)[None, :]
    x = ((pixel - center + 0.5) * (1 / reach)).abs()
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
    # Pillow cuts the filter at whole pixels: from the one nearest its left end, up to but not including that nearest its right end.
    inside = (pixel >= (center - 2 * reach + 0.5).floor()) & (pixel < (center + 2 * reach + 0.5).floor())
    weights = weights * inside
    return weights / weights.cumsum(dim=1)[:, -1:]  # added from left to right, as Pillow does: the last bit may decide a rounding


RESIZE: Mapping[str, Kernel] = MappingProxyType(
    {
        "tf1-bilinear": tf1_bilinear,
        "bilinear": bilinear,
        "bilinear-antialias": bilinear_antialias,
        "bicubic-antialias": bicubic_antialias,
    }
)
NATIVE = frozenset({bilinear, bilinear_antialias})  # a single call of torch each
