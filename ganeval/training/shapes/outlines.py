"""Ten shapes, each as its signed distance: negative inside, within a circle of radius 1.1, y downwards.

Only + − × ÷, square roots, minima and maxima, which every machine rounds alike. Where edges meet at a corner the distance outside is a
little too short; nobody looks there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HALF = 0.7071067811865476  # √½
# Cosine and sine of 0, 72, 144, 216 and 288 degrees.
FIFTHS = (
    (1.0, 0.0),
    (0.30901699437494745, 0.9510565162951535),
    (-0.8090169943749475, 0.5877852522924731),
    (-0.8090169943749475, -0.5877852522924731),
    (0.30901699437494745, -0.9510565162951535),
)


def _circle(x: Floats, y: Floats) -> Floats:
    return np.sqrt(x * x + y * y) - 0.86


def _ring(x: Floats, y: Floats) -> Floats:
    return np.abs(np.sqrt(x * x + y * y) - 0.7) - 0.25


def _crescent(x: Floats, y: Floats) -> Floats:
    x = x + 0.1
    bitten = x - 0.5
    return np.maximum(np.sqrt(x * x + y * y) - 0.94, 0.72 - np.sqrt(bitten * bitten + y * y))


def _square(x: Floats, y: Floats) -> Floats:
    return np.maximum(np.abs(x), np.abs(y)) - 0.72


def _pill(x: Floats, y: Floats) -> Floats:
    beyond = np.maximum(np.abs(x) - 0.55, 0)
    return np.sqrt(beyond * beyond + y * y) - 0.42


def _triangle(x: Floats, y: Floats) -> Floats:
    return np.maximum(y, np.abs(x) * 0.8660254037844386 - y * 0.5) - 0.5


def _star(x: Floats, y: Floats) -> Floats:
    """A pentagram: what at least four of the five sides of a pentagon have on their inner side."""
    largest = second = np.full_like(x, -np.inf)
    for cosine, sine in FIFTHS:
        side = cosine * x + sine * y
        second = np.maximum(second, np.minimum(largest, side))
        largest = np.maximum(largest, side)
    return second - 0.339


def _cross(x: Floats, y: Floats) -> Floats:
    x, y = np.abs(x), np.abs(y)
    return np.minimum(np.maximum(x - 0.93, y - 0.29), np.maximum(x - 0.29, y - 0.93))


def _heart(x: Floats, y: Floats) -> Floats:
    """A square that stands on its corner, and a disk on each of its upper edges."""
    x = np.abs(x)
    square = np.maximum(np.abs((x + y) * HALF - 0.147), np.abs((y - x) * HALF - 0.147)) - 0.525
    across, up = x - 0.37123, y + 0.16334
    return np.minimum(square, np.sqrt(across * across + up * up) - 0.525)


def _arrow(x: Floats, y: Floats) -> Floats:
    y = np.abs(y)
    head = np.maximum(0.05 - x, x * 0.64 + y * 0.76837490849194 - 0.62)
    shaft = np.maximum(np.abs(x + 0.35) - 0.6, y - 0.24)
    return np.minimum(head, shaft)


SHAPES: Mapping[str, Callable[[Floats, Floats], Floats]] = MappingProxyType({
    "circle": _circle,
    "ring": _ring,
    "crescent": _crescent,
    "square": _square,
    "pill": _pill,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "heart": _heart,
    "arrow": _arrow,
})  # fmt: skip
