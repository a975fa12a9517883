"""Request: what is asked of a data set, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ganeval.errors import InputError, nearest
from ganeval.progress import Progress
from ganeval.training.batch import DataSpec, Task

Direction = Literal["AtoB", "BtoA"]
MIN_SIZE, MAX_SIZE = 8, 4096  # pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """See `open_data`. Checked where it is made."""

    task: Task
    image_size: int | None
    default_size: int
    channels: int | None
    default_channels: int
    enlarge: float
    attributes: tuple[str, ...]
    direction: Direction
    seed: int
    progress: Progress

    def __post_init__(self) -> None:
        if self.task not in get_args(Task):
            raise InputError(f"no task is called {self.task!r}; {nearest(self.task, get_args(Task))}")
        if self.image_size is not None and not MIN_SIZE <= self.image_size <= MAX_SIZE:
            raise InputError(f"pictures of {self.image_size}×{self.image_size} pixels cannot be trained on; give {MIN_SIZE} to {MAX_SIZE}")
        if self.channels not in (None, 1, 3):
            raise InputError(f"pictures have 1 channel (gray) or 3 (color), got {self.channels}")
        if not 1.0 <= self.enlarge <= 4.0:
            raise InputError(f"pictures are enlarged by 1 to 4 before they are cropped, got {self.enlarge}")
        if self.direction not in get_args(Direction):
            raise InputError(f"the direction is AtoB or BtoA, got {self.direction!r}")
        if self.attributes and self.task != "attributes":
            raise InputError(
                f"attributes were chosen ({', '.join(self.attributes)}) for the task {self.task!r}, which has none; leave them out"
            )

    def spec(
        self,
        *,
        own_size: int | None = None,
        own_channels: int | None = None,
        label_names: Sequence[str] = (),
        domains: tuple[str, str] = ("source", "target"),
    ) -> DataSpec:
        """What all batches will have in common, for data of a size of their own or of none."""
        return DataSpec(
            task=self.task,
            image_size=self.image_size or own_size or self.default_size,
            channels=self.channels or own_channels or self.default_channels,
            label_names=tuple(label_names),
            domains=domains if self.direction == "AtoB" else (domains[1], domains[0]),
        )

    def train_size(self, spec: DataSpec) -> int:
        """Of the pictures that training crops."""
        return round(spec.image_size * self.enlarge)

    def chosen_attributes(self, known: Sequence[str], default: Sequence[str], *, where: str) -> tuple[str, ...]:
        """Those asked for, or the default.

        Raises:
            InputError: one that the data do not have, or the same one twice.
        """
        for name in self.attributes:
            if name not in known:
                raise InputError(f"{where} has no attribute {name!r}; {nearest(name, known)}")
        if len(set(self.attributes)) < len(self.attributes):
            raise InputError(f"an attribute was chosen twice: {', '.join(self.attributes)}")
        return self.attributes or tuple(default)
