"""What extraction leaves of one set of images: only what the chosen metrics need."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ganeval.stats import FeatureStats

# "sample" is all features of a small set and some of a large one; "spatial" are features that still know where (see `Activations`).
Need = Literal["stats", "sample", "features", "logits", "spatial stats", "spatial sample", "classes", "pairs"]

SAMPLED = 8192  # rows of a sample: they know a standard deviation to 1 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """What is kept of one kind of feature vectors; each part is None where no metric asked for it."""

    stats: FeatureStats | None = None
    features: Tensor | None = None  # float [num_images, dim], in the order of the images
    sample: Tensor | None = None  # float [≤ num_images, dim], all of them up to SAMPLED or dim if that is more, else as many by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Vectors):
    """What one network leaves of one set of images: its features, and what else was asked for."""

    logits: Tensor | None = None  # float [num_images, classes], in the order of the images
    spatial: Vectors | None = None
    classes: tuple[str, ...] | None = None  # of each image; None where the images have none
    pairs: Mapping[str, Tensor] | None = None  # by difference (l1 …), float64 [num_images] between each fake and its target


class Rows:
    """Vectors in the making: rows come in batch by batch, and only what is needed is kept."""

    def __init__(self, needs: Collection[str], dim: int) -> None:
        self._stats: FeatureStats | None = None
        self._wants_stats, self._wants_all = "stats" in needs, "features" in needs
        self._room = max(SAMPLED, dim) if "sample" in needs and not self._wants_all else 0
        self._kept: list[Tensor] = []
        self._keys: list[Tensor] = []  # a random number for each row: the sample is of the smallest
        self._rng = torch.Generator().manual_seed(0)

    def add(self, rows: Tensor) -> None:
        """float [batch, dim]."""
        if self._wants_stats:
            part = FeatureStats.of(rows)
            self._stats = part if self._stats is None else self._stats + part
        if self._wants_all or self._room:
            self._kept.append(rows.cpu())
        if self._room:
            self._keys.append(torch.rand(len(rows), generator=self._rng))
            if sum(map(len, self._keys)) > 2 * self._room:
                self._cut()

    def vectors(self) -> Vectors:
        stats = None if self._stats is None else self._stats.cpu()
        if self._wants_all:
            return Vectors(stats=stats, features=torch.cat(self._kept))
        if not self._room:
            return Vectors(stats=stats)
        self._cut()
        return Vectors(stats=stats, sample=self._kept[0])

    def _cut(self) -> None:
        rows, keys = torch.cat(self._kept), torch.cat(self._keys)
        if len(keys) > self._room:
            chosen = keys.argsort()[: self._room].sort().values
            rows, keys = rows[chosen], keys[chosen]
        self._kept, self._keys = [rows], [keys]
