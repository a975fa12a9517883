"""Picture files → pictures of one size: in memory where they fit, else decoded when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganeval.errors import InputError, printable
from ganeval.images.decode import BadImage, decode
from ganeval.images.seen import NAMED
from ganeval.progress import Progress
from ganeval.training.data import Pictures, Stored
from ganeval.training.datasets.files import Files, read

STORED_BYTES = 2**30  # of one split; more stays in the files
MAX_WORKERS = 16
AHEAD = 256  # files at a time
STRIP_TOLERANCE = 0.02  # of the height, by which a strip may be wider or narrower than twice its height

Part = Literal["middle", "whole", "left", "right"]


@dataclass(frozen=True, slots=True)
class Frame:
    """A square to be made of a picture: of its middle, of all of it whatever its proportions, or of one half of a strip."""

    size: int
    channels: int
    part: Part = "middle"

    def __call__(self, image: Tensor) -> Tensor:
        """uint8 [3, height, width] → uint8 [channels, size, size].

        Raises:
            BadImage: one half of what is no strip.
        """
        picture = Image.fromarray(image.permute(1, 2, 0).numpy())
        if self.channels == 1:
            picture = picture.convert("L")
        part = picture.crop(self._box(*picture.size))  # first: resize(box=…) would look over the edge, at the other half
        resized = part.resize((self.size, self.size), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(resized).reshape(self.size, self.size, self.channels)).permute(2, 0, 1).contiguous()

    def _box(self, width: int, height: int) -> tuple[int, int, int, int]:
        if self.part == "middle":
            short = min(width, height)
            left, top = (width - short) // 2, (height - short) // 2
            return left, top, left + short, top + short
        if self.part == "whole":
            return 0, 0, width, height
        if not is_strip(width, height):
            raise BadImage(f"{width}×{height} pixels, not two pictures side by side, which are twice as wide as high")
        return (0, 0, width // 2, height) if self.part == "left" else (width // 2, 0, width // 2 * 2, height)


def is_strip(width: int, height: int) -> bool:
    """Whether a picture can be two squares side by side."""
    return abs(width - 2 * height) <= 2 * STRIP_TOLERANCE * height


class Loaded(NamedTuple):
    pictures: list[Pictures]  # for each frame
    digests: frozenset[bytes]  # of the pixels of whole files; empty where the pictures stay in the files


class FilePictures:
    """Pictures that stay in their files."""

    def __init__(self, files: Files, frame: Frame) -> None:
        self._files, self._frame = files, frame

    @property
    def names(self) -> list[str]:
        return [file.member for file in self._files.files]

    def __len__(self) -> int:
        return len(self._files.files)

    def __getitem__(self, index: int) -> Tensor:
        member = self._files.files[index].member
        try:
            return self._frame(_decoded(self._files, index)[0])
        except BadImage as error:
            raise InputError(f"{printable(member)} in {self._files.where} cannot be used: {error}; repair or remove it") from None


def load(files: Files, frames: Sequence[Frame], *, what: str, progress: Progress) -> Loaded:
    """What `frames` make of each file.

    Raises:
        InputError: pictures that cannot be used, by name; with those that stay in their files, when they are asked for.
    """
    num = len(files.files)
    if num * sum(frame.channels * frame.size**2 for frame in frames) > STORED_BYTES:
        return Loaded([FilePictures(files, frame) for frame in frames], frozenset())
    stored = [torch.empty((num, frame.channels, frame.size, frame.size), dtype=torch.uint8) for frame in frames]
    digests, bad = set(), []
    with progress(what, num, "images") as advance:
        for index, result in enumerate(_in_threads(files, frames)):
            if isinstance(result, BadImage):
                bad.append(f"{printable(files.files[index].member)}: {result}")
            else:
                for images, image in zip(stored, result[0], strict=True):
                    images[index] = image
                digests.add(result[1])
            advance(1)
    if bad:
        more = f"\n  … and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
        listed = "".join(f"\n  {line}" for line in bad[:NAMED])
        raise InputError(f"{len(bad)} of {num} pictures in {files.where} cannot be used; repair or remove them:{listed}{more}")
    return Loaded([Stored(images) for images in stored], frozenset(digests))


def first_size(files: Files) -> tuple[int, int]:
    """(width, height) of the first picture.

    Raises:
        InputError: it cannot be used.
    """
    try:
        height, width = _decoded(files, 0)[0].shape[1:]
    except BadImage as error:
        raise InputError(f"{printable(files.files[0].member)} in {files.where} cannot be used: {error}; repair or remove it") from None
    return width, height


Framed = tuple[list[Tensor], bytes]


def _in_threads(files: Files, frames: Sequence[Frame]) -> Iterator[Framed | BadImage]:
    """In order. Decoders release the GIL."""
    indices = iter(range(len(files.files)))
    with ThreadPoolExecutor(min(MAX_WORKERS, os.cpu_count() or 1), thread_name_prefix="ganeval-decode") as pool:
        while block := list(islice(indices, AHEAD)):
            yield from pool.map(partial(_framed, files, frames), block)


def _framed(files: Files, frames: Sequence[Frame], index: int) -> Framed | BadImage:
    try:
        image, digest = _decoded(files, index)
        return [frame(image) for frame in frames], digest
    except BadImage as error:
        return error


def _decoded(files: Files, index: int) -> tuple[Tensor, bytes]:
    try:
        result = decode(read(files.where, files.files[index]))
    except OSError as error:
        raise BadImage(f"cannot be read: {error.strerror or error}") from None
    return result.image, result.digest
