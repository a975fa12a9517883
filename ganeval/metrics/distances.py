"""Distances between feature vectors, in blocks of rows that bound memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.numbers import check_range

BLOCK_ELEMENTS = 2**25  # of a distance matrix in memory at once: 256 MB in float64


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """‖xᵢ − yⱼ‖², float64 [len(x), len(y)] on their device; what is below rounding is 0, so that copies are at distance 0."""
    xx, yy = x.square().sum(dim=1, keepdim=True), y.square().sum(dim=1)
    size = xx + yy
    squared = torch.addmm(size, x, y.T, alpha=-2)
    rounding = 4 * torch.finfo(squared.dtype).eps * x.shape[1] ** 0.5
    return squared.masked_fill_(squared < rounding * size, 0.0)


def blocks(x: Tensor, columns: int) -> Iterator[tuple[slice, Tensor]]:
    """(positions, rows) of `x` in blocks whose distance matrices to that many columns stay within BLOCK_ELEMENTS."""
    size = max(1, BLOCK_ELEMENTS // max(columns, 1))
    for start in range(0, len(x), size):
        chosen = slice(start, min(start + size, len(x)))
        yield chosen, x[chosen]


def checked(*sets: Tensor) -> list[Tensor]:
    """The same sets in float64, checked as `finite` does."""
    return [one.double() for one in finite(*sets)]


def finite(*sets: Tensor) -> list[Tensor]:
    """The same sets, where there is float64, checked: finite, in range, and [num_images, dim] with one dim.

    Raises:
        InputError: they are not.
    """
    for features in sets:
        if features.ndim != 2 or features.shape[1] != sets[0].shape[1]:
            raise InputError(f"features are [num_images, dim] with one dim, got {[list(one.shape) for one in sets]}")
        if features.numel() and not torch.stack(features.aminmax()).isfinite().all():
            raise InputError("some features are NaN or infinite; check the images and the weights of the extractor")
        check_range(features)
    # MPS has no float64.
    return [one.cpu() if one.device.type == "mps" else one for one in sets]


def centered(*sets: Tensor) -> list[Tensor]:
    """The same, around the mean of the first: distances stay, and lose fewer digits."""
    wide = checked(*sets)
    mean = wide[0].mean(dim=0)
    return [one - mean for one in wide]


def directions(features: Tensor) -> Tensor:
    """The same at length 1.

    Raises:
        InputError: a vector of zeros, which has no direction.
    """
    length = features.norm(dim=1, keepdim=True)
    if (length == 0).any():
        where = int((length == 0).nonzero()[0, 0])
        raise InputError(f"the features of image {where} (from 0) are all zero, so they have no direction to compare; check that image")
    unit: Tensor = features / length
    return unit
