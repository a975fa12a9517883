"""Pictures in zip and tar archives and in webdataset shards, read in place: nothing is unpacked to disk by name."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import shutil
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

from ganeval.errors import InputError
from ganeval.files import naming
from ganeval.images import patterns
from ganeval.images.decode import BadImage
from ganeval.images.encoded import EncodedImages, Entry, is_picture_name
from ganeval.images.origin import Origin, check_unwritten, written
from ganeval.images.seen import printable

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
LONGEST_CLASS = 1000  # bytes of a .cls file


def zip_images(path: Path, *, pattern: str = "") -> EncodedImages:
    """All pictures in a zip, sorted by their path in it; with a pattern those whose path ends like that.

    Raises:
        InputError: not a zip, or no picture in it.
    """
    origin = Origin.of([(pattern, path)])
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is not a readable zip archive: {error}; copy or download it again") from None
    members = {info.filename: info for info in archive.infolist() if not info.is_dir()}  # a later one replaces, as unpacking does
    entries = [Entry(name, info.file_size, partial(_read_zip, archive, info)) for name, info in members.items()]
    entries.sort(key=lambda entry: entry.name)
    return _pictures(str(path), "zip", entries, origin, pattern)


def _read_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(info)
    except RuntimeError as error:  # zipfile's word for "encrypted"
        raise BadImage(str(error)) from None
    except Exception as error:  # bad CRC, unknown compression, damaged stream: each compressor has its own exceptions
        raise BadImage(f"damaged in the archive: {error}") from None


def tar_images(paths: Sequence[Path], *, where: str, pattern: str = "") -> EncodedImages:
    """All pictures in one tar or in webdataset shards: shard by shard, within a shard sorted by path; as `zip_images` with a pattern.

    The class of a picture is what the `.cls` file of its sample says, else the first folder of its path in the shard. A compressed tar
    has no index and is expanded into an unnamed temporary file first.

    Raises:
        InputError: not a tar, one that was cut off, no picture in any of them, or samples of several pictures each.
    """
    origin = Origin.of((f"{path.name}/{pattern}" if len(paths) > 1 else pattern, path) for path in paths)
    entries: list[Entry] = []
    for path in paths:
        try:
            members, read = _members(path)
        except (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # where temporary files are; the archive is well
                raise
            raise InputError(f"{path} is not a readable tar archive: {error}; copy or download it again") from None
        prefix = f"{path.name}/" if len(paths) > 1 else ""
        entries += [
            Entry(prefix + name, member.size, partial(read, member.offset_data, member.size), partial(_class, name, members, read))
            for name, member in sorted(members.items())
        ]
    return _pictures(where, "tar" if len(paths) == 1 else "shards", entries, origin, pattern, samples=True)


def _class(name: str, members: Mapping[str, tarfile.TarInfo], read: Callable[[int, int], bytes]) -> str:
    """Of a picture in a shard; "" for none."""
    stated = members.get(f"{patterns.sample_of(name)}.cls")
    if stated is not None:
        return read(stated.offset_data, min(stated.size, LONGEST_CLASS)).decode("utf-8", "replace").strip()
    return name.partition("/")[0] if "/" in name else ""


def _members(path: Path) -> tuple[dict[str, tarfile.TarInfo], Callable[[int, int], bytes]]:
    """The files of a tar by name, and how to read (offset, size) of it; no file stays open for a plain one."""
    before = written(path)
    try:
        with tarfile.open(path, "r:") as archive:
            return _listed(archive), partial(_read_path, path, before)
    except tarfile.ReadError:
        if (opener := _compression(path)) is None:
            raise
    plain = tempfile.TemporaryFile(prefix="ganeval-")  # noqa: SIM115 - open as long as the source lives, gone with it
    with naming(Path(tempfile.gettempdir())), opener(path) as compressed:
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


def _read_path(path: Path, before: str, offset: int, size: int) -> bytes:
    check_unwritten(path, before)  # else there would be other bytes at this place
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
