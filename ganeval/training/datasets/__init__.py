"""Data to train on: drawn, public, or a folder or zip of your own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ganeval.errors import InputError, nearest
from ganeval.progress import Progress, silent
from ganeval.training.batch import Task
from ganeval.training.data import TrainingData
from ganeval.training.datasets.request import Direction, Request

__all__ = ["Direction", "Known", "names", "open_data"]

ACCEPTED = "a folder or .zip of pictures"


class Known(NamedTuple):
    """Data that have a name."""

    about: str
    tasks: tuple[Task, ...]


def names() -> Mapping[str, Known]:
    """Everything that `open_data` knows by name."""
    from ganeval.training.datasets.archives import ARCHIVES
    from ganeval.training.datasets.vision import PUBLIC

    shapes = Known("endless drawn shapes of any size, no download", ("images", "classes", "pairs", "domains", "attributes"))
    public = {name: Known(known.about, known.tasks) for name, known in PUBLIC.items()}
    archives = {name: Known(known.about, known.tasks) for name, known in ARCHIVES.items()}
    return {"shapes": shapes, **public, **archives}


def open_data(
    source: str | os.PathLike[str],
    *,
    task: Task,
    image_size: int | None = None,
    default_size: int = 32,
    channels: int | None = None,
    default_channels: int = 3,
    enlarge: float = 1.0,
    attributes: Sequence[str] = (),
    direction: Direction = "AtoB",
    seed: int = 0,
    progress: Progress = silent,
) -> TrainingData:
    """Data for a task, split into what is trained on and what is scored against.

    Args:
        source: a name of `names()`, or a folder or .zip of pictures.
        task: what is to be learned; `datasets.folders` has the layout of a folder for each.
        image_size: side of the square pictures in pixels; None is the data's own, or `default_size` where they have none.
        channels: 1 for gray, 3 for color; None is the data's own, or `default_channels`.
        enlarge: pictures to train on are this much larger, to be cropped.
        attributes: which of the data's, for the task "attributes"; none is a few that suit them.
        direction: for pairs and domains, BtoA makes A out of B.
        seed: of the world that shapes are drawn from; 0 is the one that published numbers are of.

    Raises:
        InputError: no such data, or none that the task could be learned from.
    """
    request = Request(
        task=task,
        image_size=image_size,
        default_size=default_size,
        channels=channels,
        default_channels=default_channels,
        enlarge=enlarge,
        attributes=tuple(attributes),
        direction=direction,
        seed=seed,
        progress=progress,
    )
    known = names()
    if isinstance(source, str) and source in known:
        if task not in known[source].tasks:
            fitting = ", ".join(name for name, other in known.items() if task in other.tasks)
            raise InputError(f"{source} serves {' and '.join(known[source].tasks)}, not {task}; {fitting} do, or {ACCEPTED}")
        return _named(source, request)
    from ganeval.training.datasets.folders import open_folder

    if not os.fspath(source):
        raise InputError(f"the name of the data is empty; give {ACCEPTED}, or one of {', '.join(known)}")
    path = Path(source)
    if not path.exists() and isinstance(source, str) and path.name == source and not path.suffix:
        raise InputError(f"no data are called {source!r}, and no folder is; {nearest(source, list(known))}, or give {ACCEPTED}")
    return open_folder(path, request)


def _named(name: str, request: Request) -> TrainingData:
    from ganeval.training.datasets.archives import ARCHIVES, open_archive
    from ganeval.training.datasets.embedded import open_shapes
    from ganeval.training.datasets.vision import PUBLIC, open_public

    if name in PUBLIC:
        return open_public(PUBLIC[name], request)
    if name in ARCHIVES:
        return open_archive(ARCHIVES[name], request)
    return open_shapes(request)
