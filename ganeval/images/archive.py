"""Pictures in zip and tar archives and in webdataset shards, read in place: nothing is unpacked to disk by name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

from ganeval.errors import InputError
from ganeval.images.decode import BadImage
from ganeval.images.encoded import EncodedImages, Entry, is_picture_name
from ganeval.images.origin import Origin

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def zip_images(path: Path) -> EncodedImages:
    """All pictures in a zip, sorted by their path in it.

    Raises:
        InputError: not a zip, or no picture in it.
    """
    origin = Origin.of([("", path)])
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is not a readable zip archive: {error}; copy or download it again") from None
    members = {info.filename: info for info in archive.infolist() if not info.is_dir()}  # a later one replaces, as unpacking does
    entries = [Entry(name, info.file_size, partial(_read_zip, archive, info)) for name, info in members.items()]
    return _pictures(str(path), "zip", entries, origin)


def _read_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(info)
    except RuntimeError as error:  # zipfile's word for "encrypted"
        raise BadImage(str(error)) from None
    except Exception as error:  # bad CRC, unknown compression, damaged stream: each compressor has its own exceptions
        raise BadImage(f"damaged in the archive: {error}") from None


def tar_images(paths: Sequence[Path], *, where: str) -> EncodedImages:
    """All pictures in one tar or in webdataset shards: shard by shard, within a shard sorted by path.

    A compressed tar has no index and is expanded into an unnamed temporary file first.

    Raises:
        InputError: not a tar, one that was cut off, or no picture in any of them.
    """
    origin = Origin.of((path.name if len(paths) > 1 else "", path) for path in paths)
    entries: list[Entry] = []
    for path in paths:
        try:
            members, read = _members(path)
        except (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error) as error:
            raise InputError(f"{path} is not a readable tar archive: {error}; copy or download it again") from None
        prefix = f"{path.name}/" if len(paths) > 1 else ""
        entries += [
            Entry(prefix + name, member.size, partial(read, member.offset_data, member.size)) for name, member in sorted(members.items())
        ]
    return _pictures(where, "tar" if len(paths) == 1 else "shards", entries, origin, keep_order=True)


def _members(path: Path) -> tuple[dict[str, tarfile.TarInfo], Callable[[int, int], bytes]]:
    """The files of a tar by name, and how to read (offset, size) of it; no file stays open for a plain one."""
    try:
        with tarfile.open(path, "r:") as archive:
            return _listed(archive), partial(_read_path, path)
    except tarfile.ReadError:
        if (opener := _compression(path)) is None:
            raise
    plain = tempfile.TemporaryFile(prefix="ganeval-")  # noqa: SIM115 - open as long as the source lives, gone with it
    with opener(path) as compressed:
        shutil.copyfileobj(compressed, plain)
    plain.seek(0)
    with tarfile.open(fileobj=plain, mode="r:") as archive:
        return _listed(archive), partial(_read_file, plain, threading.Lock())


def _listed(archive: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    members = {member.name.removeprefix("./"): member for member in archive if member.isfile()}  # a later one replaces
    assert archive.fileobj is not None
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        # Python's tarfile takes this for the end. It is where a copy broke off, and the rest of the pictures are missing.
        raise tarfile.ReadError("it breaks off without an end mark")
    return members


def _compression(path: Path) -> Callable[[Path], Any] | None:
    openers: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
    with path.open("rb") as file:
        return openers.get(file.read(2))


def _read_path(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        return _read(file, offset, size)


def _read_file(file: IO[bytes], lock: threading.Lock, offset: int, size: int) -> bytes:
    with lock:  # one position for all threads
        return _read(file, offset, size)


def _read(file: IO[bytes], offset: int, size: int) -> bytes:
    file.seek(offset)
    data = file.read(size)
    if len(data) < size:
        raise BadImage("the archive ends before it does")
    return data


def _pictures(where: str, kind: str, entries: list[Entry], origin: Origin, *, keep_order: bool = False) -> EncodedImages:
    pictures = [entry for entry in entries if is_picture_name(entry.name)]
    if not pictures:
        raise InputError(f"no image in {where}: none of its {len(entries)} files has the name of a picture (.png, .jpg …)")
    if not keep_order:
        pictures.sort(key=lambda entry: entry.name)
    return EncodedImages(where, kind, pictures, origin, num_ignored=len(entries) - len(pictures))
