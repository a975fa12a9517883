"""Files of ours: where they are kept, their digest, and writing them at once or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

CHUNK = 1 << 20
UNFINISHED = re.compile(r"\.(.+\.[a-z0-9_]{8}|tmp\w{6})")  # of `written_at_once`, by the names that tempfile and safetensors give


def cache_folder(kind: str) -> Path:
    """Where ganeval keeps what it fetched: `$GANEVAL_HOME/<kind>`, else the user's cache folder."""
    import platformdirs

    home = os.environ.get("GANEVAL_HOME")
    return (Path(home) if home else platformdirs.user_cache_path("ganeval")) / kind


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as file:
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
