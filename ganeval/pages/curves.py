"""Curves over training steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from ganeval.pages.drawing import BAD, BEST, INK, LINE, drawing

Scale = Literal["linear", "log", "from zero"]

MAX_POINTS = 300  # about one a pixel
MAX_DOTS = 40  # more points than that are a line without dots
LOG_FROM = 10  # ratio of the largest to the smallest value, from which on a linear axis would show little but the largest


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value at a step, NaN for a gap, in a band: of its spread, or of what it is the mean of."""

    step: float
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, step: int, value: float | None, spread: float | None = None) -> Point:
        """None and infinity are gaps too."""
        value = value if value is not None and math.isfinite(value) else math.nan
        spread = spread if spread is not None and math.isfinite(spread) else 0.0
        return cls(step=step, value=value, low=value - spread, high=value + spread)


def curve(
    points: Sequence[Point], *, last_step: int, best: int | None = None, events: Iterable[int] = (), scale: Scale = "linear", label: str
) -> str:
    """SVG of one curve.

    Args:
        points: in order of their steps.
        last_step: where the axis of steps ends; it starts at 0.
        best: the step of the best checkpoint, marked by a diamond.
        events: steps marked by a vertical line.
        scale: of the axis of values; "log" is for what `spans_magnitudes`.
        label: what a screen reader says.
    """
    with drawing(label, width=3.6, height=2.0) as drawn:
        axes = _axes(drawn.figure, last_step, scale)
        for event in sorted(set(events)):
            axes.axvline(event, color=BAD, linewidth=1, linestyle=(0, (3, 2)))
        _draw(axes, _thinned(points), scale)
        marked = [point for point in points if point.step == best]
        axes.plot(
            [point.step for point in marked],
            [point.value for point in marked],
            color=BEST,
            marker="D",
            linestyle="",
            clip_on=False,
            zorder=5,
        )
        if scale == "from zero":
            axes.set_ylim(bottom=0)
    return drawn.svg


def spans_magnitudes(points: Iterable[Point]) -> bool:
    """Whether the values are all positive and far enough apart for a logarithmic axis."""
    values = [point.value for point in points if math.isfinite(point.value)]
    return bool(values) and min(values) > 0 and max(values) > LOG_FROM * min(values)


def _axes(figure: Figure, last_step: int, scale: Scale) -> Axes:
    axes = figure.add_axes((0.13, 0.12, 0.8, 0.83))  # the same for all, so that they stand in line
    axes.patch.set_visible(False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
    axes.set_xlim(0, max(last_step, 1))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=(1, 2, 2.5, 5, 10)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_yscale("log" if scale == "log" else "linear")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6) if scale == "log" else MaxNLocator(5))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.6g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    return axes


def _draw(axes: Axes, points: Sequence[Point], scale: Scale) -> None:
    steps = [point.step for point in points]
    if any(point.high > point.low for point in points):
        floor = min(point.value for point in points if point.value > 0) / 10 if scale == "log" else -math.inf  # a band may reach below 0
        lows, highs = [max(point.low, floor) for point in points], [point.high for point in points]
        axes.fill_between(steps, lows, highs, color=LINE, alpha=0.22, linewidth=0)
    dots = "o" if len(points) <= MAX_DOTS else ""
    axes.plot(steps, [point.value for point in points], color=LINE, linewidth=1.4, marker=dots, markersize=2.5)


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """At most MAX_POINTS, each the mean of neighbors."""
    size = math.ceil(len(points) / MAX_POINTS)
    return [_mean(points[start : start + size]) for start in range(0, len(points), size)] if size > 1 else points


def _mean(points: Sequence[Point]) -> Point:
    step = sum(point.step for point in points) / len(points)
    finite = [point for point in points if math.isfinite(point.value)]
    if not finite:
        return Point(step=step, value=math.nan, low=math.nan, high=math.nan)
    low, high = min(point.low for point in finite), max(point.high for point in finite)
    return Point(step=step, value=sum(point.value for point in finite) / len(finite), low=low, high=high)
