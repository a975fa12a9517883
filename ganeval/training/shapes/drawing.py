"""Factors → pictures: an object on a muted ground, its edges softened over one pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganeval.training.shapes.factors import SHAPES, Factors
from ganeval.training.shapes.outlines import HALF
from ganeval.training.shapes.outlines import SHAPES as OUTLINES

Floats = NDArray[np.float64]
Look = Literal["filled", "outline"]

# Neither black nor white, so that all of them stand out from all grounds, in gray too.
COLORS = np.array([
    (206, 58, 52), (226, 120, 40), (214, 172, 44), (226, 112, 150), (150, 92, 56),  # red, orange, gold, pink, brown
    (70, 150, 70), (36, 156, 148), (84, 164, 214), (56, 92, 196), (136, 84, 190),  # green, teal, sky, blue, violet
])  # fmt: skip
LIGHT = np.array([(236, 232, 222), (214, 226, 232), (222, 232, 214), (234, 220, 224)])
DARK = np.array([(38, 40, 48), (52, 40, 38), (34, 50, 48), (48, 40, 58)])
INK = np.array([(30, 32, 44), (244, 240, 228)])  # of stripes and lines, on a light and on a dark ground
LUMA = np.array([299, 587, 114])  # thousandths (ITU-R BT.601), as Pillow's gray

LINE = 0.1  # width of a drawn outline, where half the picture's side is 1
RIM = 0.07  # width of the outline of what is outlined
PERIOD = 0.36  # of stripes
GRADE = 16.0  # levels from the middle to the edge of a graded ground
WEAVE = 9.0  # levels up and down of a woven ground
BLOCK = 2**16  # pixels drawn at once: their floats stay in a cache


def drawn(factors: Factors, *, size: int, channels: int = 3, look: Look = "filled") -> Tensor:
    """Pictures, uint8 [len(factors), channels, size, size]; the outline is ink on the ground, without the fill."""
    images = np.empty((len(factors), channels, size, size), dtype=np.uint8)
    rows = max(1, BLOCK // size**2)
    for start in range(0, len(factors), rows):
        block = slice(start, start + rows)
        images[block] = _levels(factors[block], size, channels, look)
    return torch.from_numpy(images)


class Drawn:
    """Pictures drawn when they are asked for, the same each time; small enough to be sent to worker processes."""

    def __init__(
        self, factors_of: Callable[[Sequence[int]], Factors], indices: range, *, size: int, channels: int = 3, look: Look = "filled"
    ) -> None:
        self._factors_of = factors_of
        self._indices = indices
        self._size, self._channels, self._look = size, channels, look

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Tensor:
        return self._drawn([self._indices[index]])[0]

    def all(self) -> Tensor:
        """uint8 [num, channels, size, size]; many times faster than one by one."""
        return self._drawn(self._indices)

    def _drawn(self, indices: Sequence[int]) -> Tensor:
        return drawn(self._factors_of(indices), size=self._size, channels=self._channels, look=self._look)


def _levels(factors: Factors, size: int, channels: int, look: Look) -> NDArray[np.uint8]:
    middle = (2.0 * np.arange(size) + 1.0) / size - 1.0  # of each pixel, −1 to 1
    x, y = middle[None, None, :], middle[None, :, None]
    scale = size / 2  # pixels per unit
    distance = _distance(factors, x, y) * scale  # [num, size, size], in pixels
    ground = _tinted(np.where(factors.dark[:, None], DARK[factors.ground], LIGHT[factors.ground]), channels)
    fill = _tinted(COLORS[factors.color], channels)
    ink = _tinted(INK[factors.dark.astype(np.int64)], channels)
    inside = _covered(distance)
    levels = ground + _texture(factors, x, y)[:, None]
    if look == "outline":
        return _rounded(levels + _band(distance, LINE * scale)[:, None] * (ink - levels))
    marked = _upright(factors.striped) * _stripes(factors, x, y, scale)
    marked = np.maximum(marked, _upright(factors.outlined) * _band(distance, RIM * scale))
    return _rounded(levels + inside[:, None] * (fill + marked[:, None] * (ink - fill) - levels))


def _distance(factors: Factors, x: Floats, y: Floats) -> Floats:
    """Signed distance of every pixel to its picture's object, in units of half a side."""
    distance = np.empty((len(factors), y.shape[1], x.shape[2]))
    for shape, name in enumerate(SHAPES):
        those = np.flatnonzero(factors.shape == shape)
        if len(those) == 0:
            continue
        some = factors[those]
        radius, cosine, sine = _upright(some.radius), _upright(some.cosine), _upright(some.sine)
        across, down = (x - _upright(some.x)) / radius, (y - _upright(some.y)) / radius
        distance[those] = OUTLINES[name](cosine * across + sine * down, cosine * down - sine * across) * radius
    return distance


def _stripes(factors: Factors, x: Floats, y: Floats, scale: float) -> Floats:
    """1 on the stripes, 0 between them."""
    along_x = np.array([1.0, 0.0, HALF, HALF])[factors.direction]
    along_y = np.array([0.0, 1.0, HALF, -HALF])[factors.direction]
    turns = (_upright(along_x) * x + _upright(along_y) * y) / PERIOD + _upright(factors.phase)
    return _covered((np.abs(turns - np.floor(turns) - 0.5) - 0.25) * (PERIOD * scale))


def _texture(factors: Factors, x: Floats, y: Floats) -> Floats:
    """Levels to add to the ground, the same in all channels."""
    texture = np.zeros((len(factors), y.shape[1], x.shape[2]))
    graded, woven = np.flatnonzero(factors.texture == 1), np.flatnonzero(factors.texture == 2)
    along_x = np.array([1.0, HALF, 0.0, -HALF, -1.0, -HALF, 0.0, HALF])[factors.slope[graded]]
    along_y = np.array([0.0, HALF, 1.0, HALF, 0.0, -HALF, -1.0, -HALF])[factors.slope[graded]]
    texture[graded] = GRADE * (_upright(along_x) * x + _upright(along_y) * y)
    texture[woven] = WEAVE * _wave(x * 2.0) * _wave(y * 2.0)
    return texture


def _wave(turns: Floats) -> Floats:
    """A triangle wave between −1 and 1."""
    return 4.0 * np.abs(turns - np.floor(turns) - 0.5) - 1.0


def _upright(values: NDArray[Any]) -> NDArray[Any]:
    """One value per picture, to meet pixels [num, size, size]."""
    return values[:, None, None]


def _band(distance: Floats, width: float) -> Floats:
    """How much of a pixel lies on a line along the inner side of an edge."""
    return _covered(np.abs(distance + width / 2) - width / 2)


def _covered(distance: Floats) -> Floats:
    """How much of a pixel lies within an edge that is `distance` pixels from its middle."""
    return np.clip(0.5 - distance, 0.0, 1.0)


def _tinted(colors: NDArray[np.int64], channels: int) -> Floats:
    """Colors [num, 3] as levels [num, channels, 1, 1]."""
    levels = colors if channels == 3 else ((colors * LUMA).sum(axis=1, keepdims=True) + 500) // 1000
    return levels.astype(np.float64)[:, :, None, None]


def _rounded(levels: Floats) -> NDArray[np.uint8]:
    return np.floor(np.clip(levels, 0.0, 255.0) + 0.5).astype(np.uint8)
