"""Files: where ours are kept, their digest, reading what somebody else put there, and writing at once or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import IO

CHUNK = 1 << 20
MOST_JSON = 2**28  # bytes of one file of JSON, or of lines of it, that is read as a whole
UNFINISHED = re.compile(r"\.(.+\.[a-z0-9_]{8}|tmp\w{6})")  # of `written_at_once`, by the names that tempfile and safetensors give


def cache_folder(kind: str) -> Path:
    """Where ganeval keeps what it fetched: `$GANEVAL_HOME/<kind>`, else the user's cache folder."""
    import platformdirs

    home = os.environ.get("GANEVAL_HOME")
    return (Path(home) if home else platformdirs.user_cache_path("ganeval")) / kind


def opened(path: Path) -> BufferedReader:
    """A file to read. A pipe, socket or device is refused: opening it may wait for ever, and reading it may never end.

    Raises:
        OSError: it is one of those, or cannot be read.
    """
    _check_regular(path, os.stat(path))  # before it is opened, because that alone does something to some devices
    file = open(path, "rb", opener=_at_once)  # noqa: SIM115 - handed to the caller
    try:
        _check_regular(path, os.fstat(file.fileno()))  # it may have been replaced meanwhile
    except OSError:
        file.close()
        raise
    return file


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # of a pipe open() would wait for a writer; Windows has no such flag


def _check_regular(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe, socket or device, and no file", str(path))


def content(path: Path, *, most: int) -> bytes:
    """All of a file, which may have `most` bytes, whatever its size is said to be.

    Raises:
        OSError: it is larger, no file, or cannot be read.
    """
    with opened(path) as file:
        size = min(os.fstat(file.fileno()).st_size, most)
        data = file.read(size + 1) or b""  # None of a file in /proc that has nothing to say yet
        if len(data) > size:  # it grows, or its size is none, as in /proc
            data += file.read(most + 1 - len(data)) or b""
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with opened(path) as file:
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def check_folder(path: Path) -> None:
    """Raise an OSError that names the folder where a file cannot be written; asked before long work, not after."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(folder))
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError that does not say of which file it is, as that of a write to a full disk, says `path`."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


@contextmanager
def written_at_once(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which becomes `path` when the block ends well, and nothing when it does not. Devices and pipes are written to.

    A process that is killed meanwhile leaves a hidden file beside it, which `remove_unfinished` knows.
    """
    check_folder(path)
    if path.exists() and not path.is_file():  # /dev/null shall not become a file
        with naming(path), path.open("wb") as file:
            yield file
        return
    try:
        temporary = tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False)  # noqa: SIM115 - closed below
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with naming(path), temporary:  # closing writes too
            yield temporary
        os.chmod(temporary.name, 0o644)  # temporary files are private
        os.replace(temporary.name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary.name)
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left of files of `written_at_once`; only where nobody writes."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)
