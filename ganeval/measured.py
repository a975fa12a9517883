"""What extraction leaves of one set of images: only what the chosen metrics need."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import torch
from torch import Tensor

from ganeval.stats import FeatureStats

# "sample" is all features of a small set and some of a large one; "spatial" are features that still know where (see `Activations`).
Need = Literal["stats", "sample", "features", "logits", "spatial stats", "spatial sample", "classes", "pairs"]

SAMPLED = 8192  # rows of a sample: they know a standard deviation to 1 %
DRAWN = 2**20  # random numbers drawn at once

Kept = TypeVar("Kept", bound="Vectors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """What is kept of one kind of feature vectors; each part is None where no metric asked for it."""

    stats: FeatureStats | None = None
    features: Tensor | None = None  # float [num_images, dim], in the order of the images
    sample: Tensor | None = None  # float [≤ num_images, dim], all of them up to SAMPLED or dim if that is more, else as many by chance
    keys: Tensor | None = None  # float [as many as `sample`]: random, each row's own wherever it is met; the smallest are in the sample

    def __add__(self: Kept, other: Kept) -> Kept:
        """Of both sets together, `other` being the images that come next."""
        sample, keys = _both(self.sample, other.sample), _both(self.keys, other.keys)
        if sample is not None and keys is not None:
            sample, keys = _smallest(sample, keys, _room(sample.shape[1]))
        stats = self.stats if other.stats is None else other.stats if self.stats is None else self.stats + other.stats
        return replace(self, stats=stats, features=_both(self.features, other.features), sample=sample, keys=keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Vectors):
    """What one network leaves of one set of images: its features, and what else was asked for."""

    logits: Tensor | None = None  # float [num_images, classes], in the order of the images
    spatial: Vectors | None = None
    classes: tuple[str, ...] | None = None  # of each image; None where the images have none
    halved: bool = False  # whether memory asked for smaller batches than the user: features may differ in their last bits
    pairs: Mapping[str, Tensor] | None = None  # by difference (l1 …), float64 [num_images] between each fake and its target

    def __add__(self, other: Measured) -> Measured:
        """Of both sets together; their classes, and pairs, are known of the whole only and come from there."""
        spatial = self.spatial if other.spatial is None else other.spatial if self.spatial is None else self.spatial + other.spatial
        return replace(Vectors.__add__(self, other), logits=_both(self.logits, other.logits), spatial=spatial, classes=None)


class Rows:
    """Vectors in the making: rows come in batch by batch, and only what is needed is kept.

    `first` is the position of the first of them, where they are a part of a set: which rows are sampled depends on positions only.
    """

    def __init__(self, needs: Collection[str], dim: int, *, first: int = 0) -> None:
        self._stats: FeatureStats | None = None
        self._wants_stats, self._wants_all = "stats" in needs, "features" in needs
        self._room = _room(dim) if "sample" in needs and not self._wants_all else 0
        self._kept: list[Tensor] = []
        self._keys: list[Tensor] = []  # a random number for each row: the sample is of the smallest
        self._rng = torch.Generator().manual_seed(0)
        for start in range(0, first if self._room else 0, DRAWN):  # those of the rows before
            torch.rand(min(DRAWN, first - start), generator=self._rng)

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
        return Vectors(stats=stats, sample=self._kept[0], keys=self._keys[0])

    def _cut(self) -> None:
        rows, keys = _smallest(torch.cat(self._kept), torch.cat(self._keys), self._room)
        self._kept, self._keys = [rows], [keys]


def sampled(count: int, dim: int) -> Tensor:
    """Which of `count` images the rows of a sample are of: int64 positions in the order of the rows, as `Rows` draws them."""
    rng = torch.Generator().manual_seed(0)
    keys = torch.cat([torch.rand(min(DRAWN, count - start), generator=rng) for start in range(0, count, DRAWN)])
    return _smallest(torch.arange(count), keys, _room(dim))[0]


def _room(dim: int) -> int:
    return max(SAMPLED, dim)


def _smallest(rows: Tensor, keys: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """The rows with the smallest keys, in the order they had; of equal keys the first, so that it does not matter how often one cuts."""
    if len(keys) <= number:
        return rows, keys
    chosen = keys.argsort(stable=True)[:number].sort().values
    return rows[chosen], keys[chosen]


def _both(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return second if first is None else first if second is None else torch.cat([first, second])
