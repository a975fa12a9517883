"""The folder of an explanation: contact sheets, a page that shows them, and all numbers as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from ganeval.errors import InputError
from ganeval.explanation import Explanation
from ganeval.files import written_at_once
from ganeval.images.sheet import Tile, picked, write_sheet
from ganeval.metrics import Label

COLUMNS = 6


def write_explanation(explanation: Explanation, folder: Path, *, num_shown: int = 24, skip_bad: bool = False) -> Path:
    """`index.html`, `worst-fakes.png`, `uncovered-reals.png`, `nearest-reals.png`, `influences.csv` and `explanation.json`.

    Returns:
        The page.

    Raises:
        InputError: the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not an empty folder; name a new one")
    folder.mkdir(parents=True, exist_ok=True)
    worst, uncovered = explanation.worst(num_shown), explanation.uncovered(num_shown // 2)
    suspicious = explanation.suspicious(num_shown // 2)
    near = explanation.neighbors
    wanted: dict[Label, list[int]] = {
        "fake": [*worst, *suspicious, *near.nearest_fake[uncovered].tolist()],
        "real": [*uncovered, *near.nearest_real[suspicious].tolist()],
    }
    pictures = {label: picked(explanation.sources[label], positions, skip_bad=skip_bad) for label, positions in wanted.items()}

    def tile(label: Label, position: int, what: str) -> Tile:
        return pictures[label][position], what, explanation.names[label][position].rpartition("/")[2]

    sheets: dict[str, list[Tile]] = {
        "worst-fakes.png": [tile("fake", one, f"{explanation.influences[one]:.3g}") for one in worst],
        "uncovered-reals.png": [
            shown
            for one in uncovered
            for shown in (tile("real", one, f"{near.gap[one]:.2f}"), tile("fake", int(near.nearest_fake[one]), "nearest fake"))
        ],
        "nearest-reals.png": [
            shown
            for one in suspicious
            for shown in (tile("fake", one, f"{near.closeness[one]:.2f}"), tile("real", int(near.nearest_real[one]), "nearest real"))
        ],
    }
    for name, tiles in sheets.items():
        if tiles:
            write_sheet(folder / name, [tiles[start : start + COLUMNS] for start in range(0, len(tiles), COLUMNS)])
    _write(folder / "influences.csv", "".join(_csv(explanation)))
    _write(folder / "explanation.json", json.dumps(summary(explanation), indent=2, ensure_ascii=False) + "\n")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        files("ganeval").joinpath("explanation.html").read_text(encoding="utf-8")
    )
    _write(folder / "index.html", template.render(explanation=explanation, sheets={name for name, tiles in sheets.items() if tiles}))
    return folder / "index.html"


def summary(explanation: Explanation) -> dict[str, Any]:
    """Plain values of the explanation as a whole."""
    near = explanation.neighbors
    return {
        "key": explanation.key,
        "distance": explanation.distance,
        "mean_part": explanation.mean_part,
        "covariance_part": explanation.covariance_part,
        "num_real": len(explanation.names["real"]),
        "num_fake": len(explanation.names["fake"]),
        "uncovered_reals": (near.gap > 1).double().mean().item(),
        "copies": (near.closeness < 1).double().mean().item(),
        "classes": [asdict(one) for one in explanation.classes],
    }


def _csv(explanation: Explanation) -> Iterator[str]:
    """A line for each fake: name, influence, closeness, nearest real."""
    near, lines = explanation.neighbors, io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["fake", "influence", "closeness", "nearest_real"])
    for position, name in enumerate(explanation.names["fake"]):
        nearest = explanation.names["real"][int(near.nearest_real[position])]
        writer.writerow([name, f"{explanation.influences[position]:.6g}", f"{near.closeness[position]:.6g}", nearest])
    yield lines.getvalue()


def _write(path: Path, text: str) -> None:
    with written_at_once(path) as file:
        file.write(text.encode())
