"""Files of ours: where they are kept, their digest, and writing them at once or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

CHUNK = 1 << 20


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
def written_at_once(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which becomes `path` when the block ends well, and nothing when it does not."""
    check_folder(path)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.chmod(file.name, 0o644)  # temporary files are private
            os.replace(file.name, path)
        except BaseException as error:
            os.unlink(file.name)
            if isinstance(error, OSError) and error.errno and error.filename is None:  # of a write: it does not say where to
                raise OSError(error.errno, error.strerror, str(path)) from None
            raise
