"""The folder of an explanation: contact sheets, a page that shows them, and all numbers as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ganeval.errors import InputError
from ganeval.explanation import Explanation
from ganeval.images.chosen import Chosen, chosen
from ganeval.images.sheet import write_sheet
from ganeval.metrics import Label
from ganeval.pages.language import language
from ganeval.pages.page import rendered, write
from ganeval.pages.view import Tile

COLUMNS = 6  # of a contact sheet

Shown = tuple[Chosen, str]  # a picture, and what is said of it


def write_explanation(explanation: Explanation, folder: Path, *, num_shown: int = 24, lang: str = "en") -> Path:
    """`index.html`, `worst-fakes.png`, `uncovered-reals.png`, `nearest-reals.png`, `influences.csv` and `explanation.json`.

    Returns:
        The page.

    Raises:
        InputError: the folder holds something already, or there is no such language.
    """
    language(lang)
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
    found = {label: chosen(explanation.sources[label], wanted[label], num_skipped=explanation.num_skipped[label]) for label in wanted}

    def shown(label: Label, position: Any, what: str) -> Shown:
        return Chosen(found[label][int(position)].image, explanation.names[label][int(position)]), what

    of_worst = [shown("fake", one, f"{explanation.influences[one]:.3g}") for one in worst]
    of_uncovered = [
        (shown("real", one, f"{near.gap[one]:.2f}"), shown("fake", near.nearest_fake[one], "nearest fake")) for one in uncovered
    ]
    of_suspicious = [
        (shown("fake", one, f"{near.closeness[one]:.2f}"), shown("real", near.nearest_real[one], "nearest real")) for one in suspicious
    ]
    sheets = {
        "worst-fakes.png": of_worst,
        "uncovered-reals.png": [one for couple in of_uncovered for one in couple],
        "nearest-reals.png": [one for couple in of_suspicious for one in couple],
    }
    sheets = {name: tiles for name, tiles in sheets.items() if tiles}
    for name, tiles in sheets.items():
        on_sheet = [(one.image, what, one.name.rpartition("/")[2]) for one, what in tiles]
        write_sheet(folder / name, [on_sheet[start : start + COLUMNS] for start in range(0, len(tiles), COLUMNS)])
    write(folder / "influences.csv", "".join(_csv(explanation)))
    write(folder / "explanation.json", json.dumps(summary(explanation), indent=2, ensure_ascii=False) + "\n")
    text = rendered(
        "explained.html",
        lang,
        explanation=explanation,
        about=summary(explanation),
        worst=[Tile(*one) for one in of_worst],
        uncovered=[[Tile(*one) for one in couple] for couple in of_uncovered],
        suspicious=[[Tile(*one) for one in couple] for couple in of_suspicious],
        files=[*sheets, "influences.csv", "explanation.json"],
    )
    return write(folder / "index.html", text)


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
