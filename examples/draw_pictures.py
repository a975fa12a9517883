"""Draw two folders of pictures to try ganeval on: `real`, and a `fake` that an imperfect generator might have made.

    python examples/draw_pictures.py pictures [--num 512] [--side 64]

Each picture is a few colored shapes on a shaded ground. The fakes come from the same world, a little too blurred, in too few
colors, and now and then twice.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def drawn_picture(seed: int, *, width: int = 64, height: int = 64) -> Image.Image:
    """One RGB picture, the same for the same seed and size."""
    rng = np.random.default_rng(seed)
    shade = np.linspace(rng.uniform(0, 255, 3), rng.uniform(0, 255, 3), height)[:, None, :].repeat(width, axis=1)
    grain = rng.normal(0, 8, (height, width, 3))
    picture = Image.fromarray((shade + grain).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(1, 5)):
        color = tuple(int(level) for level in rng.integers(0, 256, 3))
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        radius = rng.uniform(0.1, 0.35) * min(width, height)
        box = (x - radius, y - radius, x + radius, y + radius)
        match rng.integers(3):
            case 0:
                draw.ellipse(box, fill=color)
            case 1:
                draw.rectangle(box, fill=color)
            case _:
                draw.regular_polygon((x, y, radius), n_sides=3, rotation=int(rng.integers(360)), fill=color)
    return picture


def imperfect(picture: Image.Image) -> Image.Image:
    """The same picture, blurred and with a third of the gray levels."""
    return picture.filter(ImageFilter.GaussianBlur(picture.width / 100)).quantize(24).convert("RGB")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--num", default=512, show_default=True, help="Pictures in each of the two folders.")
@click.option("--side", default=64, show_default=True, help="Width and height in pixels.")
def main(folder: Path, num: int, side: int) -> None:
    for name, first in (("real", 0), ("fake", 1_000_000)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(num):
            seed = first + (i if name == "real" else i - i % 8 // 7)  # every eighth fake repeats the one before it
            picture = drawn_picture(seed, width=side, height=side)
            (imperfect(picture) if name == "fake" else picture).save(folder / name / f"{i:05d}.png")
    click.echo(f"{num} pictures each in {folder / 'real'} and {folder / 'fake'}")


if __name__ == "__main__":
    main()
