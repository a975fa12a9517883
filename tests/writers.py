"""Everything that leaves a file, with what reads it: a version is written, and the version is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from ganeval import FeatureStats
from ganeval.cache.entry import Entry
from ganeval.images.png import write_png
from ganeval.images.seen import Glance
from ganeval.monitor.logs.csv import CSVLog
from ganeval.pages.page import write as write_page
from ganeval.reference import Reference, load_reference
from ganeval.training.checkpoint import load_checkpoint, save_checkpoint
from ganeval.training.run_folder import RunFolder


class Writer(NamedTuple):
    """`write` leaves `name` in a folder, and `read` says which version it is of; it fails where that is not a whole file of one version."""

    name: str
    write: Callable[[Path, int], object]
    read: Callable[[Path], int]


def all_are(values: torch.Tensor) -> int:
    assert (values == values.flatten()[0]).all()
    return int(values.flatten()[0])


def write_checkpoint(folder: Path, version: int) -> None:
    save_checkpoint(folder / "a.pt", {"step": version, "nets": {"w": torch.full((200_000,), float(version))}})


def read_checkpoint(folder: Path) -> int:
    state = load_checkpoint(folder / "a.pt")
    assert all_are(state["nets"]["w"]) == state["step"]
    return int(state["step"])


def write_stats(folder: Path, version: int) -> None:
    rows = torch.rand(200, 128, dtype=torch.float64)
    stats = FeatureStats(100, torch.full((128,), float(version)).double(), rows.T @ rows)
    about: dict[str, object] = {"extractor": "tiny", "convention": "ttur", "preprocessing": "none", "weights_sha256": None, "images": {}}
    Reference(stats=stats, made_with=about).save(folder / "a.npz")


def write_entry(folder: Path, version: int) -> None:
    glance = Glance(np.full(4, version, np.int64), {}, {})
    tensors = {"features": torch.full((4, 20_000), float(version))}
    entry = Entry(network="n", seen={"count": 4}, glance=glance, classes=None, answered=frozenset({"features"}), tensors=tensors)
    entry.write(folder / "s-k.safetensors", "k")


def read_picture(folder: Path) -> int:
    with Image.open(folder / "a.png") as picture:
        return all_are(torch.from_numpy(np.array(picture)))


def read_page(folder: Path) -> int:
    words = (folder / "a.html").read_text().split()
    assert len(words) == 200_000
    assert len(set(words)) == 1
    return int(words[0])


def append_line(folder: Path, version: int) -> None:
    RunFolder(folder).append("losses", {"step": version, "losses": {"g": 0.5}})


def read_lines(folder: Path) -> int:
    """All lines are whole, but for the last one, which the next is written over."""
    *whole, _ = (folder / "losses.jsonl").read_bytes().split(b"\n")
    return [json.loads(line)["step"] for line in whole][-1] if whole else 0


def read_table(folder: Path) -> int:
    lines = (folder / "scores.csv").read_text().splitlines()
    assert lines[0] == "step,fid"
    return int(lines[-1].split(",")[0])


WRITERS = {
    "checkpoint": Writer("a.pt", write_checkpoint, read_checkpoint),
    "stats": Writer("a.npz", write_stats, lambda folder: all_are(load_reference(folder / "a.npz").stats.mean)),
    "cache entry": Writer(
        "s-k.safetensors", write_entry, lambda folder: all_are(Entry.read(folder / "s-k.safetensors", "k").tensors["features"])
    ),
    "picture": Writer(
        "a.png", lambda folder, version: write_png(folder / "a.png", torch.full((3, 300, 300), version, dtype=torch.uint8)), read_picture
    ),
    "page": Writer("a.html", lambda folder, version: write_page(folder / "a.html", f"{version} " * 200_000), read_page),
    "json": Writer(
        "config.json",
        lambda folder, version: RunFolder(folder).write_json("config.json", {"a": [version] * 10_000}),
        lambda folder: all_are(torch.tensor(RunFolder(folder).read_json("config.json")["a"])),
    ),
    "lines": Writer("losses.jsonl", append_line, read_lines),
    "table": Writer("scores.csv", lambda folder, version: CSVLog(folder)(version, {"fid": 1.0}), read_table),
}
