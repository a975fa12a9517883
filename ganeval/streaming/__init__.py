"""Scores in a training loop, under the names and with the calls that people know from torchmetrics.

fid = FrechetInceptionDistance(real="data/real")
for z in latents:
    fid.update(ganeval.to_uint8(generator(z)))
fid.compute()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.measured import Measured
from ganeval.metrics.class_sums import ClassSums
from ganeval.metrics.frechet import frechet_distance
from ganeval.metrics.kid import kid
from ganeval.report import Score
from ganeval.stats import FeatureStats
from ganeval.streaming.base import Streaming

__all__ = ["FrechetInceptionDistance", "InceptionScore", "KernelInceptionDistance"]


class FrechetInceptionDistance(Streaming):
    """FID of whatever was fed, as `Evaluator` has it; arguments as for `Streaming`. Keeps mean and scatter of each side."""

    metric, need = "fid", "stats"

    def compute(self) -> Tensor:
        """float64 []."""
        return torch.tensor(self.score().value, dtype=torch.float64)

    def _score(self, *parts: Any) -> Score:
        real, fake = (part.stats for part in parts)
        return Score(frechet_distance(real, fake))

    def _unpacked(self, packed: Mapping[str, Any]) -> Measured:
        return Measured(stats=FeatureStats(**packed["stats"]))


class KernelInceptionDistance(Streaming):
    """KID over subsets, from all images or, of more than 8,192 of a side, from as many by chance, which is what is kept.

    Args:
        subsets, subset_size: as in torchmetrics.
        seed: of the subsets.
        others: as for `Streaming`.
    """

    metric, need = "kid", "sample"

    def __init__(self, *args: Any, subsets: int = 100, subset_size: int = 1000, seed: int = 2020, **options: Any) -> None:
        super().__init__(*args, **options)
        self.subsets, self.subset_size, self.seed = subsets, subset_size, seed

    def compute(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation over subsets, float64 []."""
        return _two(self.score())

    def _score(self, *parts: Any) -> Score:
        real, fake = (part.sample for part in parts)
        return kid(real, fake, num_subsets=self.subsets, subset_size=self.subset_size, seed=self.seed)

    def _unpacked(self, packed: Mapping[str, Any]) -> Measured:
        return Measured(sample=packed["sample"], keys=packed["keys"])


class InceptionScore(Streaming):
    """Inception Score of fakes. Image number i is of split i mod `splits`, so that sums are kept and no logits.

    Args:
        splits: as in torchmetrics; None is the convention's.
        others: as for `Streaming`, without `real` and `reset_real_features`.
    """

    metric, need, parts = "is", "logits", ("fake",)

    def __init__(self, *args: Any, splits: int | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.splits = self.convention.is_num_splits if splits is None else splits
        if self.splits < 1:
            raise InputError(f"splits must be at least 1, got {splits}")

    def update(self, imgs: Tensor, real: bool = False) -> None:
        if real:
            raise InputError("the Inception Score knows no reals; call update(images)")
        super().update(imgs)

    def compute(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation over splits, float64 []."""
        return _two(self.score())

    def _kept(self, measured: Measured, first: int) -> ClassSums:
        assert measured.logits is not None
        return ClassSums.of(measured.logits, num_splits=self.splits, first=first)

    def _score(self, *parts: Any) -> Score:
        sums: ClassSums = parts[0]
        return sums.score(ddof=self.convention.is_spread_ddof)

    def _unpacked(self, packed: Mapping[str, Any]) -> ClassSums:
        return ClassSums(**packed)


def _two(score: Score) -> tuple[Tensor, Tensor]:
    return torch.tensor(score.value, dtype=torch.float64), torch.tensor(score.spread or 0.0, dtype=torch.float64)
