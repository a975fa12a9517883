"""The pictures of the documentation, cut from finished runs of `benchmarks/scores.py` (`--out RUNS`, the embedded data, seed 0).

python benchmarks/doc_pictures.py RUNS docs/pictures
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from ganeval.training.datasets import open_data

SHOWN = {
    "gan": (6, 3),
    "dcgan": (6, 3),
    "cgan": (8, 10),
    "lsgan": (6, 3),
    "pix2pix": (8, 3),
    "cyclegan": (4, 6),
    "stargan": (6, 3),
}  # cells
GAP = 2  # pixels between the cells of a grid
STEPS = (0, 300, 1200, 3000)  # of the picture in the README


@click.command()
@click.argument("runs", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(runs: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (columns, rows) in SHOWN.items():
        part(sorted((runs / f"{name}-shapes-0" / "samples").glob("*.png"))[-1], columns, rows).save(folder / f"{name}.png", optimize=True)
    progress(runs / "dcgan-shapes-0", folder / "progress.png")


def part(grid: Path, columns: int, rows: int) -> Image.Image:
    """The upper left cells of a sample grid; cells are of the same size, divided by lines of GAP pixels."""
    picture = Image.open(grid)
    cell = next(side for side in (64, 56) if (picture.width - GAP) % (side + GAP) == 0)  # pictures of 32 or 28, twice as large
    return picture.crop((0, 0, columns * (cell + GAP) + GAP, rows * (cell + GAP) + GAP))


def progress(run: Path, path: Path) -> None:
    """3 × 3 fakes of the same noise at some steps, with the last score until then, and 3 × 3 reals."""
    lines = [json.loads(line) for line in (run / "scores.jsonl").read_text().splitlines()]
    reals = open_data("shapes", task="images", image_size=32).test.images
    nine = [reals[i].permute(1, 2, 0).numpy() for i in range(9)]
    figure, axes = plt.subplots(1, len(STEPS) + 1, figsize=(8.2, 2.25), dpi=80)
    for axis, step in zip(axes, STEPS, strict=False):
        axis.imshow(np.asarray(part(run / "samples" / f"{step:06d}.png", 3, 3)), interpolation="nearest")
        known = [line for line in lines if line["step"] == step]
        axis.set_title(f"step {step:,}" + (f"\nfd_tiny {known[0]['scores']['fd_tiny']['value']:.1f}" if known else "\n"), fontsize=10)
    sheet = np.full((3 * 66 + GAP, 3 * 66 + GAP, 3), 255, np.uint8)
    for i, picture in enumerate(nine):
        y, x = (GAP + 66 * (i // 3), GAP + 66 * (i % 3))
        sheet[y : y + 64, x : x + 64] = picture.repeat(2, axis=0).repeat(2, axis=1)
    axes[-1].imshow(sheet, interpolation="nearest")
    axes[-1].set_title("reals\n", fontsize=10)
    for axis in axes:
        axis.axis("off")
    figure.tight_layout(pad=0.2)
    figure.savefig(path, facecolor="white", bbox_inches="tight", pad_inches=0.06)
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    main()
