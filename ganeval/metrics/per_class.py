"""Scores within each class: a generator that mixes its classes up has a good distance over all of them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.report import Score


def within_classes(score: Callable[[str], Score], names: Sequence[str]) -> dict[str, Score]:
    """The score of each class, and under "" their mean (for distances: intra-FID, Miyato and Koyama 2018, sec. 5.1).

    The classes are independent draws, so the standard error of the mean is the root of their squares' sum over their number.
    """
    found = {name: score(name) for name in names}
    errors = [one.error for one in found.values() if one.error is not None]
    error = torch.tensor(errors, dtype=torch.float64).norm().item() / len(found) if len(errors) == len(found) else None
    degrees = None if error is None else min(one.degrees for one in found.values() if one.degrees is not None)
    return {"": Score(sum(one.value for one in found.values()) / len(found), error=error, degrees=degrees)} | found


def members(classes: Sequence[str]) -> dict[str, Tensor]:
    """Positions of the images of each class, in the order of the classes' names."""
    return {name: torch.tensor([i for i, one in enumerate(classes) if one == name]) for name in sorted(set(classes))}


def checked_classes(sides: Mapping[str, Sequence[str] | None], fewest: int) -> list[str]:
    """The classes' names, the same on all sides.

    Args:
        sides: the class of each image, for "real" and "fake", or for one of them.
        fewest: images that a class needs on each side.

    Raises:
        InputError: images without classes, one class only, a class of one side alone, or with too few images.
    """
    found: dict[str, dict[str, int]] = {}
    for label, classes in sides.items():
        if classes is None:
            raise InputError(
                f"scores within classes need the class of every {label} image; sort them into one folder for each class, "
                "or give a Dataset or an .npz with labels"
            )
        found[label] = {name: len(chosen) for name, chosen in members(classes).items()}
    first = next(iter(found.values()))
    for label, counts in found.items():
        if alone := sorted(set(first) ^ set(counts)):
            raise InputError(f"the class {alone[0]} is on one side only, not among the {label} images or only there; give both all classes")
        if len(counts) < 2:
            raise InputError(f"scores within classes need at least two, but all {label} images are of the class {next(iter(counts))}")
        for name, count in counts.items():
            if count < fewest:
                raise InputError(f"the class {name} has {count} {label} images, and each needs at least {fewest}; add images")
    return list(first)
