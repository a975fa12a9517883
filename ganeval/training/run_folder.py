"""RunFolder: what a run leaves on disk, and nothing else's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from torch import Tensor

from ganeval.errors import InputError, reason
from ganeval.files import MOST_JSON, content, naming, remove_unfinished, written_at_once
from ganeval.images.png import write_png
from ganeval.shape import check_shape

LONGEST_LINE = 1 << 20  # bytes
PARTS = ("samples", "checkpoints")
LOCK = ".lock"

CheckpointName = Literal["best", "last"]


class RunFolder:
    """`config.json`, `losses.jsonl`, `scores.jsonl`, `events.jsonl`, `samples/`, `checkpoints/`, `report.html`, `scores.json`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def created(cls, path: Path, config: Mapping[str, Any]) -> RunFolder:
        """A new folder.

        Raises:
            InputError: there is something already.
        """
        check_free(path)
        for part in PARTS:
            (path / part).mkdir(parents=True, exist_ok=True)
        folder = cls(path)
        folder.write_json("config.json", config)
        return folder

    @classmethod
    def opened(cls, path: Path) -> RunFolder:
        """A folder that a run made.

        Raises:
            InputError: it is none.
        """
        if not (path / "config.json").is_file():
            raise InputError(f"{path} is no run folder: it has no config.json; give a folder that `ganeval train` made")
        return cls(path)

    @contextmanager
    def held(self) -> Iterator[RunFolder]:
        """For a run to write in: no other does meanwhile. The system lets go of it with the process, however that ends.

        Raises:
            InputError: another run writes there.
        """
        from filelock import FileLock, Timeout

        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / LOCK, timeout=0):
                for part in PARTS:
                    remove_unfinished(self.path / part)
                yield self
        except Timeout:
            raise InputError(f"another run is writing in {self.path}; wait until it ends, or choose another folder") from None

    def config(self) -> dict[str, Any]:
        """What `created` was given.

        Raises:
            InputError: the file is damaged, or another program's.
        """
        config = self.read_json("config.json")
        try:
            check_shape(config, {"settings": dict, "data": {"spec": dict, "provenance": dict}, "command": str})
        except ValueError:
            raise InputError(
                f"{self.path} is no run folder: its config.json is of something else; give a folder that `ganeval train` made"
            ) from None
        return config

    def read_json(self, name: str) -> dict[str, Any]:
        """A file that `write_json` wrote.

        Raises:
            InputError: it is damaged.
        """
        file = self.path / name
        try:
            value: dict[str, Any] = json.loads(content(file, most=MOST_JSON))
            return value
        except (ValueError, RecursionError) as error:
            raise InputError(f"{file} is damaged: {reason(error)}; take it from a copy of the run") from None

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Replace a file at once."""
        with written_at_once(self.path / name) as file:
            file.write((json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())

    def append(self, name: Literal["losses", "scores", "events"], record: Mapping[str, Any]) -> None:
        """One more line."""
        file = self.path / f"{name}.jsonl"
        line = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
        with naming(file), file.open("ab+") as lines:
            _drop_torn_line(lines)
            lines.write(line.encode())

    def write_sample(self, step: int, grid: Tensor) -> None:
        write_png(self.path / "samples" / f"{step:06d}.png", grid)

    def checkpoint(self, name: CheckpointName) -> Path:
        return self.path / "checkpoints" / f"{name}.pt"


def check_free(path: Path) -> None:
    """Raise an InputError where a new run finds something."""
    if not path.exists() or (path.is_dir() and not any(file.name != LOCK for file in path.iterdir())):
        return
    remedy = "choose another --out"
    if RunFolder(path).checkpoint("last").exists():
        remedy = f"continue that run with --resume {path}, or {remedy}"
    elif (path / "config.json").exists():
        remedy = f"that run ended before its first checkpoint: remove it, or {remedy}"
    raise InputError(f"{path} exists; {remedy}")


def _drop_torn_line(lines: IO[bytes]) -> None:
    """Remove what a crash left of a line."""
    end = lines.seek(0, os.SEEK_END)
    lines.seek(max(0, end - LONGEST_LINE))
    tail = lines.read()
    if tail and not tail.endswith(b"\n"):
        lines.truncate(end - len(tail) + tail.rfind(b"\n") + 1)


def free_folder(model: str) -> Path:
    """`runs/<model>`, or the first of `runs/<model>-2`, `-3` … that is not taken."""
    first = Path("runs") / model
    taken, number = first, 1
    while taken.exists():
        number += 1
        taken = first.with_name(f"{model}-{number}")
    return taken
