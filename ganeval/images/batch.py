"""The one shape images have inside ganeval: uint8 RGB [batch, 3, height, width]. Checked here, then trusted."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.errors import InputError, InputTypeError

MIN_SIDE = 2  # a 1×1 picture is a placeholder or a failed download: every resize of it is one flat color


def check_images(images: Tensor) -> Tensor:
    """The same images, gray ones as RGB.

    Args:
        images: uint8 [batch, 3 or 1, height, width].

    Raises:
        InputTypeError: another dtype or shape. Floats are refused because their range would have to be guessed.
        InputError: an empty batch, or pictures of less than 2×2 pixels.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise InputTypeError(
            f"expected uint8 images [batch, 3 or 1, height, width], got {str(images.dtype).removeprefix('torch.')} "
            f"{list(images.shape)}; floats in [-1, 1] go through ganeval.to_uint8()"
        )
    if len(images) == 0:
        raise InputError("an empty batch of images; leave it out")
    if min(images.shape[2:]) < MIN_SIDE:
        raise InputError(f"a picture of {images.shape[3]}×{images.shape[2]} pixels has nothing to score; remove it")
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


def to_uint8(images: Tensor) -> Tensor:
    """Floats in [-1, 1] → uint8, rounding to the nearest gray level: −1 → 0, 1 → 255.

    Raises:
        InputTypeError: not floating point.
        InputError: NaN, or values beyond [-1, 1]; nothing is clipped or rescaled silently.
    """
    return _to_levels(images, low=-1, name="to_uint8() takes")


def unit_to_uint8(images: Tensor) -> Tensor:
    """Floats in [0, 1] → uint8, rounding to the nearest gray level; raises as `to_uint8`."""
    return _to_levels(images, low=0, name="normalize=True is for")


def range_to_uint8(images: Tensor, low: float, high: float) -> Tensor:
    """Floats in [low, high] → uint8, rounding to the nearest gray level; a value beyond that rounds to black or white is taken as that.

    Raises:
        as `to_uint8`.
    """
    return _to_levels(images, low=low, high=high, slack=0.5, name="the stated range is for")


def _to_levels(images: Tensor, *, low: float, high: float = 1, slack: float = 0, name: str) -> Tensor:
    if not images.is_floating_point():
        raise InputTypeError(f"{name} floats in [{low:g}, {high:g}], got {str(images.dtype).removeprefix('torch.')}")
    least, most = (images.min().item(), images.max().item()) if images.numel() else (low, high)
    beyond = slack * (high - low) / 255
    if not (least >= low - beyond and most <= high + beyond):  # also true for NaN
        raise InputError(f"{name} floats in [{low:g}, {high:g}], got values from {least:.4g} to {most:.4g}; scale or clamp them first")
    levels = ((images.float() - low) * (255 / (high - low))).round()
    return (levels.clamp(0, 255) if slack else levels).to(torch.uint8)
