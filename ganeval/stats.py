"""FeatureStats: count, mean and scatter of a set of features. Two of them add up to the stats of both sets together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ganeval.errors import InputError, InputTypeError
from ganeval.factor import factor
from ganeval.numbers import check_range


@dataclass(frozen=True, eq=False)
class FeatureStats:
    """Sufficient statistics of features, in float64.

    `count` is None only for foreign reference files that do not say how many images they are made of; those cannot be added.
    """

    count: int | None
    mean: Tensor  # float64 [dim]
    scatter: Tensor  # float64 [dim, dim], the sum of (x − mean)(x − mean)ᵀ; with no count, the covariance
    rows: Tensor | None = None  # float64 [count − 1, dim] with scatter = rowsᵀ rows, of no more images than features; None if not at hand

    @classmethod
    def of(cls, features: Tensor) -> FeatureStats:
        """Stats of float features [num_images, dim], on the device where they are (on the CPU for MPS, which has no float64).

        Raises:
            InputTypeError: not a float matrix with at least one row.
            InputError: a feature is NaN or infinite, or out of range.
        """
        if features.ndim != 2 or not features.is_floating_point() or len(features) == 0:
            raise InputTypeError(f"expected float features [num_images ≥ 1, dim], got {features.dtype} {list(features.shape)}")
        bad = ~features.isfinite().all(dim=1)
        if bad.any():
            raise InputError(
                f"{int(bad.sum())} of {len(features)} feature rows are NaN or infinite, the first at row "
                f"{int(bad.nonzero()[0])}; check the weights and the images that the extractor was given"
            )
        check_range(features)
        x = (features.cpu() if features.device.type == "mps" else features).double()
        mean = x.mean(dim=0)
        centered = x - mean
        return cls(len(x), mean, centered.T @ centered, _contrasts(centered) if len(x) <= x.shape[1] else None)

    @classmethod
    def over(cls, batches: Iterable[Tensor]) -> FeatureStats:
        """Stats of all batches of features together; holds one batch and one [dim, dim] matrix at a time."""
        total: FeatureStats | None = None
        for features in batches:
            stats = cls.of(features)
            total = stats if total is None else total + stats
        if total is None:
            raise InputError("no features: the source held no images")
        return total

    def check(self) -> None:
        """Refuse what no score can be computed from.

        Raises:
            InputError: numbers that are NaN or infinite, or out of range.
        """
        if not (self.mean.isfinite().all() and self.scatter.isfinite().all()):
            raise InputError("the stats hold NaN or infinite values; compute them again from the images")
        deviations = self.scatter.diagonal().clamp(min=0).sqrt() / max((self.count or 2) - 1, 1) ** 0.5
        check_range(torch.cat([self.mean, deviations]), "features")

    @property
    def dim(self) -> int:
        return len(self.mean)

    @property
    def covariance(self) -> Tensor:
        """Unbiased, float64 [dim, dim]: scatter / (count − 1).

        Raises:
            InputError: fewer than two images.
        """
        return self._unbiased(self.scatter)

    @property
    def total_variance(self) -> Tensor:
        """The trace of the covariance.

        Raises:
            InputError: fewer than two images.
        """
        total: Tensor = self._unbiased(self.scatter.diagonal()).sum()
        return total

    @cached_property
    def factor(self) -> Tensor:
        """F, float64 [dim, rank], with covariance = F Fᵀ; computed once, for all fakes that are held against these stats."""
        if self.rows is not None and self.count is not None and self.count > 1:
            found: Tensor = self.rows.T / (self.count - 1) ** 0.5
            return found
        # N images span at most N − 1 directions; what a factor has beyond them is rounding, whose root would not be small.
        rank = self.dim if self.count is None else min(self.dim, self.count - 1)
        return factor(self.covariance, rank)

    def _unbiased(self, scatter: Tensor) -> Tensor:
        if self.count is None:
            return scatter
        if self.count < 2:
            raise InputError(f"a covariance needs at least 2 images, got {self.count}; add images")
        return scatter / (self.count - 1)

    def __add__(self, other: FeatureStats) -> FeatureStats:
        """Stats of both sets together (Chan, Golub and LeVeque 1979, eq. 2.1).

        Raises:
            InputError: the dimensions differ, or one of the counts is unknown.
        """
        if self.count is None or other.count is None:
            raise InputError("stats without a count cannot be merged; compute them again from the images")
        if self.dim != other.dim:
            raise InputError(f"stats of {self.dim} and of {other.dim} features cannot be merged; use one extractor for both")
        count = self.count + other.count
        shift = other.mean - self.mean
        mean = self.mean + shift * (other.count / count)
        between = torch.outer(shift, shift) * (self.count * other.count / count)
        rows = None
        if self.rows is not None and other.rows is not None and count <= self.dim:
            rows = torch.cat([self.rows, other.rows, shift[None] * (self.count * other.count / count) ** 0.5])
        return FeatureStats(count, mean, self.scatter + other.scatter + between, rows)

    def cpu(self) -> FeatureStats:
        """The same stats in main memory."""
        if self.scatter.device.type == "cpu":
            return self
        return FeatureStats(self.count, self.mean.cpu(), self.scatter.cpu(), None if self.rows is None else self.rows.cpu())


def _contrasts(centered: Tensor) -> Tensor:
    """Each row but the first less the mean of those before it, scaled (Helmert 1876): [num − 1, dim] of the same scatter."""
    before = torch.arange(1, len(centered), dtype=centered.dtype, device=centered.device)[:, None]
    means = centered[:-1].cumsum(dim=0) / before
    contrasts: Tensor = (centered[1:] - means) * (before / (before + 1)).sqrt()
    return contrasts
