"""Dependencies point one way, and heavy or impure imports stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for folder in ("ganeval", "models/ganeval_models") for path in (ROOT / folder).rglob("*.py"))

# Room → the rooms it may import. A room is a file or a folder of ganeval; what is not listed may be imported by nobody.
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "files": set(),
    "zips": {"files"},
    "npz": {"zips"},
    "progress": {"errors"},
    "resize": set(),
    "report": {"errors", "shape"},
    "conventions": {"errors"},
    "factor": set(),
    "numbers": {"errors"},
    "seeds": {"errors"},
    "shape": set(),
    "stats": {"errors", "factor", "numbers"},
    "machine": {"errors"},
    "memory": set(),
    "halving": {"errors", "memory"},
    "loaders": {"errors"},
    "measured": {"stats"},
    "optional": {"errors"},
    "images": {"errors", "files", "loaders", "npz", "optional", "progress", "zips"},
    "first_look": {"images"},
    "download": {"errors", "files", "progress", "zips"},
    "published": set(),
    "weights": {"download", "errors", "files", "progress", "published", "zips"},
    "catalog": {"download", "errors", "files", "progress"},
    "metrics": {"numbers", "conventions", "errors", "measured", "report", "stats", "seeds"},
    "extractors": {"conventions", "errors", "files", "optional", "progress", "published", "resize", "weights"},
    "pairing": {"errors", "extractors", "halving", "images", "measured", "metrics", "progress"},
    "forward": {"errors", "extractors", "halving", "images", "machine", "measured"},
    "extract": {"extractors", "forward", "images", "measured", "pairing", "progress"},
    "processes": {"errors"},
    "messages": set(),
    "team": {"errors", "machine", "messages", "processes"},
    "parts": {"errors", "extract", "extractors", "images", "measured", "pairing", "team"},
    "shards": {"errors", "images"},
    "reference": {"errors", "extractors", "files", "npz", "shape", "shards", "stats", "zips"},
    "plan": {"errors", "extractors", "measured", "metrics"},
    "side": {"catalog", "errors", "first_look", "images", "measured", "metrics", "plan", "reference", "stats"},
    "cache": {"conventions", "errors", "extractors", "files", "images", "machine", "measured", "progress", "stats"},
    "provenance": {"conventions", "extractors", "first_look", "machine", "metrics", "plan", "side"},
    "comparison": {
        "cache",
        "conventions",
        "errors",
        "extractors",
        "images",
        "machine",
        "measured",
        "metrics",
        "pairing",
        "parts",
        "plan",
        "progress",
        "provenance",
        "reference",
        "report",
        "side",
        "team",
        "weights",
    },
    "path_length": {"errors", "extractors", "machine", "metrics", "progress", "report", "resize", "seeds"},
    "streaming": {
        "cache",
        "conventions",
        "errors",
        "extract",
        "extractors",
        "forward",
        "images",
        "machine",
        "measured",
        "metrics",
        "processes",
        "reference",
        "report",
        "side",
        "stats",
    },
    "generators": {"errors", "files", "halving", "images", "machine", "memory", "optional", "zips"},
    "doctor": {
        "conventions",
        "errors",
        "extract",
        "extractors",
        "images",
        "machine",
        "measured",
        "metrics",
        "progress",
        "resize",
        "stats",
        "seeds",
    },
    "verdict": {"errors", "files", "metrics", "report"},
    "citations": {"errors", "metrics", "report"},
    "explanation": {"comparison", "errors", "extract", "images", "measured", "metrics", "progress", "reference", "stats"},
    "pages": {
        "citations",
        "conventions",
        "disagreement",
        "doctor",
        "errors",
        "explanation",
        "files",
        "images",
        "measured",
        "metrics",
        "report",
        "shape",
        "side",
        "stats",
        "verdict",
    },
    "disagreement": {
        "comparison",
        "conventions",
        "errors",
        "extractors",
        "images",
        "measured",
        "metrics",
        "parts",
        "progress",
        "reference",
        "report",
        "side",
        "stats",
        "team",
    },
    "evaluator": {
        "comparison",
        "conventions",
        "doctor",
        "errors",
        "extractors",
        "files",
        "machine",
        "metrics",
        "pages",
        "plan",
        "progress",
        "reference",
        "report",
        "shards",
        "side",
        "team",
    },
    "monitor": {
        "errors",
        "evaluator",
        "files",
        "machine",
        "metrics",
        "optional",
        "plan",
        "processes",
        "report",
        "seeds",
        "side",
        "training",
    },
    "integrations": {"errors", "generators", "images", "monitor"},
    "training": {
        "conventions",
        "download",
        "errors",
        "evaluator",
        "extract",
        "extractors",
        "files",
        "images",
        "loaders",
        "machine",
        "measured",
        "memory",
        "metrics",
        "pages",
        "path_length",
        "pairing",
        "plan",
        "processes",
        "provenance",
        "progress",
        "report",
        "seeds",
        "shape",
        "side",
        "stats",
        "weights",
        "zips",
    },
    "cli": {
        "cache",
        "catalog",
        "conventions",
        "doctor",
        "errors",
        "evaluator",
        "extractors",
        "files",
        "generators",
        "images",
        "machine",
        "memory",
        "metrics",
        "path_length",
        "progress",
        "reference",
        "report",
        "side",
        "seeds",
        "shards",
        "team",
        "training",
        "verdict",
        "citations",
        "disagreement",
        "explanation",
        "pages",
        "weights",
    },
    "__main__": {"cli"},
    "__init__": {
        "conventions",
        "disagreement",
        "doctor",
        "errors",
        "evaluator",
        "explanation",
        "extractors",
        "generators",
        "images",
        "metrics",
        "monitor",
        "pages",
        "path_length",
        "reference",
        "report",
        "stats",
        "streaming",
        "training",
        "verdict",
    },
}
PURE = {"metrics", "stats", "measured", "resize"}  # tensors and arithmetic only
MODELS_MAY = ("ganeval.training", "ganeval.errors", "ganeval_models.losses", "ganeval_models.blocks", "ganeval_models.foreign")
IMPURE = {"PIL", "torchvision", "click", "rich", "requests", "pathlib", "os", "io", "sys", "random"}


def imports(path: Path) -> set[str]:
    """Full names of all modules that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found |= {f"{module}.{alias.name}" if module in ("ganeval", "torchvision") else module for alias in node.names}
    return found


