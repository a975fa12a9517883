"""Pictures to translate: all of a folder or zip, without a split."""

from __future__ import annotations

import os
from pathlib import Path

from torch import Tensor

from ganeval.progress import Progress, silent
from ganeval.training.data import stacked
from ganeval.training.datasets.files import listed
from ganeval.training.datasets.pictures import Frame, load


def open_pictures(
    source: str | os.PathLike[str], *, image_size: int, channels: int, progress: Progress = silent
) -> tuple[list[str], Tensor]:
    """Names without ending, and the middle square of each picture: uint8 [num, channels, image_size, image_size].

    Raises:
        InputError: no such folder or zip, or pictures that cannot be used.
    """
    files = listed(Path(source))
    loaded = load(files, [Frame(image_size, channels)], what="pictures", progress=progress)
    return [os.path.splitext(file.name)[0] for file in files.files], stacked(loaded.pictures[0])
