"""Images that are already in Python: tensors, Datasets, DataLoaders, iterables of batches, generators."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganeval.errors import InputError, InputTypeError
from ganeval.images.batch import check_images
from ganeval.images.decode import BadImage, decoded
from ganeval.images.seen import Seen, bad_images
from ganeval.loaders import loaders


class TensorImages:
    """One uint8 tensor [num_images, 3 or 1, height, width] (a numpy array of that layout is taken as one)."""

    where, kind = "the tensor", "tensor"

    def __init__(self, images: Tensor) -> None:
        self._images = check_images(images)

    @property
    def num_images(self) -> int:
        return len(self._images)

    def part(self, start: int, stop: int) -> TensorImages:
        return TensorImages(self._images[start:stop])

    def listing(self) -> Iterator[str]:
        return iter([f"{list(self._images.shape)}"])

    def batches(self, seen: Seen, *, batch_size: int, skip_bad: bool = False) -> Iterator[Tensor]:
        for images in self._images.split(batch_size):
            seen.add_all(images)
            yield images


class DatasetImages:
    """A map-style Dataset, in the order of its index. An item is an image, or (image, label …), or {"image": image}.

    An image is a uint8 tensor [3 or 1, height, width] or a Pillow picture. Its class is its label, by name where the Dataset has
    `classes` as torchvision's have. Items are loaded one by one; for workers pass a DataLoader.
    """

    kind = "dataset"

    def __init__(self, dataset: Any, *, where: str | None = None, class_names: Sequence[str] | None = None) -> None:
        self.where = where or f"the dataset {type(dataset).__name__}"
        self._dataset = dataset
        self._class_names = getattr(dataset, "classes", ()) if class_names is None else class_names
        if len(dataset) == 0:
            raise InputError(f"{self.where} is empty")
        self._part = range(len(dataset))  # which items

    @property
    def num_images(self) -> int:
        return len(self._part)

    def part(self, start: int, stop: int) -> DatasetImages:
        part = copy.copy(self)
        part._part = self._part[start:stop]
        return part

    def listing(self) -> Iterator[str]:
        return iter([f"{len(self._dataset)}", f"{self._part}"])

    def batches(self, seen: Seen, *, batch_size: int, skip_bad: bool = False) -> Iterator[Tensor]:
        bad: list[str] = []
        for index in self._part:
            whole = self._dataset[index]
            item, labels = _image_of(whole), _labels_of(whole, 1, self._class_names)
            if isinstance(item, Image.Image):
                try:
                    image, digest, remarks = decoded(item)
                except BadImage as error:
                    bad.append(f"item {index}: {error}")
                    continue
                seen.add(digest, size=(image.shape[2], image.shape[1]), label=labels[0] if labels else None, remarks=remarks)
                yield image[None]
            else:
                yield _counted(_as_tensor(item)[None], seen, labels)
        if bad and (not skip_bad or seen.count == 0):
            raise bad_images(self.where, bad, len(self._part))
        seen.skipped += bad


class IterableImages:
    """Any iterable of batches, each a uint8 tensor [batch, 3 or 1, height, width], or (images, labels …), or {"image": images}."""

    num_images = None

    def __init__(self, batches: Iterable[Any]) -> None:
        self.kind = "loader" if isinstance(batches, torch.utils.data.DataLoader) else "iterable"
        self.where = f"the {self.kind} {type(batches).__name__}"
        if getattr(batches, "drop_last", False) is True:
            raise InputError(f"{self.where} leaves out images at the end; make it with drop_last=False")
        self._batches = batches
        self._class_names: Sequence[str] = getattr(getattr(batches, "dataset", None), "classes", ())

    def batches(self, seen: Seen, *, batch_size: int, skip_bad: bool = False) -> Iterator[Tensor]:
        with loaders("use fewer workers, or none (num_workers=0)"):
            for batch in self._batches:
                images = _as_tensor(_image_of(batch))
                yield _counted(images, seen, _labels_of(batch, len(images), self._class_names))
        if seen.count == 0:
            raise InputError(f"{self.where} gave no images; an iterator can be read only once")


class GeneratedImages:
    """`num_images` images of a generator: a callable that takes a number and returns that many, uint8 [n, 3 or 1, height, width]."""

    kind = "generator"

    def __init__(self, generator: Callable[[int], Tensor], num_images: int | None) -> None:
        self.where = f"the generator {getattr(generator, '__name__', type(generator).__name__)}"
        if isinstance(generator, torch.nn.Module):
            raise InputTypeError(
                f"{self.where} is a module; say what it is fed: lambda n: ganeval.to_uint8(generator(torch.randn(n, z_dim)))"
            )
        if num_images is None or num_images < 1:
            raise InputError(f"{self.where} has no end: say how many images to draw with num_images, got {num_images}")
        self._generator = generator
        self._num_images = num_images

    @property
    def num_images(self) -> int:
        return self._num_images

    def batches(self, seen: Seen, *, batch_size: int, skip_bad: bool = False) -> Iterator[Tensor]:
        while seen.count < self._num_images:
            wanted = min(batch_size, self._num_images - seen.count)
            with torch.no_grad():
                images = _as_tensor(self._generator(wanted))
            if len(images) != wanted:
                raise InputError(f"{self.where} was asked for {wanted} images and returned {len(images)}")
            yield _counted(images, seen)


def _counted(images: Tensor, seen: Seen, labels: Sequence[str] | None = None) -> Tensor:
    images = check_images(images)
    seen.add_all(images, labels)
    return images


def _labels_of(item: Any, number: int, class_names: Sequence[str]) -> list[str] | None:
    """The classes of `number` images, where an item or a batch states them by integers or a word; None for any other kind of label."""
    stated = item.get("label") if isinstance(item, dict) else item[1] if isinstance(item, (tuple, list)) and len(item) > 1 else None
    if isinstance(stated, str):
        return [stated]
    try:
        labels = torch.as_tensor(stated)
    except (TypeError, ValueError, RuntimeError):
        return None
    if labels.is_floating_point() or labels.dtype == torch.bool or labels.numel() != number:
        return None
    return [class_names[label] if 0 <= label < len(class_names) else str(label) for label in labels.flatten().tolist()]


def _image_of(item: Any) -> Any:
    """The image in what Datasets and loaders commonly give."""
    if isinstance(item, dict):
        if "image" not in item:
            raise InputTypeError(f"an item with the keys {', '.join(map(str, item))} has no `image`; rename the one that is it")
        return item["image"]
    return item[0] if isinstance(item, (tuple, list)) else item


def _as_tensor(images: Any) -> Tensor:
    if isinstance(images, np.ndarray):
        images = torch.from_numpy(np.ascontiguousarray(images))
    if not isinstance(images, Tensor):
        raise InputTypeError(f"expected a uint8 tensor or a Pillow picture, got {type(images).__name__}")
    if images.is_floating_point():
        raise InputTypeError(
            "got floating-point images, whose range would have to be guessed; give uint8 "
            "(torchvision's PILToTensor instead of ToTensor), or floats in [-1, 1] through ganeval.to_uint8()"
        )
    return images
