"""Sample grids: the same noise and the same held-out pictures at every step, laid out as the task asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from ganeval.images.png import tiled
from ganeval.training.batch import Task
from ganeval.training.data import Pictures, Split
from ganeval.training.gan import GAN
from ganeval.training.tasks import given_attribute, made

SIDE = 6  # of the grid of noise samples, as in the series' DCGAN
COLUMNS = 8  # held-out pictures in the other grids
MAX_CLASSES = 10  # rows of the class grid
LEGIBLE = 64  # pictures smaller than this are shown twice as large


def grid(model: GAN, rng: torch.Generator, held_out: Split) -> Tensor:
    """uint8 [channels, height, width]; call it inside `sampling`."""
    return tiled(ROWS[model.spec.task](model, rng, held_out), scale=2 if model.spec.image_size < LEGIBLE else 1)


def _noise(model: GAN, rng: torch.Generator, held_out: Split) -> list[Tensor]:
    return list(made(model, rng, SIDE * SIDE).split(SIDE))


def _classes(model: GAN, rng: torch.Generator, held_out: Split) -> list[Tensor]:
    """One class a row."""
    rows = min(model.spec.num_labels, MAX_CLASSES)
    labels = torch.arange(rows).repeat_interleave(COLUMNS)
    return list(made(model, rng, len(labels), labels=labels).split(COLUMNS))


def _pairs(model: GAN, rng: torch.Generator, held_out: Split) -> list[Tensor]:
    """Rows: source, fake, target."""
    assert held_out.source is not None
    source, target = _first(held_out.source, COLUMNS), _first(held_out.images, COLUMNS)
    return [source, made(model, rng, len(source), source=source), target]


def _domains(model: GAN, rng: torch.Generator, held_out: Split) -> list[Tensor]:
    """Rows: source, fake, and back; then the same the other way round."""
    assert held_out.source is not None
    rows = []
    for pictures, backward in ((held_out.source, False), (held_out.images, True)):
        first = _first(pictures, COLUMNS)
        fakes = made(model, rng, len(first), source=first, backward=backward)
        rows += [first, fakes, made(model, rng, len(first), source=fakes, backward=not backward)]
    return rows


def _attributes(model: GAN, rng: torch.Generator, held_out: Split) -> list[Tensor]:
    """One picture a row: as it is, then with each attribute turned into its opposite."""
    assert held_out.labels is not None
    source, labels = _first(held_out.images, COLUMNS), held_out.labels[:COLUMNS]
    columns = [source]
    for index in range(model.spec.num_labels):
        turned = [given_attribute(row[None], model.spec.label_names, index, value=float(row[index] < 0.5)) for row in labels]
        columns.append(made(model, rng, len(source), labels=torch.cat(turned), source=source))
    return list(torch.stack(columns, dim=1))


def _first(pictures: Pictures, number: int) -> Tensor:
    return torch.stack([pictures[index] for index in range(min(number, len(pictures)))])


ROWS: Mapping[Task, Callable[[GAN, torch.Generator, Split], list[Tensor]]] = MappingProxyType(
    {"images": _noise, "classes": _classes, "pairs": _pairs, "domains": _domains, "attributes": _attributes}
)
