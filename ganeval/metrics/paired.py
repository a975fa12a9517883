"""How far a picture is from the one it should be: L1, PSNR, SSIM. For translations with a known target."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ganeval.errors import InputError

WINDOW, SIGMA = 11, 1.5  # Wang et al. 2004, sec. III-B
K1, K2 = 0.01, 0.03  # ibid.
LEVELS = 255.0
BLOCK = 64  # pictures worked on at once
MAX_PSNR = 100.0  # dB, of equal pictures, whose ratio is infinite


def l1(fake: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference in gray levels (0 to 255): float64 [num].

    `fake`, `target`: uint8 [num, channels, height, width], paired by position; so for the others.
    """
    _check(fake, target)
    return _blocks(fake, target, lambda a, b: (a - b).abs().mean(dim=(1, 2, 3)))


def psnr(fake: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio 10·log₁₀(255² / mean squared error) in dB, of each picture, at most 100: float64 [num]."""
    _check(fake, target)
    error = _blocks(fake, target, lambda a, b: (a - b).square().mean(dim=(1, 2, 3)))
    return (10 * torch.log10(LEVELS**2 / error)).clamp(max=MAX_PSNR)


def ssim(fake: Tensor, target: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004, eq. 13), Gaussian window of 11 and σ 1.5, mean over pixels and channels: float64 [num].

    Raises:
        InputError: pictures smaller than the window.
    """
    _check(fake, target)
    if min(fake.shape[2:]) < WINDOW:
        raise InputError(f"SSIM needs pictures of at least {WINDOW}×{WINDOW}, got {list(fake.shape[2:])}")
    return _blocks(fake, target, _ssim)


def _ssim(x: Tensor, y: Tensor) -> Tensor:
    offsets = torch.arange(WINDOW, dtype=torch.float64, device=x.device) - WINDOW // 2
    weights = torch.exp(-offsets.square() / (2 * SIGMA**2))
    weights = weights / weights.sum()
    channels = x.shape[1]

    def local_mean(image: Tensor) -> Tensor:
        rows = F.conv2d(image, weights.view(1, 1, WINDOW, 1).expand(channels, 1, WINDOW, 1), groups=channels)
        return F.conv2d(rows, weights.view(1, 1, 1, WINDOW).expand(channels, 1, 1, WINDOW), groups=channels)

    c1, c2 = (K1 * LEVELS) ** 2, (K2 * LEVELS) ** 2
    mx, my = local_mean(x), local_mean(y)
    vx, vy, cov = local_mean(x * x) - mx * mx, local_mean(y * y) - my * my, local_mean(x * y) - mx * my
    similarity = (2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return similarity.mean(dim=(1, 2, 3))


def _blocks(fake: Tensor, target: Tensor, function: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    parts = [function(a.double(), b.double()) for a, b in zip(fake.split(BLOCK), target.split(BLOCK), strict=True)]
    return torch.cat(parts)


def _check(fake: Tensor, target: Tensor) -> None:
    if fake.shape != target.shape or fake.dtype != torch.uint8 or target.dtype != torch.uint8:
        raise InputError(
            f"paired pictures are uint8 of one shape, got {fake.dtype} {list(fake.shape)} and {target.dtype} {list(target.shape)}"
        )
