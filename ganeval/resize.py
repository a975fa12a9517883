"""The resize kernels that evaluation tools use. Each takes float images on any device; none goes through a picture library.

All in RESIZE take `images` float [batch, channels, height, width] and return [batch, channels, side, side], neither rounded nor
clipped. They differ in where a sample falls and in how far it looks, which alone moves a FID by several points
(Parmar et al. 2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

Kernel = Callable[[Tensor, int], Tensor]


def tf1_bilinear(images: Tensor, side: int) -> Tensor:
    """`tf.image.resize_bilinear` of TensorFlow 1: sample i falls at i·(in/out), no antialiasing.

    The corner of a pixel stands for its center, so the picture moves by half a pixel. TTUR, torch-fidelity, StyleGAN, ADM.
    """
    return _lerp(_lerp(images, side, dim=3), side, dim=2)


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


def bilinear(images: Tensor, side: int) -> Tensor:
    """Bilinear with half-pixel centers, no antialiasing: pytorch-fid and its descendants."""
    return F.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)


def bilinear_antialias(images: Tensor, side: int) -> Tensor:
    """Bilinear with the triangle widened by the scale when shrinking: torchmetrics since 1.8."""
    return F.interpolate(images, size=(side, side), mode="bilinear", align_corners=False, antialias=True)


def area_or_bilinear(images: Tensor, side: int) -> Tensor:
    """Means of areas where both sides shrink, else bilinear without antialiasing: how torch-fidelity brings pictures to LPIPS."""
    if min(images.shape[2:]) > side:
        return F.interpolate(images, size=(side, side), mode="area")
    return bilinear(images, side)


def bicubic_antialias(images: Tensor, side: int) -> Tensor:
    """Bicubic widened by the scale when shrinking, overshoot kept: Pillow's filter on float channels, clean-fid.

    Two matrix products. torch's own antialiased bicubic makes its weights in float32, which is off from Pillow by up to 0.005 gray
    levels; these are made in float64.
    """
    rows, columns = (_bicubic_weights(length, side).to(images.device, images.dtype) for length in images.shape[2:])
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
