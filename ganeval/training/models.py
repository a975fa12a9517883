"""The installed models, found by entry point: the seven of this repository and anybody's use the same door.

A package adds one by a line under `[project.entry-points."ganeval.models"]` in its pyproject.toml, naming a subclass of `GAN`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from ganeval.errors import InputError, nearest

if TYPE_CHECKING:
    from ganeval.training.gan import GAN


def available() -> Mapping[str, EntryPoint]:
    """Installed models by name."""
    return {entry.name: entry for entry in sorted(entry_points(group="ganeval.models"), key=lambda entry: entry.name)}


def load_model(name: str) -> type[GAN]:
    """The class of that name.

    Raises:
        InputError: no such model.
    """
    found = available()
    if name not in found:
        raise InputError(f"no model is called {name!r}; {nearest(name, found)}")
    model: type[GAN] = found[name].load()
    return model
