"""A picture at another size, as good software would make it."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.resize import bicubic_antialias


def resampled(image: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 [3, h, w] → uint8 [3, height, width] of `size` (width, height): bicubic, antialiased."""
    width, height = size
    return bicubic_antialias(image[None].float(), height, width)[0].round().clamp(0, 255).to(torch.uint8)
