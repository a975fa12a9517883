"""What the rows of benchmarks/speed.py work with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from in_turn import Compared
from pictures import as_tensor, pictures
from standin import save_standin


class Setup:
    """A folder to write in, a file of Inception weights, and how often to take turns."""

    def __init__(self, folder: Path, weights: Path | None, rounds: int) -> None:
        self.folder = folder
        self.rounds = rounds
        self._made = 0
        self.weights = weights or save_standin(folder / "standin.pth", as_tensor(pictures(32, (32, 32), skip=500)))

    def fresh(self) -> Path:
        """A folder that is not there yet."""
        self._made += 1
        return self.folder / f"fresh-{self._made}"


Row = Callable[[Setup], list[Compared]]
