"""Image sources: anything people keep images in → uint8 RGB batches, in a known order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from ganeval.errors import InputError, InputTypeError, guess
from ganeval.images.batch import check_images, to_uint8, unit_to_uint8
from ganeval.images.seen import Seen

__all__ = ["ImageSource", "Seen", "check_images", "open_images", "to_uint8", "unit_to_uint8"]

ACCEPTED = (
    "a folder, .zip, .tar (also .gz, .bz2, .xz), webdataset shards (data-{0000..0009}.tar or a folder of .tar), .npy or .npz, "
    "a pattern ('results/*_fake_B.png'), hf:name:split or torchvision:CIFAR10:test"
)
SCHEME = re.compile(r"hf:|torchvision:")


@runtime_checkable
class ImageSource(Protocol):
    """What every kind of source offers. A new pass over the images at each call of `batches`, always in the same order."""

    @property
    def where(self) -> str: ...  # for messages

    @property
    def kind(self) -> str: ...

    @property
    def num_images(self) -> int | None: ...  # None where only a pass can tell

    def batches(self, seen: Seen, *, batch_size: int, skip_bad: bool = False) -> Iterator[Tensor]:
        """uint8 RGB [1 to batch_size, 3, height, width], each of one size; fills `seen` on the way."""
        ...


def open_images(source: Any, *, num_images: int | None = None) -> ImageSource:
    """The image source behind a path, tensor, array, Dataset, DataLoader, iterable of batches or generator.

    Nothing is decoded yet, but what can be refused cheaply is refused here.

    Args:
        source: see above; a callable is a generator, called with a number of images to draw.
        num_images: how many images to draw; for generators, and only for them.

    Raises:
        InputError: no such file, no image in it, or a kind of file that holds no images.
        InputTypeError: something else altogether.
    """
    import torch

    if isinstance(source, str) and not source:  # Path would take it for the current folder
        raise InputError(f"the name of a set of images is empty; give {ACCEPTED}")
    if isinstance(source, str) and (scheme := SCHEME.match(source)) and not os.path.exists(source):
        return _named(scheme[0], source)
    if isinstance(source, (str, os.PathLike)):
        return _open_path(Path(source))
    if isinstance(source, np.ndarray):
        source = torch.from_numpy(np.ascontiguousarray(source))
    from ganeval.images import huggingface, memory

    if isinstance(source, Tensor):
        return memory.TensorImages(source)
    if isinstance(source, torch.nn.Module):  # some are iterable, over their layers
        return memory.GeneratedImages(source, num_images)
    if isinstance(source, torch.utils.data.Dataset) and not isinstance(source, torch.utils.data.IterableDataset):
        return memory.DatasetImages(source)
    if huggingface.is_dataset(source):
        return huggingface.dataset_images(source)
    if isinstance(source, Iterable):
        return memory.IterableImages(source)
    if callable(source):
        return memory.GeneratedImages(source, num_images)
    raise InputTypeError(f"cannot take images from a {type(source).__name__}; give {ACCEPTED}, a tensor, Dataset, DataLoader or generator")


def _named(scheme: str, source: str) -> ImageSource:
    from ganeval.images import huggingface, vision

    return huggingface.named_dataset(source) if scheme == "hf:" else vision.named_dataset(source)


def _open_path(path: Path) -> ImageSource:
    from ganeval.images import archive, array, folder, patterns

    pattern = ""
    if not path.exists() and patterns.is_pattern(str(path)):
        inside = patterns.in_archive(path)
        if inside is None:
            return folder.matching_images(path)
        path, pattern = inside
    name = path.name.lower()
    if path.exists() and not (path.is_dir() or path.is_file()):
        raise InputError(f"{path} is a pipe, socket or device, which cannot be read twice; give {ACCEPTED}")
    if path.is_dir():
        return folder.folder_images(path)
    if "{" in path.name and not path.exists():
        return archive.tar_images(_shards(path), where=str(path), pattern=pattern)
    if not path.exists():
        raise InputError(f"{path} does not exist; {_meant(path)}give {ACCEPTED}")
    if name.endswith(".zip"):
        return archive.zip_images(path, pattern=pattern)
    if name.endswith(archive.TAR_SUFFIXES):
        return archive.tar_images([path], where=str(path), pattern=pattern)
    if name.endswith((".npy", ".npz")):
        return array.ArrayImages(path)
    raise InputError(f"{path} is not a set of images; give {ACCEPTED}; a generator in a file is opened by ganeval.open_generator()")


def _meant(path: Path) -> str:
    """The name beside `path` that is most like it."""
    return guess(str(path), (str(one) for one in path.parent.iterdir())) if path.parent.is_dir() else ""


def _shards(pattern: Path) -> list[Path]:
    from braceexpand import braceexpand

    try:
        paths = [Path(name) for name in braceexpand(str(pattern))]
    except ValueError:  # unbalanced braces
        raise InputError(f"{pattern} is not a shard pattern; write data-{{0000..0009}}.tar") from None
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise InputError(f"{len(missing)} of {len(paths)} shards do not exist, the first is {missing[0]}")
    return paths
