"""Pictures in zip and tar archives and in webdataset shards, read in place: nothing is unpacked to disk by name."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

from ganeval.errors import InputError
from ganeval.images.decode import BadImage
from ganeval.images.encoded import EncodedImages, Entry, is_picture_name

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def zip_images(path: Path) -> EncodedImages:
    """All pictures in a zip, sorted by their path in it.

    Raises:
        InputError: not a zip, or no picture in it.
    """
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is not a readable zip archive: {error}; copy or download it again") from None
    members = {info.filename: info for info in archive.infolist() if not info.is_dir()}  # a later one replaces, as unpacking does
    entries = [Entry(name, info.file_size, partial(_read_zip, archive, info)) for name, info in members.items()]
    return _pictures(str(path), "zip", entries)


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
        InputError: not a tar, or no picture in any of them.
    """
    entries: list[Entry] = []
    for path in paths:
        archive = _open_tar(path)
        lock = threading.Lock()
        try:
            members = {member.name.removeprefix("./"): member for member in archive if member.isfile()}
        except (tarfile.TarError, EOFError, OSError) as error:
            raise InputError(f"{path} ends early or is damaged: {error}; copy or download it again") from None
        prefix = f"{path.name}/" if len(paths) > 1 else ""
        shard = [Entry(prefix + name, member.size, partial(_read_tar, archive, member, lock)) for name, member in sorted(members.items())]
        entries += shard
    return _pictures(where, "tar" if len(paths) == 1 else "shards", entries, keep_order=True)


def _open_tar(path: Path) -> tarfile.TarFile:
    try:
        try:
            return tarfile.open(path, "r:")
        except tarfile.ReadError:
            return tarfile.open(fileobj=_expanded(path), mode="r:")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(f"{path} is not a readable tar archive: {error}; copy or download it again") from None


def _expanded(path: Path) -> IO[bytes]:
    import bz2
    import gzip
    import lzma

    openers: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
    with path.open("rb") as file:
        opener = openers.get(file.read(2))
    if opener is None:
        raise tarfile.ReadError("neither a tar nor one compressed by gzip, bzip2 or xz")
    plain = tempfile.TemporaryFile(prefix="ganeval-")  # noqa: SIM115 - lives as long as the source, and has no name to leave behind
    with opener(path) as compressed:
        shutil.copyfileobj(compressed, plain, 1 << 20)
    plain.seek(0)
    return plain


def _read_tar(archive: tarfile.TarFile, member: tarfile.TarInfo, lock: threading.Lock) -> bytes:
    with lock:  # one file position for all threads
        file = archive.extractfile(member)
        assert file is not None
        try:
            return file.read()
        except (tarfile.TarError, EOFError) as error:
            raise BadImage(f"damaged in the archive: {error}") from None


def _pictures(where: str, kind: str, entries: list[Entry], *, keep_order: bool = False) -> EncodedImages:
    pictures = [entry for entry in entries if is_picture_name(entry.name)]
    if not pictures:
        raise InputError(f"no image in {where}: none of its {len(entries)} files has the name of a picture (.png, .jpg …)")
    if not keep_order:
        pictures.sort(key=lambda entry: entry.name)
    return EncodedImages(where, kind, pictures, num_ignored=len(entries) - len(pictures))
