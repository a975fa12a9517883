"""Networks that turn images into features, found by entry point: the built-in ones and anybody's use the same door.

A package adds one by a line under `[project.entry-points."ganeval.extractors"]` in its pyproject.toml, naming a function with the
signature of `Loader`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ganeval.errors import InputError, nearest
from ganeval.progress import Progress, silent

if TYPE_CHECKING:
    import torch

    from ganeval.conventions import Convention
    from ganeval.extractors.protocol import FeatureExtractor


class Loader(Protocol):
    """What an entry point of the group `ganeval.extractors` must be."""

    def __call__(
        self, *, convention: Convention, weights_file: Path | None, device: torch.device, progress: Progress = silent
    ) -> FeatureExtractor: ...


def available() -> Mapping[str, EntryPoint]:
    """Installed extractors by name."""
    return {entry.name: entry for entry in entry_points(group="ganeval.extractors")}


def load_extractor(
    name: str, *, convention: Convention, weights_file: Path | None, device: torch.device, progress: Progress = silent
) -> FeatureExtractor:
    """The extractor of that name, on `device`.

    Raises:
        InputError: no such extractor, or its weights cannot be had.
    """
    found = available()
    if name not in found:
        raise InputError(f"no extractor is called {name!r}; {nearest(name, sorted(found))}")
    loader: Loader = found[name].load()
    return loader(convention=convention, weights_file=weights_file, device=device, progress=progress)
