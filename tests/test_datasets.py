"""Data to train on, by name: the drawn ones, and what is said of names and options that cannot be."""

from __future__ import annotations

import pytest
import torch

from ganeval.errors import InputError
from ganeval.training.batch import Task
from ganeval.training.data import Stored, stacked
from ganeval.training.datasets import names, open_data
from ganeval.training.shapes import ATTRIBUTES, SHAPES, drawn, factors


@pytest.mark.parametrize("task", ["images", "classes", "pairs", "domains", "attributes"])
def test_shapes_serve_every_task(task: Task) -> None:
    data = open_data("shapes", task=task, image_size=8, enlarge=1.25)
    assert (data.spec.task, data.spec.image_size, data.spec.channels) == (task, 8, 3)
    for split, size, num in ((data.train, 10, 20_000), (data.test, 8, 4_000)):
        sides = [split.images] if split.source is None else [split.images, split.source]
        assert len(sides) == (2 if task in ("pairs", "domains") else 1)
        for side in sides:
            assert len(side) == num
            assert side[0].shape == (3, size, size)
            assert side[0].dtype == torch.uint8
    if task == "classes":
        assert data.spec.label_names == SHAPES
        assert data.train.labels is not None
        assert data.train.labels.dtype == torch.int64
    elif task == "attributes":
        assert data.spec.label_names == ATTRIBUTES
        assert data.train.labels is not None
        assert data.train.labels.dtype == torch.float32
        assert data.train.labels.shape == (20_000, 5)
    else:
        assert data.train.labels is None


def test_shapes_are_those_of_their_factors_and_of_the_seed() -> None:
    data = open_data("shapes", task="attributes", image_size=12, channels=1, attributes=["dark", "large"], seed=4)
    found = factors(range(4_000), seed=4, split="test", task="attributes")
    assert torch.equal(stacked(data.test.images), drawn(found, size=12, channels=1))
    assert data.test.labels is not None
    assert data.test.labels.tolist() == found.attributes[:, [3, 1]].astype(float).tolist()
    assert data.provenance["seed"] == 4


def test_large_shapes_are_drawn_when_asked_for_and_directions_swap_them() -> None:
    forward, back = (open_data("shapes", task="pairs", image_size=256, direction=direction) for direction in ("AtoB", "BtoA"))
    assert not isinstance(forward.train.images, Stored)
    assert forward.train.source is not None
    assert torch.equal(forward.train.source[7], back.train.images[7])
    assert forward.spec.domains == ("outline", "filled")
    assert back.spec.domains == ("filled", "outline")


@pytest.mark.parametrize(
    ("source", "task", "message"),
    [
        ("mnsit", "images", "did you mean mnist"),
        ("cifar-10", "images", "did you mean cifar10"),
        ("no/such/folder", "images", "does not exist"),
        ("", "images", "empty"),
        ("mnist", "pairs", "mnist serves images and classes, not pairs"),
        ("horse2zebra", "pairs", "shapes, facades, maps do"),
        (".", "dreams", "no task is called 'dreams'"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(source: str, task: Task, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_data(source, task=task)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "0×0 pixels"),
        ({"channels": 2}, "got 2"),
        ({"enlarge": 0.5}, "got 0.5"),
        ({"attributes": ["Male"]}, "for the task 'images'"),
        ({"direction": "AtoC"}, "got 'AtoC'"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_data("shapes", task="images", **options)  # type: ignore[arg-type]


def test_all_names_say_what_they_serve() -> None:
    assert list(names()) == ["shapes", "mnist", "fashion-mnist", "cifar10", "celeba", "facades", "maps", "horse2zebra"]
    assert all(known.about and known.tasks for known in names().values())
