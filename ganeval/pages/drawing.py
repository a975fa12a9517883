"""Drawings as SVG text that takes its colors and its font from the page around it."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Stand-ins, used for nothing else.
INK, LINE, BEST, BAD, REAL, FAKE = "#010203", "#010204", "#010205", "#010206", "#010207", "#010208"
COLORS = {
    INK: "currentColor",
    LINE: "var(--line)",
    BEST: "var(--best)",
    BAD: "var(--bad)",
    REAL: "var(--real)",
    FAKE: "var(--fake)",
}
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "svg.fonttype": "none",
    "text.parse_math": False,  # names of files may have dollar signs
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
}


@dataclass
class Drawn:
    figure: Figure
    svg: str = ""  # once the block of `drawing` has ended


@contextmanager
def drawing(label: str, *, width: float, height: float) -> Iterator[Drawn]:
    """An empty figure, in inches, to be drawn in the block; `label` is what a screen reader says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # no style of the caller's, whose settings come back after the block
        matplotlib.rcParams.update({**STYLE, "svg.hashsalt": label})  # or ids would be random
        drawn = Drawn(Figure(figsize=(width, height)))
        FigureCanvasSVG(drawn.figure)
        yield drawn
        drawn.svg = _inline(drawn.figure, label)


def _inline(figure: Figure, label: str) -> str:
    """The <svg> element alone, as wide as its place, without the ids that nothing refers to."""
    file = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # of a name: letters are left to the browser, which has more fonts
        figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    opening, _, content = file.getvalue().partition("<svg")[2].partition(">")
    content = re.sub(r'<g id="[^"]*"', "<g", content)
    for stand_in, color in COLORS.items():
        content = content.replace(stand_in, color)
    box = re.search(r'viewBox="([\d. ]+)"', opening)
    assert box is not None
    return f'<svg viewBox="{box[1]}" role="img" aria-label="{html.escape(label)}">{content.strip()}'
