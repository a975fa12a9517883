"""The world of shapes: the same everywhere, as its factors say, and rich enough."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganeval.training.batch import Task
from ganeval.training.shapes import ATTRIBUTES, SHAPES, Drawn, Factors, drawn, factors
from ganeval.training.shapes.factors import REACH
from ganeval.training.shapes.outlines import SHAPES as OUTLINES

# sha256 of the first 64 pictures, bytes in order: python -c "import hashlib; from ganeval.training.shapes import *;
# print(hashlib.sha256(drawn(factors(range(64), task='images'), size=28, channels=1).numpy().tobytes()).hexdigest())"
GOLDEN: dict[tuple[Task, int, int], str] = {
    ("images", 28, 1): "4f7012f0088dd47770c479b59be97a5caf1038fbd06c1ec9c2a861f230aa5f29",
    ("images", 32, 3): "580b09994a11eb65b2d0a21430ec6c8516d512af2b94cb92137e336ee23f606a",
    ("images", 64, 3): "5481e4fbcf51cb0a4fc8fe658b538d4f9a6c090093bbe5b5f3ae874e8d2def8c",
    ("pairs", 32, 3): "c3b672c00feb27bced521b2fac0744c01a47fddd8c356d3048827d8024adcf3b",
    ("domains", 32, 3): "dcea9f0adc8a903e4119eef5f1ca40f62e9a329dd8494feff272a392f67fb78c",
    ("attributes", 32, 3): "6ed77dfd973f3f2da34c6e328f5c9dc330c5b928e852350100d6f217dd4bab19",
}  # fmt: skip


@pytest.mark.parametrize(("task", "size", "channels"), GOLDEN)
def test_the_first_pictures_are_the_same_on_every_machine(task: Task, size: int, channels: int) -> None:
    images = drawn(factors(range(64), task=task), size=size, channels=channels)
    assert hashlib.sha256(images.numpy().tobytes()).hexdigest() == GOLDEN[task, size, channels]


@given(index=st.integers(0, 2**40), before=st.integers(0, 5), seed=st.integers(-(2**63), 2**64 - 1))
def test_a_picture_does_not_depend_on_those_drawn_with_it(index: int, before: int, seed: int) -> None:
    alone = drawn(factors([index], seed=seed), size=16)
    among = drawn(factors(range(max(0, index - before), index + 3), seed=seed), size=16)
    assert torch.equal(alone[0], among[min(before, index)])


def test_splits_and_seeds_are_other_pictures() -> None:
    streams = [factors(range(500)), factors(range(500), split="test"), factors(range(500), seed=1)]
    pictures = [{image.numpy().tobytes() for image in drawn(stream, size=28)} for stream in streams]
    assert [len(stream) for stream in pictures] == [500, 500, 500]
    assert len(set.union(*pictures)) == 1500


def test_factors_are_uniform_and_attributes_independent() -> None:
    found = factors(range(20_000), task="attributes")
    uniform = {"shape": 10, "color": 10, "direction": 4, "ground": 4, "texture": 3, "slope": 8}
    for name, num in uniform.items():
        values = getattr(found, name)
        shares = np.bincount(values, minlength=num) / len(values)
        assert np.abs(shares - 1 / num).max() < 0.015
    together = np.corrcoef(found.attributes.T.astype(float))
    assert np.abs(together - np.eye(len(ATTRIBUTES))).max() < 0.03
    assert np.abs(found.attributes.mean(axis=0) - 0.5).max() < 0.02


@pytest.mark.parametrize("task", ["pairs", "domains", "attributes"])
def test_rotations_go_all_around(task: Task) -> None:
    found = factors(range(20_000), task=task)
    assert np.abs(found.cosine**2 + found.sine**2 - 1).max() < 1e-15
    eighths = np.floor(np.arctan2(found.sine, found.cosine) / (np.pi / 4)).astype(int) % 8
    assert np.abs(np.bincount(eighths) / 20_000 - 1 / 8).max() < 0.01


@pytest.mark.parametrize("task", ["images", "classes"])
def test_where_only_noise_or_a_class_is_given_shapes_are_plain_and_upright_to_a_sixteenth_of_a_turn(task: Task) -> None:
    found = factors(range(20_000), task=task)
    assert np.abs(found.cosine**2 + found.sine**2 - 1).max() < 1e-15
    sixteenths = np.arctan2(found.sine, found.cosine) / (np.pi / 8)
    assert 0.99 < sixteenths.max() < 1
    assert -1 < sixteenths.min() < -0.99
    assert not found.striped.any()
    assert not found.outlined.any()


def test_pictures_of_a_class_are_of_its_shape_alone() -> None:
    found = factors(range(400))
    upright = replace(found, cosine=np.ones(400), sine=np.zeros(400), x=np.zeros(400), y=np.zeros(400), radius=np.full(400, 0.8))
    plain = replace(upright, color=np.zeros(400, int), striped=np.zeros(400, bool), dark=np.zeros(400, bool))
    images = drawn(replace(plain, ground=np.zeros(400, int), texture=np.zeros(400, int)), size=28, channels=1)
    assert len({image.numpy().tobytes() for image in images}) == len(SHAPES)
    for shape in range(len(SHAPES)):
        assert len({image.numpy().tobytes() for image in images[torch.from_numpy(found.shape == shape)]}) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_leaves_its_circle_nor_the_circle_the_picture(shape: str) -> None:
    x, y = np.meshgrid(np.linspace(-2, 2, 801), np.linspace(-2, 2, 801))
    inside = OUTLINES[shape](x, y) < 0
    assert (x**2 + y**2)[inside].max() < REACH**2
    assert 0.3 < inside.mean() * 16 < 3  # its area
    found = factors(range(1_000), task="attributes")
    assert (np.maximum(np.abs(found.x), np.abs(found.y)) + REACH * found.radius).max() < 1


def test_a_large_picture_is_the_small_one_in_more_detail() -> None:
    found = factors(range(100))
    large, small = drawn(found, size=64).float(), drawn(found, size=32).float()
    assert (torch.nn.functional.avg_pool2d(large, 2) - small).abs().mean() < 3.0


def test_gray_is_the_luma_of_color() -> None:
    found = factors(range(100))
    color, gray = drawn(found, size=32).float(), drawn(found, size=32, channels=1).float()
    luma = 0.299 * color[:, :1] + 0.587 * color[:, 1:2] + 0.114 * color[:, 2:]
    assert (luma - gray).abs().max() < 2.5  # the ground's texture may be clipped in one channel


def test_an_outline_tells_the_picture() -> None:
    found = factors(range(200), task="pairs")
    assert np.array_equal(found.color, found.shape)
    outline, filled = drawn(found, size=32, look="outline").int(), drawn(found, size=32).int()
    beyond = ~_object(found, 32)[:, None].expand_as(filled)
    assert (outline - filled)[beyond].abs().max() <= 2  # a pixel that the object covers by a hundredth
    assert (outline != filled).any(dim=3).any(dim=2).any(dim=1).all()


def test_domains_are_plain_and_striped() -> None:
    striped = factors(range(100), task="domains").striped
    assert striped[1::2].all()
    assert not striped[::2].any()


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_an_attribute_can_be_seen(attribute: str) -> None:
    """With all else alike, what has it differs from what has not by more than a few pixels."""
    found = factors(range(200), task="attributes")
    ones, zeros = np.ones(200, dtype=bool), np.zeros(200, dtype=bool)
    changed: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "striped": ({"striped": ones}, {"striped": zeros}),
        "large": ({"radius": np.full(200, 0.74)}, {"radius": np.full(200, 0.6)}),
        "warm": ({"color": found.color % 5}, {"color": found.color % 5 + 5}),
        "dark": ({"dark": ones}, {"dark": zeros}),
        "outlined": ({"outlined": ones}, {"outlined": zeros}),
    }
    with_it, without = (drawn(replace(found, **change), size=32).float() for change in changed[attribute])
    apart = (with_it - without).abs().amax(dim=1) > 30
    assert apart.float().mean(dim=(1, 2)).quantile(0.1) > 0.01
    assert {"warm": (with_it - without)[:, 0].mean() > 0, "dark": with_it.mean() < without.mean()}.get(attribute, True)


@pytest.mark.parametrize("task", ["images", "attributes"])
def test_lazy_pictures_are_those_drawn_together_also_in_another_process(task: Task) -> None:
    lazy = Drawn(partial(factors, seed=3, split="test", task=task), range(5, 50, 3), size=20, channels=1)
    again = pickle.loads(pickle.dumps(lazy))
    assert torch.equal(torch.stack([again[index] for index in range(len(again))]), lazy.all())
    assert len(lazy) == 15
    with pytest.raises(IndexError):
        lazy[15]


def _object(found: Factors, size: int) -> Tensor:
    """bool [num, size, size]: what changes with the color of the object."""
    one, other = (drawn(replace(found, color=np.full(len(found), color)), size=size) for color in (0, 8))
    return (one != other).any(dim=1)
