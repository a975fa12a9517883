"""Pictures to translate: all of a folder or zip, without a split."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from torch import Tensor

from ganeval.errors import InputError
from ganeval.progress import Progress, silent
from ganeval.training.batch import DataSpec
from ganeval.training.data import stacked
from ganeval.training.datasets.files import listed
from ganeval.training.datasets.pictures import Frame, Part, first_size, is_strip, load


def open_pictures(
    source: str | os.PathLike[str], spec: DataSpec, *, part: Part | None = None, progress: Progress = silent
) -> tuple[list[str], Tensor]:
    """Names, and pictures as the model was trained on: uint8 [num, channels, image_size, image_size].

    Names have no ending, but for files that differ in nothing else.

    Args:
        part: of each picture. None is what training took: all of each for pairs, else its middle square.

    Raises:
        InputError: no such folder or zip, pictures that cannot be used, or strips of pairs of which nobody said which half is meant.
    """
    files = listed(Path(source))
    if part is None and spec.task in ("pairs", "domains") and is_strip(*first_size(files)):
        raise InputError(f"the pictures in {source} are twice as wide as high, as strips of pairs are; say --part left, right or whole")
    frame = Frame(spec.image_size, spec.channels, part or ("whole" if spec.task == "pairs" else "middle"))
    loaded = load(files, [frame], what="pictures", progress=progress)
    stems = [os.path.splitext(file.name)[0] for file in files.files]
    count = Counter(stems)
    names = [stem if count[stem] == 1 else file.name for stem, file in zip(stems, files.files, strict=True)]
    return names, stacked(loaded.pictures[0])
