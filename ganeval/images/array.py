"""Images in .npy and .npz files, streamed: an array of any length takes the memory of one batch."""

from __future__ import annotations

import copy
import io
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from ganeval.errors import InputError, InputTypeError, reason
from ganeval.files import opened
from ganeval.images.batch import check_images
from ganeval.images.decode import MAX_PIXELS
from ganeval.images.origin import Origin, check_unwritten, written
from ganeval.images.seen import Seen
from ganeval.npz import arrays, header, headers, member
from ganeval.zips import opened_zip

DAMAGED = (OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zlib.error, BadZipFile)  # what their readers raise


class ArrayImages:
    """A uint8 array [num_images, height, width, 3 or 1] or [num_images, 3 or 1, height, width] in a file.

    In an .npz the array is `arr_0` as ADM's sampler writes it, or the only 4-dimensional one; integers in `arr_1` (ADM's) or `labels`, as
    many as images, are their classes.

    Raises:
        InputError, InputTypeError: no such array, another dtype or shape, or a layout that can be read in two ways.
    """

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self.kind = path.suffix[1:]
        self.origin: Origin | None = Origin.of([("", path)])
        self._path = path
        try:
            self._array = _image_array(path) if path.suffix == ".npz" else None
            with self._open() as file:
                shape, fortran, dtype = header(file)
                room = self._size() - file.tell()
        except InputError:
            raise
        except DAMAGED as error:
            raise InputError(f"{path} is not a readable numpy file: {reason(error)}") from None
        if dtype != np.uint8 or len(shape) != 4:
            raise InputTypeError(
                f"{path} holds {dtype} {list(shape)}; expected uint8 [num_images, height, width, 3] or [num_images, 3, height, width]"
            )
        if fortran:
            raise InputError(f"{path} is stored in Fortran order; save it again with numpy.ascontiguousarray")
        if math.prod(shape) == 0:
            raise InputError(f"{path} holds no image: its shape is {list(shape)}")
        if shape[1] * shape[2] * shape[3] > 3 * MAX_PIXELS:
            raise InputError(f"{path} states pictures of {list(shape[1:])}, over the limit of {MAX_PIXELS:,} pixels: a decompression bomb?")
        if math.prod(shape) > room:  # before memory is taken for a batch of it
            raise _ends_early(self.where)
        self._shape = shape
        self._part = range(shape[0])  # what of the array
        self._channels_last = _channels_last(shape, self.where)

    @property
    def num_images(self) -> int:
        return len(self._part)

    def part(self, start: int, stop: int) -> ArrayImages:
        part = copy.copy(self)
        part._part = self._part[start:stop]
        part.origin = None  # the file is of more than that
        return part

    def listing(self) -> Iterator[str]:
        return iter([f"{list(self._shape)}", f"{self._part}"])

    def batches(self, seen: Seen, *, batch_size: int, skip_bad: bool = False) -> Iterator[Tensor]:
        """uint8 [batch, 3, height, width] in stored order."""
        bytes_per_image, before = math.prod(self._shape[1:]), written(self._path)
        try:
            with self._open() as file:
                header(file)
                file.seek(self._part.start * bytes_per_image, io.SEEK_CUR)
                labels = self._labels()
                for start in range(0, self.num_images, batch_size):
                    count = min(batch_size, self.num_images - start)
                    data = _read_exactly(file, count * bytes_per_image, self.where)
                    images = torch.from_numpy(np.frombuffer(data, np.uint8).reshape(count, *self._shape[1:]))
                    images = check_images(images.permute(0, 3, 1, 2) if self._channels_last else images).contiguous()
                    seen.add_all(images, labels[start : start + count] if labels else None)
                    yield images
            check_unwritten(self._path, before)  # its first images may be of other bytes than its last
        except InputError:
            raise
        except DAMAGED as error:
            raise InputError(f"{self.where} is damaged: {reason(error)}; copy or download it again") from None

    def _labels(self) -> list[str] | None:
        if self._array is None:
            return None
        with opened_zip(self._path) as archive:
            stated = headers(archive)
        for key in ("arr_1", "labels"):
            if key in stated and stated[key][0] == self._shape[:1] and stated[key][2].kind in "iu":
                labels = arrays(self._path, (key,))[key]
                return [str(label) for label in labels[self._part.start : self._part.stop].tolist()]
        return None

    def _size(self) -> int:
        """Bytes of the array and its header, as the file states them."""
        if self._array is None:
            return self._path.stat().st_size
        with opened_zip(self._path) as archive:
            return member(archive, self._array).file_size

    def _open(self) -> IO[bytes]:
        if self._array is None:
            return opened(self._path)
        archive = opened_zip(self._path)
        return archive.open(member(archive, self._array))


def _image_array(path: Path) -> str:
    """The name of the array that holds the images."""
    with opened_zip(path) as archive:
        found = headers(archive)
    if "arr_0" in found:
        return "arr_0"
    four = [name for name, (shape, _, _) in found.items() if len(shape) == 4]
    if len(four) != 1:
        raise InputError(f"{path} holds {', '.join(found) or 'nothing'}; expected images under `arr_0`, or stats under `mu` and `sigma`")
    return four[0]


def _channels_last(shape: tuple[int, ...], where: str) -> bool:
    if shape[2] == 1 and 1 in (shape[1], shape[3]):
        raise InputError(f"{where} holds pictures of 1×1 pixels, which have nothing to score; remove them")
    last, first = shape[3] in (1, 3), shape[1] in (1, 3)
    if last == first:
        why = "both axis 1 and axis 3 could be the channels" if last else "neither axis 1 nor axis 3 has 1 or 3 channels"
        raise InputTypeError(f"{where} has the shape {list(shape)}: {why}; save it as [num_images, height, width, 3]")
    return last


def _read_exactly(file: IO[bytes], size: int, where: str) -> bytearray:
    data = bytearray(size)
    view, position = memoryview(data), 0
    while position < size:
        count = file.readinto(view[position:])  # type: ignore[attr-defined]  # IO[bytes] does not declare it; both openers have it
        if not count:
            raise _ends_early(where)
        position += count
    return data


def _ends_early(where: str) -> InputError:
    return InputError(f"{where} ends early: it holds fewer images than its header says; copy or download it again")