def room(path: Path) -> str:
    return path.relative_to(ROOT / "ganeval").parts[0].removesuffix(".py")


@pytest.mark.parametrize(
    "path", [file for file in FILES if "ganeval_models" not in file.parts], ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_room_imports_only_the_rooms_its_arrows_point_to(path: Path) -> None:
    reached = {name.split(".")[1] for name in imports(path) if name.startswith("ganeval.")}
    assert reached <= ARROWS[room(path)] | {room(path)}
    assert not any(name.startswith("ganeval_models") for name in imports(path))


def test_arrows_have_no_cycle() -> None:
    order: list[str] = []
    while len(order) < len(ARROWS):
        free = [name for name in ARROWS if name not in order and ARROWS[name] <= set(order)]
        assert free, f"a cycle among {set(ARROWS) - set(order)}"
        order += free


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pictures_are_opened_in_images_and_arithmetic_stays_pure(path: Path) -> None:
    found = imports(path)
    packages = {name.split(".")[0] for name in found}
    where = "models" if "ganeval_models" in path.parts else room(path)
    opens_pictures = where == "images" or "datasets" in path.parts
    if where == "extractors":  # networks, but neither transforms nor datasets
        assert {name for name in found if name.split(".")[0] == "torchvision"} <= {"torchvision.models"}
        packages -= {"torchvision"}
    assert opens_pictures or not packages & {"PIL", "torchvision"}
    assert where not in PURE or not packages & IMPURE


def test_a_model_imports_only_training_and_its_siblings_losses_and_blocks() -> None:
    for path in FILES:
        if "ganeval_models" in path.parts:
            ours = {name for name in imports(path) if name.startswith("ganeval")}
            assert all(name.startswith(MODELS_MAY) for name in ours)


@pytest.mark.parametrize("module", ["ganeval", "ganeval.cli"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    heavy = ("torch", "numpy", "scipy", "PIL", "rich", "jinja2", "matplotlib", "torchvision", "timm", "open_clip", "lpips")
    code = f"import {module}, sys; print([name for name in {heavy} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "[]\n"


def test_scoring_waits_for_nothing_that_it_does_not_use() -> None:
    slow = ("torchvision", "scipy.stats", "matplotlib", "jinja2", "timm", "open_clip")
    code = f"import ganeval.evaluator, sys; print([name for name in {slow} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "[]\n"
