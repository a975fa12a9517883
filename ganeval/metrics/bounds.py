"""Squared distances between two bounds: a product in float32, twice as fast, decides whatever does not hang on its rounding.

The rest is computed in float64, so that which of two distances is larger, and any count, is what it is there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ganeval.metrics.distances import squared_distances

TILE_ELEMENTS = 2**23  # of a distance matrix in memory at once: 32 MB in float32, as few as a product is fast with
EXACT_PER_ROW = 16  # pairs to compute one by one; with more of them a product in float64 is faster
PAIRS_AT_ONCE = 2**8


class Undecided(Exception):
    """Too many distances are equal within the rounding of float32."""


class Points:
    """Features around a center, as the product of matrices takes them: times `scale`, with which none is far above 1."""

    def __init__(self, features: Tensor, *, scale: float, dtype: torch.dtype, center: Tensor | None = None) -> None:
        self.features, self.scale = features, scale
        wide = features if features.dtype == torch.float64 else features.to(dtype)
        scaled = wide * scale
        self.center = scaled.mean(dim=0) if center is None else center.to(wide.dtype)  # [dim], any will do
        self.rough = scaled.sub_(self.center).to(dtype)  # [num, dim]
        self.size = torch.linalg.vecdot(self.rough, self.rough)  # [num]

    def __len__(self) -> int:
        return len(self.features)


class Bounds:
    """‖xᵢ − yⱼ‖² · scale² for `x` and `y` of one center, one scale and one dtype; in float64 both bounds are the distance itself.

    In float32, with u = 2⁻²⁴, γₙ = nu / (1 − nu) and s = ‖x‖² + ‖y‖²: rounding x and y moves the distance by at most 4us; sums of dim
    terms in any order err by γ_dim, which for s itself is γ_dim s, and for the product, started at ‖y‖², γ_dim (‖y‖² + 2‖x‖‖y‖), at most
    2γ_dim s; the few steps that remain by u each (Higham 2002, "Accuracy and Stability of Numerical Algorithms", sec. 3.1). So the
    distance is known to γₙ s with n = 3 (dim + 8), and to what underflow takes.

    Raises:
        Undecided: from `exact`, in float32.
    """

    def __init__(self, x: Points, y: Points) -> None:
        self.x, self.y = x, y
        self._dtype, dim = x.rough.dtype, x.rough.shape[1]
        steps: float = 3 * (dim + 8) * 2.0**-24
        self._rounding: float = steps / (1 - steps) if steps < 1 else math.inf
        self._underflow: float = dim * 2.0**-120  # numbers down to 2⁻¹²⁶ are normal ones
        self._low_x = x.size * (1 - self._rounding)
        self._low_y = y.size * (1 - self._rounding) - self._underflow
        self._left = EXACT_PER_ROW * (len(x) + len(y))
        self.tile = max(1, TILE_ELEMENTS // len(y))

    def below(self, rows: slice | Tensor, columns: slice) -> Tensor:
        """Lower bounds [rows, columns] in the dtype of the points."""
        x, y = self.x.rough[rows], self.y.rough[columns]
        if self._dtype == torch.float64:
            return squared_distances(x, y)
        below: Tensor = torch.addmm(self._low_y[columns], x, y.T, alpha=-2).add_(self._low_x[rows, None])
        return below

    def above(self, below: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """float64: the upper bounds of pairs of rows i and columns j, from their lower ones."""
        if self._dtype == torch.float64:
            return below
        width: Tensor = 2 * (self._rounding * (self.x.size[i] + self.y.size[j]).double() + self._underflow)
        return below + width

    def exact(self, i: Tensor, j: Tensor) -> Tensor:
        """float64: the distances of pairs [pairs] of rows i and columns j, 0 for copies."""
        self._left -= len(i)
        if self._left < 0:
            raise Undecided
        x, y = self.x.features, self.y.features
        found = torch.empty(len(i), dtype=torch.float64, device=i.device)
        for part, one, other in zip(*(values.split(PAIRS_AT_ONCE) for values in (found, i, j)), strict=True):
            part.copy_((x[one].double() - y[other]).mul_(self.x.scale).square_().sum(dim=1))
        return found

    def tiles(self) -> Iterator[slice]:
        """Runs of `tile` rows, whose distances to all columns are TILE_ELEMENTS at most."""
        for start in range(0, len(self.x), self.tile):
            yield slice(start, min(start + self.tile, len(self.x)))
