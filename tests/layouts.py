"""Pictures of one color in every layout of files that people have."""

from __future__ import annotations

import zipfile
from pathlib import Path

import torch
from PIL import Image

from ganeval.training.data import TrainingData, stacked


def picture(color: tuple[int, int, int], size: tuple[int, int] = (16, 16)) -> Image.Image:
    return Image.new("RGB", size, color)


def strip(left: tuple[int, int, int], right: tuple[int, int, int], *, side: int = 16) -> Image.Image:
    both = picture(left, (2 * side, side))
    both.paste(picture(right, (side, side)), (side, 0))
    return both


def reds(pictures: object) -> list[int]:
    """The first level of each picture."""
    return [int(image[0, 0, 0]) for image in pictures]  # type: ignore[attr-defined]


def save(found: dict[str, Image.Image], folder: Path) -> Path:
    for name, one in found.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        one.save(folder / name)
    return folder


def zipped(folder: Path, *, below: str = "") -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, below + file.relative_to(folder).as_posix())
    return path


def same(one: TrainingData, other: TrainingData) -> bool:
    for a, b in ((one.train, other.train), (one.test, other.test)):
        if not torch.equal(stacked(a.images), stacked(b.images)):
            return False
    return one.spec == other.spec


PAIRS = {f"{i}": ((i, 0, 0), (100 + i, 0, 0)) for i in range(12)}


STRIPS = {f"{split}/{name}.png": strip(*colors) for name, colors in PAIRS.items() for split in ("train", "test")}


def sided(pattern: str, sides: tuple[str, str]) -> dict[str, Image.Image]:
    """Both pictures of each pair, in files of their own."""
    return {
        pattern.format(split=split, side=side, name=name): picture(color)
        for name, colors in PAIRS.items()
        for split in ("train", "test")
        for side, color in zip(sides, colors, strict=True)
    }


LAYOUTS = {
    "strips": STRIPS,
    "trainA": sided("{split}{side}/{name}.png", ("A", "B")),
    "train/A": sided("{split}/{side}/{name}.png", ("A", "B")),
    "any two": sided("{split}/{side}/{name}.png", ("maps", "photos")),
    "source": sided("{split}/{side}/{name}.bmp", ("source", "target")),
}
