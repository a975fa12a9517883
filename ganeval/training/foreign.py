"""Foreign: how another project's generator becomes a model's own, by names and shapes of its parameters and no code of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

NAMED = 3  # parameters that an error names

Shapes = Mapping[str, tuple[int, ...]]
"""Of parameters, by the names that the other project gives them."""


class Read(NamedTuple):
    """What the shapes of a generator's parameters say."""

    channels: tuple[int, int]  # of the pictures that it takes and makes
    config: Mapping[str, Any]  # changes to the model's configuration
    image_size: int | None = None  # None where it takes pictures of any
    num_labels: int = 0


class Misfit(Exception):
    """The parameters are of another network; why, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """One project's generator, of the same layers in the same order as a model's.

    A model offers it as its class variable `foreign`.
    """

    project: str
    only: str  # which of its generators, in the project's own words
    read: Callable[[Shapes], Read]  # raises Misfit
    theirs: Callable[[str, Read], str]  # our name of a parameter → theirs
    idle: str = r"$^"  # regular expression of names that the outputs do not depend on
    swapped: str = r"$^"  # of our names: these have the two halves of the first axis the other way around
    dropout: Mapping[bool, Mapping[str, Any]] = field(default_factory=dict)  # changes to the configuration, with dropout and without

    def check(self, found: Mapping[str, Tensor], ours: Mapping[str, Tensor], read: Read) -> dict[str, Tensor]:
        """Their parameters by our names: all of `ours`, of the same shapes, float32.

        Raises:
            Misfit: some are missing, odd, or of another shape.
        """
        by_theirs = {self.theirs(name, read): name for name in ours}
        used = {name: value for name, value in found.items() if not re.search(self.idle, name)}
        shapes = (
            f"{name} {list(used[name].shape)} instead of {list(ours[own].shape)}"
            for name, own in by_theirs.items()
            if name in used and used[name].shape != ours[own].shape
        )
        problems = {
            "missing": [name for name in by_theirs if name not in used],
            "odd": [name for name in used if name not in by_theirs],
            "of another shape": list(shapes),
        }
        if said := [f"{len(names)} parameters are {what} ({few(names)})" for what, names in problems.items() if names]:
            raise Misfit(", ".join(said))
        if bad := [name for name in by_theirs if not used[name].is_floating_point() or not used[name].isfinite().all()]:
            raise Misfit(f"{len(bad)} parameters hold something else than finite numbers ({few(bad)})")
        return {own: self._turned(own, used[name]).float() for name, own in by_theirs.items()}

    def _turned(self, name: str, value: Tensor) -> Tensor:
        return torch.cat(value.chunk(2)[::-1]) if re.search(self.swapped, name) else value


def few(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")


def bare(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without what DataParallel and torch.compile put before each name."""
    found = dict(state)
    for prefix in ("_orig_mod.", "module.", "_orig_mod."):
        if found and all(name.startswith(prefix) for name in found):
            found = {name.removeprefix(prefix): value for name, value in found.items()}
    return found


def kernel(shapes: Shapes, name: str) -> tuple[int, int]:
    """The first two sides of a convolution's weights: outputs and inputs, transposed ones the other way around.

    Raises:
        Misfit: there is none of that name.
    """
    if name not in shapes:
        raise Misfit(f"there is no {name}, but {few(list(shapes)) or 'nothing at all'}")
    if len(shapes[name]) != 4:
        raise Misfit(f"{name} has the shape {list(shapes[name])}, which is no convolution's")
    first, second, *_ = shapes[name]
    return first, second


def numbered(shapes: Shapes, pattern: str) -> int:
    """How many names match."""
    return sum(re.fullmatch(pattern, name) is not None for name in shapes)


def square(read: Read) -> int:
    """Channels of the pictures.

    Raises:
        Misfit: others go in than come out.
    """
    taken, made = read.channels
    if taken != made or made not in (1, 3):
        raise Misfit(f"it makes pictures of {made} channels out of {taken}; ganeval's models have 1 or 3 on both sides")
    return made
