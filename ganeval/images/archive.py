"""Pictures in zip and tar archives and in webdataset shards, read in place: nothing is unpacked to disk by name."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePath
from zipfile import BadZipFile, ZipFile, ZipInfo

from ganeval.errors import InputError, printable, reason
from ganeval.images import patterns
from ganeval.images.decode import BadImage
from ganeval.images.encoded import MAX_BYTES, EncodedImages, Entry, is_picture_name
from ganeval.images.origin import Origin
from ganeval.images.tar import LINK, REMEDY, Tar, opened_tar
from ganeval.zips import check_member, check_ratio, opened_zip

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
LONGEST_CLASS = 1000  # bytes of a .cls file


def zip_images(path: Path, *, pattern: str = "") -> EncodedImages:
    """All pictures in a zip, sorted by their path in it; with a pattern those whose path ends like that.

    Raises:
        InputError: not a zip, no picture in it, or pictures that are far larger than the zip.
    """
    origin = Origin.of([(pattern, path)])
    try:
        archive = opened_zip(path)
        members = {info.filename: info for info in archive.infolist() if not info.is_dir()}  # a later one replaces, as unpacking does
        check_ratio(sum(info.file_size for name, info in members.items() if is_picture_name(name)), path.stat().st_size)
    except (BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise InputError(f"{path} is not a readable zip archive: {reason(error)}; {REMEDY}") from None
    entries = [Entry(name, info.file_size, _kept_in(name, partial(_read_zip, archive, info))) for name, info in members.items()]
    entries.sort(key=lambda entry: entry.name)
    return _pictures(str(path), "zip", entries, origin, pattern)


def _read_zip(archive: ZipFile, info: ZipInfo) -> bytes:
    if stat.S_ISLNK(info.external_attr >> 16):
        raise BadImage(LINK)
    try:
        check_member(info, most=MAX_BYTES)
    except BadZipFile as error:
        raise BadImage(str(error)) from None
    try:
        return archive.read(info)
    except RuntimeError as error:  # zipfile's word for "encrypted"
        raise BadImage(str(error)) from None
    except Exception as error:  # bad CRC, damaged stream: each compressor has its own exceptions
        raise BadImage(f"damaged in the archive: {reason(error)}") from None


def _kept_in(name: str, read: Callable[[], bytes]) -> Callable[[], bytes]:
    """`read`, but for a name that leads out of the folder that it would be unpacked into: it may become the name of a translation."""
    path = PurePath(name)
    return partial(_leads_out, name) if path.drive or path.root or ".." in path.parts else read


def _leads_out(name: str) -> bytes:
    raise BadImage("its name leads out of the archive; pack it again by a name below the folder")


def tar_images(paths: Sequence[Path], *, where: str, pattern: str = "") -> EncodedImages:
    """All pictures in one tar or in webdataset shards: shard by shard, within a shard sorted by path; as `zip_images` with a pattern.

    The class of a picture is what the `.cls` file of its sample says, else the first folder of its path in the shard.

    Raises:
        InputError: not a tar, one that was cut off, no picture in any of them, or samples of several pictures each.
    """
    origin = Origin.of((f"{path.name}/{pattern}" if len(paths) > 1 else pattern, path) for path in paths)
    entries: list[Entry] = []
    for path in paths:
        tar = opened_tar(path)
        prefix = f"{path.name}/" if len(paths) > 1 else ""
        entries += [
            Entry(prefix + name, member.size, _kept_in(name, partial(tar.read, name, most=MAX_BYTES)), partial(_class, name, tar))
            for name, member in sorted(tar.members.items())
            if not member.odd or is_picture_name(name)
        ]
    return _pictures(where, "tar" if len(paths) == 1 else "shards", entries, origin, pattern, samples=True)


def _class(name: str, tar: Tar) -> str:
    """Of a picture in a shard; "" for none."""
    stated = tar.members.get(f"{patterns.sample_of(name)}.cls")
    if stated is not None and not stated.odd:
        return tar.bytes_at(stated.offset, min(stated.size, LONGEST_CLASS)).decode("utf-8", "replace").strip()
    return name.partition("/")[0] if "/" in name else ""


def _pictures(where: str, kind: str, entries: list[Entry], origin: Origin, pattern: str, *, samples: bool = False) -> EncodedImages:
    pictures = [entry for entry in entries if is_picture_name(entry.name)]
    if not pictures:
        raise InputError(f"no image in {where}: none of its {len(entries)} files has the name of a picture (.png, .jpg …)")
    if pattern:
        wanted = [entry for entry in pictures if patterns.matches(entry.name, pattern)]
        if not wanted:
            raise InputError(
                f"none of the {len(pictures)} pictures in {where} matches {pattern}; the first is {printable(pictures[0].name)}"
            )
        pictures = wanted
    names = [entry.name for entry in pictures]
    patterns.check_of_one_kind(where, names)
    num_ignored = 0 if pattern else len(entries) - len(pictures)
    if samples:
        patterns.check_one_each(where, names)
    if num_ignored and samples:
        of_samples = {patterns.sample_of(name) for name in names}  # captions and classes lie beside the pictures of a sample
        num_ignored = sum(patterns.sample_of(entry.name) not in of_samples for entry in entries)
    return EncodedImages(f"{where}/{pattern}" if pattern else where, kind, pictures, origin, num_ignored=num_ignored)
