"""A folder or zip of pictures.

The folders train and test (or val) on top are the official split; without them one picture in ten is held out. Below them:

| task | layout |
| --- | --- |
| images | any |
| classes | one folder per class |
| attributes | any, and beside the pictures labels.csv or CelebA's list_attr_celeba.txt |
| pairs | strips of two pictures side by side, or two folders with the same file names: A and B, source and target, any two |
| domains | as pairs, with any file names; trainA, trainB, testA, testB too |
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganeval.errors import InputError, printable
from ganeval.training.batch import DataSpec
from ganeval.training.data import Split, TrainingData
from ganeval.training.datasets.attributes import attribute_table
from ganeval.training.datasets.files import Files, Splits, listed, split
from ganeval.training.datasets.pictures import Frame, Part, load
from ganeval.training.datasets.provenance import described, shared_note
from ganeval.training.datasets.request import Request
from ganeval.training.datasets.sides import Sides, sides

MIN_TRAIN, MIN_TEST = 2, 4  # pictures of each side; those to test with are halved, and an FID needs two


def open_folder(path: Path, request: Request, *, name: str | None = None, domains: tuple[str, str] | None = None) -> TrainingData:
    """The data in `path`; `domains` names the sides where their folders do not.

    Raises:
        InputError: nothing there that the task could be learned from.
    """
    files = listed(path)
    name = name or path.absolute().name.removesuffix(".zip")
    if request.task in ("pairs", "domains"):
        return _two_sided(sides(files, request.task), request, name=name, domains=domains)
    splits = split(files)
    if request.task == "classes":
        classes, train_labels, test_labels = _classes(splits)
        return _one_sided(splits, request.spec(label_names=classes), request, name=name, labels=(train_labels, test_labels))
    if request.task == "attributes":
        table = attribute_table(files)
        chosen = request.chosen_attributes(table.names, table.default, where=str(path))
        labels = table.labels(splits.train, chosen), table.labels(splits.test, chosen)
        return _one_sided(splits, request.spec(label_names=chosen), request, name=name, labels=labels)
    return _one_sided(splits, request.spec(), request, name=name)


def one_side(path: Path, request: Request, side: int, *, name: str) -> TrainingData:
    """The pictures of one side of two-sided data, for the task "images"."""
    both = sides(listed(path), "domains")
    splits = Splits(both.train[side], both.test[side], both.how, both.notes)
    return _one_sided(splits, request.spec(), request, name=name, part=both.parts[side])


def _classes(splits: Splits) -> tuple[tuple[str, ...], Tensor, Tensor]:
    names = splits.train.folders()
    if len(names) < 2:
        raise InputError(f"{splits.train.where} has no labels: put its pictures into one folder per class")
    for files in (splits.train, splits.test):
        for file in files.files:
            if "/" not in file.name:
                raise InputError(f"{printable(file.member)} in {files.where} has no label: put it into the folder of its class")
            if file.name.split("/")[0] not in names:
                raise InputError(f"{printable(file.member)} in {files.where} is of a class that no picture to train on is of")
    number = {name: index for index, name in enumerate(names)}
    train, test = (torch.tensor([number[file.name.split("/")[0]] for file in files.files]) for files in (splits.train, splits.test))
    return names, train, test


def _one_sided(
    splits: Splits,
    spec: DataSpec,
    request: Request,
    *,
    name: str,
    labels: tuple[Tensor, Tensor] | tuple[None, None] = (None, None),
    part: Part = "middle",
) -> TrainingData:
    _check_counts(name, splits.train, splits.test)
    train = load(splits.train, [Frame(request.train_size(spec), spec.channels, part)], what=f"{name}, train", progress=request.progress)
    test = load(splits.test, [Frame(spec.image_size, spec.channels, part)], what=f"{name}, test", progress=request.progress)
    return _data(
        name,
        spec,
        request,
        Split(images=train.pictures[0], labels=labels[0]),
        Split(images=test.pictures[0], labels=labels[1]),
        source=splits.train.where,
        how=splits.how,
        notes=[*splits.notes, *shared_note(train.digests, test.digests)],
    )


def _two_sided(both: Sides, request: Request, *, name: str, domains: tuple[str, str] | None) -> TrainingData:
    for side in (0, 1):
        _check_counts(name, both.train[side], both.test[side])
    spec = request.spec(domains=domains or both.names)
    order = (0, 1) if request.direction == "AtoB" else (1, 0)
    halves, digests = [], []
    for what, files, size in (("train", both.train, request.train_size(spec)), ("test", both.test, spec.image_size)):
        frames = [Frame(size, spec.channels, part) for part in both.parts]
        if both.strips:
            loaded = load(files[0], frames, what=f"{name}, {what}", progress=request.progress)
            found, seen = loaded.pictures, loaded.digests
        else:
            each = [
                load(files[side], [frames[side]], what=f"{name}, {what}, {both.names[side]}", progress=request.progress) for side in (0, 1)
            ]
            found, seen = [one.pictures[0] for one in each], each[0].digests | each[1].digests
        halves.append(Split(images=found[order[1]], source=found[order[0]]))
        digests.append(seen)
    notes = [*both.notes, *shared_note(*digests)]
    return _data(name, spec, request, halves[0], halves[1], source=both.train[0].where, how=both.how, notes=notes)


def _data(
    name: str, spec: DataSpec, request: Request, train: Split, test: Split, *, source: Path, how: str, notes: Sequence[str]
) -> TrainingData:
    provenance: dict[str, Any] = described(name, str(source), spec, request, train, test, how=how, notes=notes)
    return TrainingData(name=name, spec=spec, train=train, test=test, provenance=provenance)


def _check_counts(name: str, train: Files, test: Files) -> None:
    for what, files, least in (("train on", train, MIN_TRAIN), ("test with", test, MIN_TEST)):
        if len(files.files) < least:
            raise InputError(f"{name} has {len(files.files)} pictures to {what} in {files.where}; at least {least} are needed")
