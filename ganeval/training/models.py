"""The installed models, found by entry point: the seven of this repository and anybody's use the same door.

A package adds one by a line under `[project.entry-points."ganeval.models"]` in its pyproject.toml, naming a subclass of `GAN`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from ganeval.errors import InputError

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
        near = difflib.get_close_matches(name, found, n=1, cutoff=0.4)
        meant = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"no model is called {name!r}; {meant}There are {', '.join(found) or 'none installed'}")
    model: type[GAN] = found[name].load()
    return model
