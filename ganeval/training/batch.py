"""What a model is trained on: Batch, and DataSpec, which describes every batch of one data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor

from ganeval.errors import InputError

MAX_SIZE, MAX_CHANNELS = 2**16, 2**10

Task = Literal["images", "classes", "pairs", "domains", "attributes"]
"""What is learned: pictures; pictures of a class; source → paired target; one domain ↔ another; attributes changed at will."""


class Batch(NamedTuple):
    """One step's data. All floats; pictures in [-1, 1], on the model's device."""

    images: Tensor  # [batch, channels, side, side], what a fake should look like
    labels: Tensor | None = None  # int64 [batch] of classes, or float [batch, num_labels] of 0 and 1 for attributes
    source: Tensor | None = None  # [batch, channels, side, side], what a fake is made from; the same length as `images`


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """What all batches of a data set have in common; a model is built for one."""

    task: Task
    image_size: int  # pixels; pictures are square
    channels: int = 3  # 1 for gray
    label_names: tuple[str, ...] = ()  # of classes or attributes
    domains: tuple[str, str] = ("source", "target")  # for pairs and domains: of `Batch.source` and of `Batch.images`

    def __post_init__(self) -> None:
        """Raise an InputError that names a size no picture has."""
        for what, size, most in (("image_size", self.image_size, MAX_SIZE), ("channels", self.channels, MAX_CHANNELS)):
            if not 1 <= size <= most:
                raise InputError(f"{what} must be between 1 and {most:,}, got {size}")

    @property
    def num_labels(self) -> int:
        return len(self.label_names)
