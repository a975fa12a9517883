"""What is in a picture of the world of shapes: a few factors, each a hash of (seed, split, index).

Counters are hashed instead of a generator's state advanced, so that picture 12,345 needs no other picture, and in integers, so that
no machine rounds differently.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganeval.training.batch import Task
from ganeval.training.shapes.outlines import SHAPES as OUTLINES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bits = NDArray[np.uint64]

SHAPES = tuple(OUTLINES)
ATTRIBUTES = ("striped", "large", "warm", "dark", "outlined")
NUM_WARM = 5  # of the ten colors, the first
SMALL, LARGE = (0.5, 0.6), (0.74, 0.84)  # radii, where half the picture's side is 1
REACH = 1.1  # the farthest corner of a shape of radius 1
MARGIN = 0.97  # where corners stay within
SIXTEENTH = 0.19891236737965800  # tan(π/16), of a turn by a sixteenth
SPLITS = {"train": 0, "test": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """Ground truth of some pictures, an entry for each."""

    shape: Ints  # into SHAPES
    color: Ints  # 0 to 9, into the ten colors; the first five are warm
    striped: Bools
    direction: Ints  # of stripes, 0 to 3: upright, lying, rising, falling
    phase: Floats  # of stripes, [0, 1)
    large: Bools
    radius: Floats
    x: Floats  # of the center, −1 to 1
    y: Floats
    cosine: Floats  # of the rotation
    sine: Floats
    dark: Bools  # the ground
    ground: Ints  # 0 to 3, into the light or the dark grounds
    texture: Ints  # of the ground, 0 to 2: flat, graded, woven
    slope: Ints  # of a graded ground, 0 to 7: towards the right, and on by eighths
    outlined: Bools

    def __len__(self) -> int:
        return len(self.shape)

    def __getitem__(self, which: Any) -> Factors:
        """Those of some of the pictures."""
        return Factors(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    @property
    def attributes(self) -> Bools:
        """[num, 5], in the order of ATTRIBUTES."""
        return np.stack([self.striped, self.large, self.color < NUM_WARM, self.dark, self.outlined], axis=1)


def factors(indices: Any, *, seed: int = 0, split: Literal["train", "test"] = "train", task: Task = "images") -> Factors:
    """The factors of the pictures `indices`; what they are among depends on the task.

    | task | differs from independent, uniform factors |
    | --- | --- |
    | images, classes | plain, and upright to a sixteenth of a turn: what a small net can learn in minutes |
    | pairs | plain on a light ground, each shape in its own color: the outline tells the picture |
    | domains | those of even index plain, those of odd index striped; none outlined |
    | attributes | nothing |
    """
    numbers = np.asarray(indices, dtype=np.uint64)
    draw = _Hash(numbers, seed, SPLITS[split])
    large = draw.below(2, 0) == 1
    smallest, largest = np.where(large, LARGE[0], SMALL[0]), np.where(large, LARGE[1], SMALL[1])
    radius = smallest + (largest - smallest) * draw.unit(1)
    cosine, sine = _direction(draw.unit(2), draw.below(8, 3))
    everything = Factors(
        shape=draw.below(len(SHAPES), 4),
        color=draw.below(2 * NUM_WARM, 5),
        striped=draw.below(2, 6) == 1,
        direction=draw.below(4, 7),
        phase=draw.unit(8),
        large=large,
        radius=radius,
        x=(2 * draw.unit(9) - 1) * (MARGIN - REACH * radius),
        y=(2 * draw.unit(10) - 1) * (MARGIN - REACH * radius),
        cosine=cosine,
        sine=sine,
        dark=draw.below(2, 11) == 1,
        ground=draw.below(4, 12),
        texture=draw.below(3, 13),
        slope=draw.below(8, 14),
        outlined=draw.below(2, 15) == 1,
    )
    none = np.zeros(len(large), dtype=np.bool_)
    if task == "attributes":
        return everything
    if task == "domains":
        return replace(everything, striped=numbers % np.uint64(2) == 1, outlined=none)
    plain = replace(everything, striped=none, outlined=none)
    if task == "pairs":
        return replace(plain, dark=none, color=everything.shape)
    cosine, sine = _turned((2 * draw.unit(2) - 1) * SIXTEENTH)
    return replace(plain, cosine=cosine, sine=sine)


def _direction(fraction: Floats, eighth: Ints) -> tuple[Floats, Floats]:
    """Cosine and sine of an angle: `eighth` of a turn and about `fraction` of the next.

    By the rational points of the circle, t ↦ ((1 − t²) / (1 + t²), 2t / (1 + t²)): no two libraries agree on every bit of cos.
    """
    cosine, sine = _turned(fraction * 0.41421356237309503)  # tan(π/8), where an eighth ends
    half = 0.7071067811865476
    diagonal = eighth % 2 == 1
    cosine, sine = np.where(diagonal, (cosine - sine) * half, cosine), np.where(diagonal, (cosine + sine) * half, sine)
    quarter = eighth // 2
    turns = [quarter == 0, quarter == 1, quarter == 2, quarter == 3]
    return np.select(turns, [cosine, -sine, -cosine, sine]), np.select(turns, [sine, cosine, -sine, -cosine])


def _turned(t: Floats) -> tuple[Floats, Floats]:
    return (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)


class _Hash:
    """Numbers for each of some pictures, by which of its factors they are for."""

    def __init__(self, indices: Bits, seed: int, split: int) -> None:
        stream = _mixed(_mixed(np.array([seed % 2**64], dtype=np.uint64)) + np.uint64(split))
        self._state = _mixed(stream + indices)

    def bits(self, factor: int) -> Bits:
        return _mixed(self._state + np.array([factor + 1], dtype=np.uint64) * GOLDEN)

    def below(self, limit: int, factor: int) -> Ints:
        """0 to limit − 1."""
        high: Bits = (self.bits(factor) >> np.uint64(32)) * np.uint64(limit) >> np.uint64(32)
        return high.astype(np.int64)

    def unit(self, factor: int) -> Floats:
        """In [0, 1)."""
        fraction: Floats = (self.bits(factor) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return fraction


GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mixed(z: Bits) -> Bits:
    """The finalizer of SplitMix64 (Steele et al. 2014), one step on. Arrays of uint64 wrap around in silence."""
    z = z + GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Bits = z ^ (z >> np.uint64(31))
    return mixed
