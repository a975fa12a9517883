"""Files of ours: where they are kept, their digest, and writing them at once or not at all."""

from __future__ import annotations

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


@contextmanager
def written_at_once(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which becomes `path` when the block ends well, and nothing when it does not."""
    if not path.parent.is_dir():
        raise FileNotFoundError(2, "No such file or directory", str(path.parent))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.chmod(file.name, 0o644)  # temporary files are private
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
