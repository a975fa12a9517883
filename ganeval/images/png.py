"""Pictures to files: PNG, lossless, from uint8 tensors; and many small ones in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ganeval.errors import InputError
from ganeval.files import written_at_once
from ganeval.progress import Progress, silent

GAP = 2  # pixels between pictures of a grid
PAPER = 255  # white


def write_png(path: Path, image: Tensor) -> None:
    """One picture, uint8 [3 or 1, height, width], gray where it has one channel."""
    pixels = image.cpu().permute(1, 2, 0).contiguous().numpy()
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    with written_at_once(path) as file:
        picture.save(file, "PNG")


def check_empty(folder: Path) -> None:
    """Raise an InputError where a folder for new pictures holds something: it would be scored along with them."""
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty; name a new folder, so that old pictures are not scored with new ones")


def write_pngs(folder: Path, images: Mapping[str, Tensor], *, progress: Progress = silent) -> None:
    """Pictures by name (without ending), into a folder that is made if need be; names may have folders in them."""
    with progress("pictures", len(images), "images") as advance:
        for name, image in images.items():
            path = folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_png(path, image)
            advance(1)


def tiled(rows: Sequence[Tensor], *, scale: int = 1) -> Tensor:
    """Rows of pictures, each uint8 [columns, channels, side, side], as one picture [channels, height, width] with white gaps.

    `scale` repeats every pixel that many times in both directions. Shorter rows end in white.
    """
    columns = max(len(row) for row in rows)
    padded = []
    for row in rows:
        enlarged = row.cpu().repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)
        enlarged = F.pad(enlarged, (GAP, 0, GAP, 0), value=PAPER)
        blank = torch.full((columns - len(row), *enlarged.shape[1:]), PAPER, dtype=torch.uint8)
        padded.append(torch.cat([*enlarged, *blank], dim=2))
    return F.pad(torch.cat(padded, dim=1), (0, GAP, 0, GAP), value=PAPER)
