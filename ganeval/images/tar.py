"""Tar archives that somebody else made: their files in place, by name. Nothing is unpacked, and links are not followed."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import tarfile
import tempfile
import threading
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from ganeval.errors import InputError, reason
from ganeval.files import CHUNK, naming, opened
from ganeval.images.decode import BadImage
from ganeval.images.origin import check_unwritten, written
from ganeval.zips import FREE, RATIO, Careful

REMEDY = "copy or download it again, or unpack it by a program that you trust with it"
HEADER = 2**20  # bytes of a long name or a set of attributes
MAX_MEMBERS = 4_000_000
LINK = "is a link, which is not followed in an archive; pack what it leads to (tar --dereference --hard-dereference)"
SPARSE = "is stored as a sparse file; pack it without --sparse"


class Member(NamedTuple):
    offset: int
    size: int
    odd: str = ""  # why it cannot be read, of what is no plain file


class Tar(NamedTuple):
    """Its files and links by name; a later one replaces an earlier one, as unpacking does."""

    members: dict[str, Member]
    bytes_at: Callable[[int, int], bytes]  # (offset, size)

    def read(self, name: str, *, most: int) -> bytes:
        """All of one file.

        Raises:
            BadImage: it is no file, larger than `most` bytes, or cut off.
            OSError: the archive cannot be read.
        """
        member = self.members[name]
        if member.odd:
            raise BadImage(member.odd)
        if member.size > most:
            raise BadImage(f"{member.size:,} bytes, over the limit of {most:,} for one picture")
        data = self.bytes_at(member.offset, member.size)
        if len(data) < member.size:
            raise BadImage("the archive ends before it does")
        return data


def opened_tar(path: Path) -> Tar:
    """What a tar holds. A compressed one has no index and is expanded into an unnamed temporary file first; a plain one is not kept open.

    Raises:
        InputError: not a tar, one that was cut off, or one that asks for more than it may.
    """
    try:
        return _opened(path)
    except (tarfile.TarError, EOFError, OSError, ValueError, RecursionError, MemoryError, lzma.LZMAError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # where temporary files are; the archive is well
            raise
        why = "its headers are nested without end" if isinstance(error, RecursionError) else reason(error)
        raise InputError(f"{path} is not a readable tar archive: {why}; {REMEDY}") from None


def _opened(path: Path) -> Tar:
    before = written(path)
    try:
        with opened(path) as file:
            return Tar(_members(file), partial(_read_path, path, before))
    except tarfile.ReadError:
        if (opener := _compression(path)) is None:
            raise
    plain = tempfile.TemporaryFile(prefix="ganeval-")  # noqa: SIM115 - open as long as the source lives, gone with it
    with naming(Path(tempfile.gettempdir())), opened(path) as file, opener(file) as compressed:
        _expand(compressed, plain, packed=path.stat().st_size)
    return Tar(_members(plain), partial(_read_file, plain, threading.Lock()))


def _members(file: IO[bytes]) -> dict[str, Member]:
    file.seek(0)
    found: dict[str, Member] = {}
    careful: Any = Careful(file, most=HEADER)
    with tarfile.open(fileobj=careful, mode="r:") as archive:
        end = archive.offset
        while (member := archive.next()) is not None:
            vars(archive)["members"].clear()  # or it would keep them all, a kilobyte each; typeshed does not know them
            if member.size < 0 or archive.offset < end:  # some versions of Python would go in circles
                raise tarfile.ReadError("it states a negative size")
            end = archive.offset
            if len(found) >= MAX_MEMBERS:
                raise tarfile.ReadError(f"it holds more than {MAX_MEMBERS:,} files; cut it into shards")
            if not member.isdir():
                found[member.name.removeprefix("./")] = Member(member.offset_data, member.size, _odd(member))
    file.seek(end)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        # Python's tarfile takes this for the end. It is where a copy broke off, and the rest of the pictures are missing.
        raise tarfile.ReadError("it breaks off without an end mark")
    return found


def _odd(member: tarfile.TarInfo) -> str:
    if member.islnk() or member.issym():
        return LINK
    if member.issparse():
        return SPARSE
    return "" if member.isreg() else "is a device or pipe, and no file"


def _expand(compressed: IO[bytes], plain: IO[bytes], *, packed: int) -> None:
    most, size = max(FREE, RATIO * packed), 0
    while chunk := compressed.read(CHUNK):
        size += len(chunk)
        if size > most:
            raise tarfile.ReadError(f"{packed:,} bytes that expand to more than {most:,}, as archive bombs do")
        plain.write(chunk)
    plain.flush()


def _compression(path: Path) -> Callable[[Any], Any] | None:
    openers: dict[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
    with opened(path) as file:
        return openers.get(file.read(2))


def _read_path(path: Path, before: str, offset: int, size: int) -> bytes:
    check_unwritten(path, before)  # else there would be other bytes at this place
    with opened(path) as file:
        file.seek(offset)
        return file.read(size)


def _read_file(file: IO[bytes], lock: threading.Lock, offset: int, size: int) -> bytes:
    with lock:  # one position for all threads
        file.seek(offset)
        return file.read(size)
