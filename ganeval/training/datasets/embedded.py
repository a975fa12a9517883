"""The data that come with ganeval: the world of shapes, which needs no download."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor

from ganeval.training.batch import DataSpec
from ganeval.training.data import Pictures, Split, Stored, TrainingData
from ganeval.training.datasets.provenance import described
from ganeval.training.datasets.request import Request
from ganeval.training.shapes import ATTRIBUTES, SHAPES, Drawn, factors

WORLD = 1  # goes up when the same factors look different
COUNTS = {"train": 20_000, "test": 4_000}  # of each domain where there are two
STORED_BYTES = 2**29  # pictures of up to this size are drawn ahead


def open_shapes(request: Request) -> TrainingData:
    """One object per picture, on a muted ground, seen by what the task is about.

    | task | pictures |
    | --- | --- |
    | classes | labelled by the shape |
    | pairs | from the outline to the picture |
    | domains | plain objects and striped ones |
    | attributes | striped, large, warm (in color), dark (in its ground), outlined |
    """
    names = request.chosen_attributes(ATTRIBUTES, ATTRIBUTES, where="shapes") if request.task == "attributes" else ()
    spec = request.spec(
        label_names=SHAPES if request.task == "classes" else names,
        domains={"pairs": ("outline", "filled"), "domains": ("plain", "striped")}.get(request.task, ("source", "target")),
    )
    train = _split("train", spec, request, size=request.train_size(spec))
    test = _split("test", spec, request, size=spec.image_size)
    provenance = described("shapes", "drawn by ganeval", spec, request, train, test, how="by stream of random numbers")
    return TrainingData(name="shapes", spec=spec, train=train, test=test, provenance={**provenance, "world": WORLD, "seed": request.seed})


def _split(split: Literal["train", "test"], spec: DataSpec, request: Request, *, size: int) -> Split:
    num = COUNTS[split]
    factors_of = partial(factors, seed=request.seed, split=split, task=spec.task)
    swapped = request.direction == "BtoA"

    def pictures(indices: range, look: Literal["filled", "outline"] = "filled") -> Pictures:
        drawn = Drawn(factors_of, indices, size=size, channels=spec.channels, look=look)
        return Stored(drawn.all()) if len(drawn) * spec.channels * size**2 <= STORED_BYTES else drawn

    if spec.task in ("pairs", "domains"):
        if spec.task == "pairs":
            sides = pictures(range(num), "outline"), pictures(range(num))
        else:
            sides = pictures(range(0, 2 * num, 2)), pictures(range(1, 2 * num, 2))
        source, images = reversed(sides) if swapped else sides
        return Split(images=images, source=source)
    labels: Tensor | None = None
    if spec.task == "classes":
        labels = torch.from_numpy(factors_of(range(num)).shape)
    elif spec.task == "attributes":
        columns = [ATTRIBUTES.index(name) for name in spec.label_names]
        labels = torch.from_numpy(factors_of(range(num)).attributes[:, columns]).float()
    return Split(images=pictures(range(num)), labels=labels)
