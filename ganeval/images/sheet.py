"""Contact sheets: pictures of any size as tiles with two lines of text below each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganeval.files import written_at_once

TILE, LINE, GAP = 128, 13, 8  # pixels: side of a tile, height of a line of text, space between
FONT_SIZE = 11
WIDEST_NAME = 21  # letters that fit below a tile

Tile = tuple[Tensor, str, str]  # uint8 [3, height, width], what is said of it, its name


def write_sheet(path: Path, rows: Sequence[Sequence[Tile]]) -> None:
    """Rows of tiles as one PNG. Small pictures are enlarged by whole pixels, large ones are shrunk, none is distorted."""
    columns = max(len(row) for row in rows)
    step_x, step_y = TILE + GAP, TILE + 2 * LINE + GAP
    sheet = Image.new("RGB", (columns * step_x + GAP, len(rows) * step_y + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for row, tiles in enumerate(rows):
        for column, (image, what, name) in enumerate(tiles):
            x, y = GAP + column * step_x, GAP + row * step_y
            picture = _fitted(image)
            sheet.paste(picture, (x + (TILE - picture.width) // 2, y + (TILE - picture.height) // 2))
            draw.text((x, y + TILE), f"{what}\n{_shortened(name)}", fill="black", font=font, spacing=1)
    with written_at_once(path) as file:
        sheet.save(file, "PNG")


def as_picture(image: Tensor) -> Image.Image:
    """Of a uint8 image [3, height, width]."""
    return Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))


def _fitted(image: Tensor) -> Image.Image:
    picture = as_picture(image)
    longest = max(picture.size)
    if longest > TILE:
        return picture.resize((max(1, picture.width * TILE // longest), max(1, picture.height * TILE // longest)), Image.Resampling.LANCZOS)
    times = TILE // longest
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _shortened(text: str) -> str:
    return text if len(text) <= WIDEST_NAME else f"{text[:7]}…{text[-(WIDEST_NAME - 8) :]}"
