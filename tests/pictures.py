"""Pictures for the tests: real ones where the archives in $GANEVAL_DATA are at hand, drawn ones elsewhere."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from draw_pictures import drawn_picture

DATA = Path(os.environ["GANEVAL_DATA"]) if "GANEVAL_DATA" in os.environ else None


def pictures(num: int, size: tuple[int, int], *, skip: int = 0) -> list[Image.Image]:
    """`num` RGB pictures of `size` (width, height), after `skip` others: CIFAR-10 at 32×32, aerial photographs and faces beyond."""
    if DATA is None:
        return [drawn_picture(seed, width=size[0], height=size[1]) for seed in range(skip, skip + num)]
    members = cifar10_tiles(DATA) if size == (32, 32) else _photographs(DATA)
    found = [
        picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC) for picture in islice(members, skip, skip + num)
    ]
    assert len(found) == num
    return found


def cifar10_tiles(data: Path, name: str = "cifar10-test.strips.zip", *, per_strip: int | None = None) -> Iterator[Image.Image]:
    """The 32×32 tiles of a strip archive, one class after another unless few are taken of each strip."""
    with zipfile.ZipFile(data / name) as archive:
        strips = sorted(member for member in archive.namelist() if member.endswith(".webp"))
        for strip in strips:
            with Image.open(io.BytesIO(archive.read(strip))) as picture:
                tiles = np.asarray(picture.convert("RGB")).reshape(-1, 32, 32, 3)
            yield from (Image.fromarray(tile) for tile in tiles[:per_strip])


def _photographs(data: Path) -> Iterator[Image.Image]:
    for name in ("landcover-pairs.zip", "celeba-faces.zip", "horse2zebra-128.zip"):
        with zipfile.ZipFile(data / name) as archive:
            for member in sorted(archive.namelist()):
                if member.lower().endswith((".webp", ".jpg", ".png")):
                    with Image.open(io.BytesIO(archive.read(member))) as picture:
                        yield picture.convert("RGB")


def save_all(found: list[Image.Image], folder: Path) -> Path:
    """The pictures as PNG, named by their position."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, picture in enumerate(found):
        picture.save(folder / f"{i:05d}.png")
    return folder


def as_tensor(found: list[Image.Image]) -> Tensor:
    """Pictures of one size → uint8 [num, 3, height, width]."""
    return torch.stack([torch.from_numpy(np.array(picture)).permute(2, 0, 1) for picture in found])
