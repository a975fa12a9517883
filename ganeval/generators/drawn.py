"""Pictures drawn by position: the n-th is the same whoever asks for it, in batches of any size, in any process."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ganeval.errors import InputError, InputTypeError
from ganeval.halving import Halving
from ganeval.images import Seen, check_images
from ganeval.images.batch import range_to_uint8

BLOCK = 256  # latents drawn at a time, from a seed of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How pictures are made."""

    kind: str
    make: Callable[[range], Tensor]  # positions → pictures [len, 3 or 1, height, width]
    value_range: tuple[float, float] | None = None  # where the generator states it
    batch_size: int | None = None  # where it takes batches of one size only, or of a size at most
    about: Mapping[str, Any] = field(default_factory=dict)  # for the provenance


def seeded(seed: int, index: int) -> torch.Generator:
    """A random generator of its own for each index. torch's, on a CPU, looks at 32 bits of a seed only: those differ here."""
    first = int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:4], "little")
    return torch.Generator().manual_seed((first + index) % 2**32)


class Latents:
    """Normal z of each position, float32 [len, *shape]."""

    def __init__(self, shape: tuple[int, ...], seed: int) -> None:
        self.shape = shape
        self._seed = seed

    def __call__(self, positions: range) -> Tensor:
        blocks = range(positions.start // BLOCK, (positions.stop - 1) // BLOCK + 1)
        drawn = torch.cat([self._block(index) for index in blocks])
        first = blocks.start * BLOCK
        return drawn[positions.start - first : positions.stop - first]

    def _block(self, index: int) -> Tensor:
        return torch.randn(BLOCK, *self.shape, generator=seeded(self._seed, index))


class DrawnImages:
    """`num_images` of a generator, as a source: each pass gives the same, and parts of it may be drawn by different processes."""

    def __init__(self, where: str, making: Making, *, num_images: int, value_range: tuple[float, float] | None, seed: int) -> None:
        self.where = where
        self.kind = making.kind
        self.about = {"generator": {**making.about, "seed": seed, "range": value_range}}  # for the provenance
        self._making = making
        self._range = value_range
        self._part = range(num_images)

    @property
    def num_images(self) -> int:
        return len(self._part)

    def part(self, start: int, stop: int) -> DrawnImages:
        part = copy.copy(self)
        part._part = self._part[start:stop]
        return part

    def listing(self) -> Iterator[str]:
        return iter([f"{self.about}", f"{self._part}"])

    def batches(self, seen: Seen, *, batch_size: int, skip_bad: bool = False) -> Iterator[Tensor]:
        step, halving = min(batch_size, self._making.batch_size or batch_size), Halving(f"the generator {self.where}")
        for start in range(self._part.start, self._part.stop, step):
            positions = range(start, min(start + step, self._part.stop))
            with torch.no_grad():
                parts = halving(lambda some: self._levels(self._making.make(some), len(some)), positions)
            for images in parts:
                seen.add_all(images)
                yield images

    def _levels(self, images: Tensor, wanted: int) -> Tensor:
        if images.ndim != 4 or len(images) != wanted or images.shape[1] not in (1, 3):
            raise InputTypeError(
                f"{self.where} gives {list(images.shape)} for {wanted} latents; expected [{wanted}, 3 or 1, height, width]"
            )
        if images.dtype == torch.uint8:
            return check_images(images)
        if self._range is None:
            raise InputError(
                f"{self.where} gives floats; say the range of its pictures: --range -1,1 (as of tanh), 0,1 or 0,255 (value_range=)"
            )
        try:
            return check_images(range_to_uint8(images, *self._range))
        except InputError as error:
            raise InputError(f"{self.where}: {error}") from None
