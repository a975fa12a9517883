"""Loader: an endless stream of batches out of a split, in an order that depends on the seed and on the position only."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ganeval.errors import InputError
from ganeval.machine import sent
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.data import Split, Stored

IMAGES, SOURCE, AUGMENTATION = range(3)  # streams of random numbers

Raw = tuple[Tensor, "Tensor | None", "Tensor | None"]  # uint8 images, labels, uint8 source


class Loader:
    """Batches of `split` for ever: shuffled anew in each epoch, with no picture left out between two epochs.

    Batch number n is the same whenever it is asked for, so `state_dict` is a position and a resumed run sees what an unbroken one would.
    Pictures in memory are kept on `device` as uint8; others are loaded by worker processes, into pinned memory for CUDA.

    Args:
        batch_size: of this process. With `world_size` processes each takes its part of a batch of `batch_size × world_size`.
        flip: mirror half of the pictures.
    """

    def __init__(
        self,
        split: Split,
        spec: DataSpec,
        *,
        batch_size: int,
        seed: int = 0,
        flip: bool = False,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world_size: int = 1,
        num_workers: int | None = None,
    ) -> None:
        self._split, self._spec, self._seed, self._flip = split, spec, seed, flip
        self._batch_size, self._rank, self._world_size = batch_size, rank, world_size
        self._device = torch.device(device)
        self._num_workers = min(8, os.cpu_count() or 1) if num_workers is None else num_workers
        self._position = 0
        self._orders: dict[tuple[int, int, int], Tensor] = {}

    def state_dict(self) -> dict[str, int]:
        return {"position": self._position, "seed": self._seed, "batch_size": self._batch_size * self._world_size}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from there.

        Raises:
            InputError: a state of another seed or batch size, whose batches are others.
        """
        for name, value in self.state_dict().items():
            if name != "position" and state[name] != value:
                raise InputError(f"the batches were of {name} {state[name]}, not {value}; continue with the same")
        self._position = int(state["position"])

    def __iter__(self) -> Iterator[Batch]:
        for images, labels, source in self._raw():
            batch = self._augmented(images, labels, source)
            self._position += 1  # before the batch is handed out: a checkpoint made while it is in use continues after it
            yield batch

    def _raw(self) -> Iterator[Raw]:
        split = self._split
        if isinstance(split.images, Stored) and (split.source is None or isinstance(split.source, Stored)):
            images = split.images.images.to(self._device)
            labels = None if split.labels is None else split.labels.to(self._device)
            source = None if split.source is None else split.source.images.to(self._device)
            while True:
                chosen, chosen_source = (sent(indices, self._device) for indices in self._indices(self._position))
                yield (
                    images[chosen],
                    None if labels is None else labels[chosen],
                    None if source is None else source[chosen_source],
                )
        for raw in DataLoader(
            _Items(split),
            batch_sampler=_Positions(self),
            num_workers=self._num_workers,
            pin_memory=self._device.type == "cuda",
            collate_fn=_collated,
            generator=torch.Generator(),  # or it would draw from the global stream each time it starts
        ):
            if isinstance(raw, InputError):
                raise raw
            yield raw

    def _indices(self, position: int) -> tuple[Tensor, Tensor]:
        """Of images and of sources, for this process's part of batch number `position`."""
        start = (position * self._world_size + self._rank) * self._batch_size
        images = self._ordered(IMAGES, start, len(self._split.images))
        if self._split.source is None or self._spec.task != "domains":
            return images, images
        return images, self._ordered(SOURCE, start, len(self._split.source))

    def _ordered(self, stream: int, start: int, length: int) -> Tensor:
        """`batch_size` indices from place `start` on in one permutation after another."""
        parts, missing = [], self._batch_size
        while missing:
            epoch, offset = divmod(start, length)
            part = self._order(stream, epoch, length)[offset : offset + missing]
            parts.append(part)
            start, missing = start + len(part), missing - len(part)
        return torch.cat(parts)

    def _order(self, stream: int, epoch: int, length: int) -> Tensor:
        key = (stream, epoch, length)
        if key not in self._orders:
            self._orders = {kept: order for kept, order in self._orders.items() if kept[1] >= epoch - 1}
            self._orders[key] = torch.randperm(length, generator=_stream(self._seed, stream, epoch))
        return self._orders[key]

    def _augmented(self, images: Tensor, labels: Tensor | None, source: Tensor | None) -> Batch:
        """Cropped and mirrored, a pair alike; floats in [-1, 1]."""
        rng = _stream(self._seed, AUGMENTATION, self._position * self._world_size + self._rank)
        size = self._spec.image_size
        first = Crops(images, size, self._flip, rng)
        second = first if source is None or self._spec.task != "domains" else Crops(source, size, self._flip, rng)
        moved = None if labels is None else labels.to(self._device, non_blocking=True)
        images = to_float(first(images.to(self._device, non_blocking=True)))
        return Batch(images, moved, None if source is None else to_float(second(source.to(self._device, non_blocking=True))))


class Crops:
    """One random crop and mirroring for each picture of a batch."""

    def __init__(self, images: Tensor, size: int, flip: bool, rng: torch.Generator) -> None:
        number, room = len(images), images.shape[-1] - size
        self._size = size
        self._corners = torch.randint(0, room + 1, (number, 2), generator=rng) if room else None
        self._mirrored = torch.rand(number, generator=rng) < 0.5 if flip else None

    def __call__(self, images: Tensor) -> Tensor:
        """[batch, channels, side, side] → [batch, channels, size, size]."""
        if self._corners is not None:
            top, left = sent(self._corners, images.device)[:, :, None].unbind(dim=1)  # [batch, 1]
            offsets = torch.arange(self._size, device=images.device)
            number = torch.arange(len(images), device=images.device)[:, None, None]
            images = images[number, :, (top + offsets)[:, :, None], (left + offsets)[:, None, :]].permute(0, 3, 1, 2)
        if self._mirrored is not None:
            images = torch.where(sent(self._mirrored, images.device)[:, None, None, None], images.flip(3), images)
        return images


def to_float(images: Tensor) -> Tensor:
    """uint8 → float32 in [-1, 1]; the inverse of `ganeval.to_uint8`."""
    return images.float() / 127.5 - 1


class _Positions:
    """Index pairs of batch after batch, from where the loader is."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        position = self._loader._position
        while True:
            images, source = self._loader._indices(position)
            yield list(zip(images.tolist(), source.tolist(), strict=True))
            position += 1


class _Items(Dataset["Raw | InputError"]):
    def __init__(self, split: Split) -> None:
        self._split = split

    def __getitem__(self, index: tuple[int, int]) -> Raw | InputError:
        images, labels, source = self._split.images, self._split.labels, self._split.source
        try:
            return images[index[0]], None if labels is None else labels[index[0]], None if source is None else source[index[1]]
        except InputError as error:  # handed on as it is: one that is raised in a worker comes with the worker's traceback in its text
            return error


def _collated(items: list[Raw | InputError]) -> Raw | InputError:
    if errors := [item for item in items if isinstance(item, InputError)]:
        return errors[0]
    images, labels, sources = zip(*items, strict=True)
    return (
        torch.stack(images),
        None if labels[0] is None else torch.stack(labels),
        None if sources[0] is None else torch.stack(sources),
    )


def _stream(*key: int) -> torch.Generator:
    """A random stream of its own for each key."""
    return torch.Generator().manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]) >> 1)
