"""Zip files that somebody else made, opened so that a small one cannot ask for memory without end."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from ganeval.files import opened

DIRECTORY = 2**28  # bytes of the list of members, some two to five million of them: each takes half a kilobyte of memory
FREE, RATIO = 2**26, 200  # bytes that anything may be expanded to, and how many times its size anything larger
# Each block of these is expanded piece by piece. Python's reader of the others expands all that it has read, whatever size is stated.
METHODS = (ZIP_STORED, ZIP_DEFLATED)


class Careful(io.RawIOBase):
    """A file whose reader cannot have more than `most` bytes at once. Parsers ask for as many as a header says."""

    def __init__(self, file: IO[bytes], *, most: int, closing: bool = False) -> None:
        self.most: int | None = most  # None: no longer bounded
        self._closing = closing  # the file with this
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        if self.most is None:
            return self._file.read(size)
        data = self._file.read(self.most + 1 if size < 0 else min(size, self.most + 1))
        if len(data) > self.most:
            raise OSError(f"a header or list in it has more than {self.most:,} bytes")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if self._closing:
            self._file.close()
        super().close()


def opened_zip(path: Path) -> ZipFile:
    """A zip to read members of; those that `check_member` lets through.

    Raises:
        BadZipFile: it is none.
        OSError: it cannot be read, or its list of members is too long.
    """
    file = Careful(opened(path), most=DIRECTORY, closing=True)
    try:
        archive = ZipFile(file)
        if "" in archive.namelist():  # which zipfile does not expect
            raise BadZipFile("a file in it has no name")
    except BaseException as error:
        file.close()
        if isinstance(error, (NotImplementedError, ValueError, IndexError, struct.error)):  # what damaged lists of members raise too
            raise BadZipFile(str(error)) from None
        raise
    file.most = None  # members are read in pieces
    return archive


def is_zip(path: Path) -> bool:
    """Whether it is one to its end."""
    try:
        opened_zip(path).close()
    except (BadZipFile, OSError):
        return False
    return True


def check_member(info: ZipInfo, *, most: int) -> None:
    """Refuse what has more than `most` bytes, or is far larger than what it is expanded from.

    Raises:
        BadZipFile: saying why.
    """
    if info.compress_type not in METHODS:
        raise BadZipFile("it is compressed by another method than deflate, which is not opened; pack it again without")
    if info.file_size > most:
        raise BadZipFile(f"{info.file_size:,} bytes, over the limit of {most:,}")
    check_ratio(info.file_size, info.compress_size)


def check_ratio(size: int, packed: int) -> None:
    """Refuse what is far larger than what it is expanded from.

    Raises:
        BadZipFile: saying why.
    """
    if size > max(FREE, RATIO * packed):
        raise BadZipFile(f"{packed:,} bytes expand to {size:,}, over {RATIO} times as many, as archive bombs do")
