"""Pictures in a folder and below it, or the shards that lie there instead."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from ganeval.errors import InputError
from ganeval.files import content
from ganeval.images import patterns
from ganeval.images.archive import TAR_SUFFIXES, tar_images
from ganeval.images.encoded import MAX_BYTES, EncodedImages, Entry, is_picture_name
from ganeval.images.origin import Origin
from ganeval.images.walk import files_below


def folder_images(folder: Path) -> EncodedImages:
    """All pictures below `folder`, sorted by relative path as text. Links are followed.

    A folder without pictures but with .tar files is taken as webdataset shards.

    Raises:
        InputError: no picture there, or a folder that cannot be read.
    """
    files = dict(files_below(folder))
    names = sorted(name for name in files if is_picture_name(name))
    shards = sorted(name for name in files if name.lower().endswith(TAR_SUFFIXES))
    if shards and not names:
        return tar_images([files[name] for name in shards], where=str(folder))
    if not names:
        found = f"{len(files)} files, none with the name of a picture (.png, .jpg, .webp …)" if files else "no files"
        raise InputError(f"no image in {folder}: it holds {found}; name the folder that holds the pictures")
    patterns.check_of_one_kind(str(folder), names)
    return _pictures(str(folder), "folder", ((name, files[name]) for name in names), num_ignored=len(files) - len(names))


def matching_images(pattern: Path) -> EncodedImages:
    """The pictures that a pattern names, or the shards, sorted by path; they are named from the last folder that is no pattern.

    Raises:
        InputError: no file, or none with the name of a picture.
    """
    files, base = patterns.found(pattern), patterns.fixed_folder(pattern)
    pictures = {path.relative_to(base).as_posix(): path for path in files if is_picture_name(path.name)}
    if not pictures and all(path.name.lower().endswith(TAR_SUFFIXES) for path in files):
        return tar_images(files, where=str(pattern))
    if not pictures:
        raise InputError(f"no image matches {pattern}: it names {len(files)} files, none with the name of a picture (.png, .jpg, .webp …)")
    patterns.check_of_one_kind(str(base), list(pictures))
    return _pictures(str(pattern), "pattern", sorted(pictures.items()), num_ignored=len(files) - len(pictures))


def _pictures(where: str, kind: str, named: Iterable[tuple[str, Path]], *, num_ignored: int) -> EncodedImages:
    origin = Origin.of(named, pictures=True)
    # A broken link has size 0 here: reading it says why, with the other bad pictures.
    entries = [Entry(file.name, file.size, partial(content, file.path, most=MAX_BYTES)) for file in origin.files]
    return EncodedImages(where, kind, entries, origin, num_ignored=num_ignored)
