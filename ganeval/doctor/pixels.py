"""What the pixels of one picture show: a few numbers each, so that thousands of pictures can be held against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from torch import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

THUMB = 16  # pixels, the side of a thumbnail
CROP = 256  # pixels, the side of the middle that spectra are taken of
BINS = 16  # of a spectrum, from no change to one change per two pixels
BLOCK = 8  # pixels, of JPEG
FACTORS = (8, 4, 3, 2)  # by which nearest-neighbor enlargement is looked for
SMALLEST = 16  # pixels, of a picture whose spectrum means something


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """Of one picture."""

    levels: Array  # int64 [256]: how many values of each gray level, all channels together
    gray: bool  # whether the channels are equal, but for one level
    spread: float  # the standard deviation of its values
    wraps: float  # share of neighboring values of which one is nearly black and the other nearly white
    grid: float  # how many more fine details vanish within 8×8 blocks on JPEG's grid than off it; nan of small pictures
    enlarged: int  # by which factor each pixel is repeated, 1 where it is not
    spectrum: Array  # float64 [BINS]: log10 of the mean power from coarse to fine; nan of small pictures
    thumbnail: Array  # float32 [3, THUMB, THUMB]


def pixels_of(image: Tensor) -> Pixels:
    """Of uint8 [3, height, width]. By numpy: it is called in threads that torch would give teams of threads of their own."""
    values: Array = image.numpy()
    levels = np.bincount(values.reshape(-1), minlength=256)
    luma = np.tensordot(np.array([0.299, 0.587, 0.114], np.float32), values.astype(np.float32), 1)
    grounds = values.max(axis=0).astype(np.int16) - values.min(axis=0)
    share = levels / levels.sum()
    mean = float(share @ np.arange(256))
    return Pixels(
        levels=levels,
        gray=bool((grounds <= 1).all()),
        spread=float(np.sqrt(share @ (np.arange(256) - mean) ** 2)),
        wraps=_wraps(values),
        grid=_grid(luma),
        enlarged=_enlarged(values),
        spectrum=_spectrum(luma),
        thumbnail=_thumbnail(values),
    )


def _wraps(values: Array) -> float:
    left, right = values[:, :, :-1], values[:, :, 1:]
    return float((((left >= 240) & (right <= 15)) | ((left <= 15) & (right >= 240))).mean())


def _grid(luma: Array) -> float:
    """Quantization sets the small coefficients of a JPEG's blocks to 0; seen from blocks that lie half over others they are not."""
    height, width = luma.shape
    if min(height, width) < 2 * BLOCK:
        return float("nan")
    top, left = (max(0, (side - CROP) // 2 // BLOCK * BLOCK) for side in (height, width))
    part = luma[top : top + CROP, left : left + CROP]
    return _vanishing(part) - _vanishing(part[BLOCK // 2 :, BLOCK // 2 :])


def _vanishing(luma: Array) -> float:
    rows, columns = (side // BLOCK for side in luma.shape)
    blocks = luma[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    fine = np.abs(scipy.fft.dctn(blocks, axes=(1, 3), norm="ortho"))[:, 3:, :, 3:]
    return float((fine < 1).mean())


def _enlarged(values: Array) -> int:
    if not np.any(values != values[:, :1, :1]):  # one color
        return 1
    for factor in FACTORS:
        height, width = (side // factor * factor for side in values.shape[1:])
        if min(height, width) < 2 * factor or (height, width) != values.shape[1:]:
            continue
        blocks = values.reshape(3, height // factor, factor, width // factor, factor)
        if (blocks == blocks[:, :, :1, :, :1]).all():
            return factor
    return 1


def _spectrum(luma: Array) -> Array:
    side = min(*luma.shape, CROP)
    if side < SMALLEST:
        return np.full(BINS, np.nan)
    top, left = ((length - side) // 2 for length in luma.shape)
    window = np.hanning(side + 2)[1:-1]
    power = np.abs(np.fft.rfft2((luma - luma.mean())[top : top + side, left : left + side] * np.outer(window, window))) ** 2
    frequency = np.maximum(np.abs(np.fft.fftfreq(side))[:, None], np.fft.rfftfreq(side)[None, :]) * 2
    number = np.minimum((frequency * BINS).astype(int), BINS - 1)
    sums, counts = (np.bincount(number.reshape(-1), weights, BINS) for weights in (power.reshape(-1), None))
    floor = (window**2).sum() ** 2 / 12  # the noise of rounding to whole levels
    return np.asarray(np.log10(sums / np.maximum(counts, 1) + floor))


def _thumbnail(values: Array) -> Array:
    """Means of areas."""
    rows, columns = (np.arange(THUMB) * side // THUMB for side in values.shape[1:])
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float32), rows, axis=1), columns, axis=2)
    heights, widths = (
        np.maximum(np.diff(np.append(edges, side)), 1) for edges, side in zip((rows, columns), values.shape[1:], strict=True)
    )
    return np.asarray(sums / np.outer(heights, widths), np.float32)
