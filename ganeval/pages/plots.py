"""Plots of two sets: where their features lie, how precision trades with recall, how sure scores are."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from torch import Tensor

from ganeval.pages.drawing import FAKE, INK, LINE, REAL, drawing

WIDTH = 3.6  # inches of all plots: at the width of a phone their letters are read without zooming


def scatter(real: Tensor, fake: Tensor, *, label: str) -> str:
    """SVG of points [num, 2] in one plane; its axes have no numbers, because only nearness means something."""
    with drawing(label, width=WIDTH, height=WIDTH) as drawn:
        axes = drawn.figure.add_axes((0.02, 0.02, 0.96, 0.96))
        axes.patch.set_visible(False)
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set_alpha(0.25)
        # Squares and circles, for those who see no colors; hollow reals, because fakes are drawn over them.
        axes.plot(*real.round(decimals=4).T.tolist(), color=REAL, marker="o", markersize=2.6, fillstyle="none", mew=0.7, linestyle="")
        axes.plot(*fake.round(decimals=4).T.tolist(), color=FAKE, marker="s", markersize=1.9, mew=0, alpha=0.75, linestyle="")
    return drawn.svg


def trade(recall: Sequence[float], precision: Sequence[float], *, names: tuple[str, str], label: str) -> str:
    """SVG of a curve of precision over recall, both from 0 to 1; `names` are what to call recall and precision."""
    with drawing(label, width=WIDTH, height=WIDTH) as drawn:
        axes = _plain(drawn.figure, (0.15, 0.12, 0.82, 0.85))
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel=names[0], ylabel=names[1])
        axes.fill_between(recall, precision, color=LINE, alpha=0.15, linewidth=0)
        axes.plot(recall, precision, color=LINE, linewidth=1.6, clip_on=False)
    return drawn.svg


def intervals(names: Sequence[str], values: Sequence[tuple[float, float, float]], *, label: str) -> str:
    """SVG of one value a row, from above, each (low, value, high)."""
    with drawing(label, width=WIDTH, height=0.45 + 0.42 * len(names)) as drawn:
        bottom = 0.28 / (0.45 + 0.42 * len(names))
        axes = _plain(drawn.figure, (0.06, bottom, 0.88, 1 - bottom - 0.01))
        axes.set(ylim=(len(names) - 0.5, -0.75), yticks=[])
        axes.spines["left"].set_visible(False)
        for row, (name, (low, value, high)) in enumerate(zip(names, values, strict=True)):
            axes.plot([low, high], [row, row], color=LINE, linewidth=2, alpha=0.45, solid_capstyle="butt")
            axes.plot([value], [row], color=LINE, marker="o", markersize=4, linestyle="")
            axes.annotate(_shortened(name), (0, row), xycoords=("axes fraction", "data"), xytext=(0, 8), textcoords="offset points")
    return drawn.svg


def _plain(figure: Figure, place: tuple[float, float, float, float]) -> Axes:
    axes = figure.add_axes(place)
    axes.patch.set_visible(False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=INK, alpha=0.12, linewidth=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.6g}"))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.6g}"))
    return axes


def _shortened(name: str) -> str:
    return name if len(name) <= 44 else f"…{name[-43:]}"
