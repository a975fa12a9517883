"""The public two-sided data of pix2pix and CycleGAN: fetched once, unpacked in the cache folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from ganeval.download import download
from ganeval.errors import InputError
from ganeval.files import cache_folder
from ganeval.images.archive import tar_images
from ganeval.images.decode import BadImage
from ganeval.progress import Progress
from ganeval.training.batch import Task
from ganeval.training.data import TrainingData
from ganeval.training.datasets.folders import one_side, open_folder
from ganeval.training.datasets.request import Request

BERKELEY = "https://efrosgans.eecs.berkeley.edu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A published archive. Its publisher states no digest, so that its pictures are counted instead."""

    name: str
    url: str
    about: str
    domains: tuple[str, str]  # left and right, or A and B
    counts: Mapping[str, tuple[int, int]]  # pictures of both domains by split, as published
    tasks: tuple[Task, ...]

    @property
    def filename(self) -> str:
        return self.url.rsplit("/", 1)[-1]


_FOUND = (
    Archive(
        name="facades",
        url=f"{BERKELEY}/pix2pix/datasets/facades.tar.gz",
        about="506 photographs of facades and label maps of their parts, paired (29 MB)",
        domains=("photo", "labels"),
        counts={"train": (400, 400), "test": (106, 106)},
        tasks=("pairs", "domains", "images"),
    ),
    Archive(
        name="maps",
        url=f"{BERKELEY}/pix2pix/datasets/maps.tar.gz",
        about="2,194 aerial photographs of New York and maps of the same place, paired (240 MB)",
        domains=("satellite", "map"),
        counts={"train": (1096, 1096), "test": (1098, 1098)},
        tasks=("pairs", "domains", "images"),
    ),
    Archive(
        name="horse2zebra",
        url=f"{BERKELEY}/cyclegan/datasets/horse2zebra.zip",
        about="photographs of 1,187 horses and 1,474 zebras (111 MB)",
        domains=("horse", "zebra"),
        counts={"train": (1067, 1334), "test": (120, 140)},
        tasks=("domains", "images"),
    ),
)
ARCHIVES: Mapping[str, Archive] = MappingProxyType({archive.name: archive for archive in _FOUND})


def open_archive(archive: Archive, request: Request) -> TrainingData:
    """The data of `archive`, which is fetched where it is not at hand.

    Raises:
        InputError: it could not be fetched.
    """
    path = fetched(archive, request.progress)
    if request.task == "images":
        data = one_side(path, request, 1 if request.direction == "AtoB" else 0, name=archive.name)
    else:
        data = open_folder(path, request, name=archive.name, domains=archive.domains)
    notes = [*data.provenance["notes"], *_uncounted(archive, data, request)]
    return replace(data, provenance={**data.provenance, "source": archive.url, "notes": notes})


def fetched(archive: Archive, progress: Progress) -> Path:
    """The archive, or the folder that it was unpacked into; `$GANEVAL_MIRROR` is asked for it first."""
    home = cache_folder("data")
    packed = home / archive.filename
    unpacked = home / archive.name
    if unpacked.is_dir():
        return unpacked
    mirror = os.environ.get("GANEVAL_MIRROR")
    urls = [f"{mirror.rstrip('/')}/{archive.filename}"] if mirror else []
    try:
        download([*urls, archive.url], packed, sha256=None, progress=progress)
    except InputError as error:
        raise InputError(
            f"{error}\nfetch {archive.url} where there is internet and put it at {packed}, or train on a folder or .zip of your own"
        ) from None
    if packed.suffix == ".zip":  # read in place
        return packed
    return _unpacked(packed, unpacked)


def _unpacked(packed: Path, target: Path) -> Path:
    """`target`, filled at once or not at all; the archive is removed."""
    import filelock

    with filelock.FileLock(target.with_name(f"{target.name}.lock")):
        if target.is_dir():  # another process was first
            return target
        folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            for entry in tar_images([packed], where=str(packed)).entries:  # its pictures and nothing else: no links, no names that lead out
                path = folder / entry.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(entry.read())
            os.replace(folder, target)
        except (BadImage, InputError) as error:
            raise InputError(f"{packed} cannot be unpacked: {error}; remove it, and it is fetched again") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    packed.unlink(missing_ok=True)
    return target


def _uncounted(archive: Archive, data: TrainingData, request: Request) -> list[str]:
    """A note for each split that has another number of pictures than was published."""
    notes = []
    for what, split in (("train", data.train), ("test", data.test)):
        published = archive.counts[what] if request.direction == "AtoB" else archive.counts[what][::-1]
        for pictures, num in ((split.source, published[0]), (split.images, published[1])):
            if pictures is not None and len(pictures) != num:
                notes.append(f"{what} has {len(pictures)} pictures of one domain, where {num} were published")
    return notes
