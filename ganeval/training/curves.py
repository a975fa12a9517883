"""Curves over training steps as SVG text that takes its colors and its font from the page around it."""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

Scale = Literal["linear", "log", "from zero"]

MAX_POINTS = 300  # about one a pixel
MAX_DOTS = 40  # more points than that are a line without dots
LOG_FROM = 10  # ratio of the largest to the smallest value, from which on a linear axis would show little but the largest
INK, LINE, BEST, BAD = "#010203", "#010204", "#010205", "#010206"  # stand-ins, used for nothing else
COLORS = {INK: "currentColor", LINE: "var(--line)", BEST: "var(--best)", BAD: "var(--bad)"}
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.edgecolor": INK,
}


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
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # no style of the caller's, whose settings come back after the block
        matplotlib.rcParams.update({**STYLE, "svg.hashsalt": label})  # or ids would be random
        figure = Figure(figsize=(3.6, 2.0))
        FigureCanvasSVG(figure)
        axes = _axes(figure, last_step, scale)
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
        return _inline(figure, label)


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


def _inline(figure: Figure, label: str) -> str:
    """The <svg> element alone, as wide as its place, without the ids that nothing refers to."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    opening, _, content = file.getvalue().partition("<svg")[2].partition(">")
    content = re.sub(r'<g id="[^"]*"', "<g", content)
    for stand_in, color in COLORS.items():
        content = content.replace(stand_in, color)
    box = re.search(r'viewBox="([\d. ]+)"', opening)
    assert box is not None
    return f'<svg viewBox="{box[1]}" role="img" aria-label="{html.escape(label)}">{content.strip()}'
