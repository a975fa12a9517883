"""One encoded picture → one uint8 RGB image. Every color mode has one stated conversion, the one that peers use too.

| picture | becomes |
| --- | --- |
| gray, palette, black-and-white | RGB by Pillow's convert |
| CMYK, YCbCr, HSV | RGB by Pillow's convert, without color profile |
| alpha, transparency | dropped, the color below it stays; reported |
| 16 bits a channel | the high byte (65535 → 255): scaled, not clipped |
| signed or 32-bit integer or float gray, LAB | refused: no known range or conversion |
| EXIF rotation | not applied; reported |
| rotation by TIFF's own tag | applied, as Pillow does; reported |
| several frames | the first; reported |
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ganeval.errors import shortened
from ganeval.images.batch import MIN_SIDE
from ganeval.images.seen import pixel_digest

EXTENSIONS = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff",
    ".pbm", ".pgm", ".ppm", ".pnm", ".jp2", ".j2k", ".jpx", ".avif", ".tga", ".qoi",
})  # fmt: skip
# What may be behind those names. A short list on purpose: Pillow's others start programs (EPS) or are no pictures (PDF).
FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF", "TGA", "QOI")
MAX_PIXELS = 89_478_485  # where Pillow begins to warn of a decompression bomb; here it is an error
# Measured with files of each format, at the peak of `decode`: all of them lie decoded in Pillow (4) and as an image (3).
BYTES_A_PIXEL = {"WEBP": 22, "JPEG2000": 28, "AVIF": 20}
USUAL_BYTES_A_PIXEL = 16
BLOCK_PIXELS = 2**20  # converted at once
ORIENTATION, TURNED = 0x0112, range(2, 9)  # the EXIF tag, and its values but for "upright"
SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")

Take = Callable[[int], None]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


class BadImage(Exception):
    """Why one picture cannot be used; never leaves `ganeval.images`."""

    def __init__(self, why: str) -> None:
        super().__init__(shortened(why))


class Decoded(NamedTuple):
    image: Tensor  # uint8 [3, height, width]
    digest: bytes  # of the pixels
    remarks: tuple[str, ...]


def decode(data: bytes, *, take: Take = lambda size: None) -> Decoded:
    """Picture file → image.

    Args:
        take: told how many bytes decoding takes at most, before it takes them.

    Raises:
        BadImage: with the reason, whatever Pillow made of the bytes.
    """
    if not data:
        raise BadImage("the file is empty (0 bytes)")
    try:
        with Image.open(io.BytesIO(data), formats=formats()) as picture:
            return decoded(picture, take=lambda size: take(2 * len(data) + size))
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage("not a picture in a known format, or damaged where it begins") from None
    except Image.DecompressionBombError as error:
        raise BadImage(f"decompression bomb: {error}") from None
    except MemoryError:
        raise BadImage("out of memory while decoding") from None
    except Exception as error:  # Pillow's parsers raise anything on damaged files: struct.error, KeyError, zlib.error …
        raise BadImage(f"damaged or unsupported: {error or type(error).__name__}") from None


def decoded(picture: Image.Image, *, take: Take = lambda size: None) -> Decoded:
    """An opened picture → image, by the table above; `take` as for `decode`."""
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise BadImage(f"{width}×{height} pixels, over the limit of {MAX_PIXELS:,}: a decompression bomb?")
    if min(width, height) < MIN_SIDE:
        raise BadImage(f"a picture of {width}×{height} pixels has nothing to score")
    take(width * height * BYTES_A_PIXEL.get(picture.format or "", USUAL_BYTES_A_PIXEL))
    remarks = []
    if getattr(picture, "is_animated", False):  # n_frames would go through all of them
        remarks.append("several frames, the first used")
    turned = picture.format == "TIFF" and _orientation(picture) in TURNED
    picture.load()
    if picture.has_transparency_data:
        remarks.append("alpha dropped")
    if turned:
        remarks.append("TIFF rotation applied")
    elif _orientation(picture) in TURNED:
        remarks.append("EXIF rotation not applied")
    image = torch.from_numpy(_pixels(picture))
    return Decoded(image, pixel_digest(image), tuple(remarks))


def _pixels(picture: Image.Image) -> Pixels:
    """uint8 [3, height, width], made block by block: a large picture does not lie in memory in one form more than it must.

    By numpy: torch would start a team of threads for each thread that decodes, and the network's own could no longer have the cores.
    """
    width, height = picture.size
    high_byte = _high_byte(picture)
    pixels = np.empty((3, height, width), np.uint8)
    rows = max(1, BLOCK_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        block = picture if rows >= height else picture.crop((0, top, width, bottom))
        pixels[:, top:bottom] = (np.asarray(block).astype(np.uint32) >> 8)[None] if high_byte else _rgb(block).transpose(2, 0, 1)
    return pixels


def _high_byte(picture: Image.Image) -> bool:
    """Whether its levels have 16 bits.

    Raises:
        BadImage: they have more, or no known range.
    """
    mode = picture.mode
    # Pillow opens 16-bit PGM as 32-bit integers, already scaled to 0…65535.
    if mode in SIXTEEN_BIT or (mode == "I" and picture.format == "PPM"):
        return True
    if mode in ("I", "F"):
        kind = "floating-point" if mode == "F" else "signed or 32-bit integer"
        raise BadImage(f"{kind} gray levels have no known range; save it with 8 or 16 bits a channel")
    if mode == "LAB":
        raise BadImage("LAB colors need a color profile to become RGB; save it as RGB")
    return False


def _rgb(block: Image.Image) -> Pixels:
    if block.mode in ("La", "RGBa"):  # premultiplied alpha, which Pillow undoes on the way to LA and RGBA only
        block = block.convert(block.mode.upper())
    return np.asarray(block if block.mode == "RGB" else block.convert("RGB"))


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1


def formats() -> list[str]:
    """Those of FORMATS that this Pillow can read."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]
