"""TrainingData: a data set as the loop and the scores see it. `training.datasets` makes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from ganeval.training.batch import DataSpec


class Pictures(Protocol):
    """Pictures of one size, by index."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Tensor:
        """uint8 [channels, side, side], the same for the same index every time; may be called in worker processes."""
        ...


class Stored:
    """Pictures in memory."""

    def __init__(self, images: Tensor) -> None:
        self.images = images  # uint8 [num, channels, side, side]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One of the two halves of a data set that never meet: what is trained on, and what is scored against."""

    images: Pictures
    labels: Tensor | None = None  # int64 [num] of classes, or float32 [num, num_labels] of 0 and 1 for attributes
    source: Pictures | None = None  # for pairs of the same length as `images`; for domains of any

    def __len__(self) -> int:
        """Of an epoch: of unpaired domains the larger one counts."""
        return max(len(self.images), len(self.source) if self.source is not None else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData:
    """A data set, split."""

    name: str
    spec: DataSpec
    train: Split  # pictures of `spec.image_size` × enlarge, to be cropped
    test: Split  # pictures of `spec.image_size`
    provenance: dict[str, Any] = field(default_factory=dict)  # JSON-able: where it is from, counts, digests, how it was split

    def summary(self) -> Iterator[str]:
        """For people, a line each."""
        spec = self.spec
        color = "gray" if spec.channels == 1 else "color"
        yield f"{self.name}: {color} pictures of {spec.image_size}×{spec.image_size}"
        for name, split in (("train", self.train), ("test", self.test)):
            count = f"{len(split.images):,}"
            if split.source is not None:
                count = f"{len(split.source):,} {spec.domains[0]}, {count} {spec.domains[1]}"
            yield f"{name}: {count}"
        if spec.label_names:
            yield f"{'attributes' if spec.task == 'attributes' else 'classes'}: {', '.join(spec.label_names)}"
        yield from self.provenance.get("notes", ())


def stacked(pictures: Pictures) -> Tensor:
    """All of them: uint8 [num, channels, side, side]."""
    if isinstance(pictures, Stored):
        return pictures.images
    return torch.stack([pictures[index] for index in range(len(pictures))])
