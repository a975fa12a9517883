"""The picture files of a folder or zip, and which of them train and which test."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from ganeval.errors import InputError
from ganeval.files import content
from ganeval.images.archive import zip_images
from ganeval.images.decode import BadImage
from ganeval.images.encoded import MAX_BYTES, EncodedImages, Entry
from ganeval.images.folder import folder_images
from ganeval.images.origin import written

SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test", "val": "val", "valid": "val", "validation": "val"}
SIDE = re.compile(r"(train|test|val)_?([AB])", re.IGNORECASE)  # CycleGAN's folders trainA, trainB, testA, testB
HELD_OUT, FEWEST = 10, 4  # one in so many pictures where there is no official test split, and not fewer than these


class File(NamedTuple):
    """One picture file."""

    name: str  # what sets it apart in its split: its path without the folders that all share and that of its split
    member: str  # its path in the folder or zip
    written: str = ""  # when, as `origin.written` says of it, or of the zip; "" where nobody looked


class Files(NamedTuple):
    """The picture files of one split, or all of them. They are read by name, so that worker processes can be told which."""

    where: Path
    files: tuple[File, ...]

    def only(self, files: Sequence[File]) -> Files:
        return Files(self.where, tuple(files))

    def below(self, folder: str) -> Files:
        """Those in `folder`, named from there."""
        prefix = f"{folder}/"
        return self.only([file._replace(name=file.name.removeprefix(prefix)) for file in self.files if file.name.startswith(prefix)])

    def folders(self) -> tuple[str, ...]:
        """The first folder of each name, sorted; "" for files in none."""
        return tuple(sorted({file.name.rpartition("/")[0].split("/")[0] for file in self.files}))


class Splits(NamedTuple):
    train: Files
    test: Files
    how: str
    notes: tuple[str, ...] = ()


def listed(path: Path) -> Files:
    """All picture files of a folder or zip, sorted by path; `trainA/x.png` is named `train/A/x.png`.

    Raises:
        InputError: no such folder or zip, or no picture in it.
    """
    pictures = _opened(path)
    members = [entry.name for entry in pictures.entries]
    shared = _shared_folders(members)
    assert pictures.origin is not None
    files = zip(members, cycle(pictures.origin.files))  # each is one picture, or a single zip holds all
    return Files(path, tuple(File(_plain(member[len(shared) :]), member, file.written) for member, file in files))


def read(where: Path, file: File) -> bytes:
    """The bytes of one file; may be called in threads and in worker processes.

    Raises:
        OSError, BadImage: it is not there any more, cannot be read, or was written to since it was listed.
    """
    container = where / file.member if where.is_dir() else where
    if file.written and written(container) not in (file.written, ""):
        raise BadImage("it was written to since it was listed, and a run needs the same pictures throughout")
    if container != where:
        return content(container, most=MAX_BYTES)
    return _zip_entries(where, os.stat(where).st_mtime_ns, os.getpid())[file.member].read()


def official(files: Files) -> Splits | None:
    """The split that the top folders say; None where they say none.

    Raises:
        InputError: a folder for testing and none for training, or the other way round.
    """
    roles = {folder: SPLITS[folder.lower()] for folder in files.folders() if folder.lower() in SPLITS}
    if not roles:
        return None
    have = set(roles.values())
    if "train" not in have or len(have) < 2:
        missing = "train" if "train" not in have else "test (or val)"
        raise InputError(f"{files.where} has the folder {', '.join(roles)} and no {missing}; add it, or give one folder without splits")
    testing = "test" if "test" in have else "val"
    sides = {role: [file for folder in roles if roles[folder] == role for file in files.below(folder).files] for role in ("train", testing)}
    left_out = len(files.files) - sum(map(len, sides.values()))
    return Splits(
        files.only(sides["train"]),
        files.only(sides[testing]),
        f"by its folders: train and {testing}",
        (f"{left_out} pictures in neither folder were left out",) if left_out else (),
    )


def held_out(files: Files, key: Callable[[File], str] = lambda file: file.name) -> Splits:
    """One in ten for testing, by the sha256 of the name: the same in whatever order they are listed."""
    order = sorted(files.files, key=lambda file: hashlib.sha256(key(file).encode("utf-8", "surrogateescape")).digest())
    num = max(FEWEST, round(len(order) / HELD_OUT))
    testing = {file.member for file in order[:num]}
    return Splits(
        files.only([file for file in files.files if file.member not in testing]),
        files.only([file for file in files.files if file.member in testing]),
        f"{num} of {len(order)} held out, by the sha256 of their names",
    )


def split(files: Files) -> Splits:
    """The official split, else one held out."""
    return official(files) or held_out(files)


def _opened(path: Path) -> EncodedImages:
    if path.is_dir():
        pictures = folder_images(path)
        if pictures.kind != "folder":
            raise InputError(f"{path} holds shards, which cannot be trained on; unpack them into a folder of pictures")
        return pictures
    if not path.exists():
        raise InputError(f"{path} does not exist; give a folder or .zip of pictures, or the name of known data")
    if path.suffix.lower() != ".zip":
        raise InputError(f"{path} is neither a folder nor a .zip of pictures")
    return zip_images(path)


@lru_cache(maxsize=4)
def _zip_entries(path: Path, changed: int, process: int) -> dict[str, Entry]:
    """By member. Opened anew where it changed, and in each process: two that share an open file move each other's position."""
    return {entry.name: entry for entry in zip_images(path).entries}


def _shared_folders(members: Sequence[str]) -> str:
    """The leading folders that all pictures lie in, with a slash at the end: they tell none of them apart."""
    folders = [member.split("/")[:-1] for member in members]
    first, last = min(folders), max(folders)  # what these two share, all those between them share
    num = next((depth for depth, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), min(len(first), len(last)))
    return "".join(f"{folder}/" for folder in first[:num])


def _plain(name: str) -> str:
    first, slash, rest = name.partition("/")
    if slash and (match := SIDE.fullmatch(first)):
        return f"{match[1].lower()}/{match[2].upper()}/{rest}"
    return name
