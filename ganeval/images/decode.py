"""One encoded picture → one uint8 RGB image. Every color mode has one stated conversion, the one that peers use too.

| picture | becomes |
| --- | --- |
| gray, palette, black-and-white | RGB by Pillow's convert |
| CMYK, YCbCr, HSV | RGB by Pillow's convert, without color profile |
| alpha, transparency | dropped, the color below it stays; reported |
| 16 bits a channel | the high byte (65535 → 255): scaled, not clipped |
| 32-bit integer or float gray, LAB | refused: no known range or conversion |
| EXIF rotation | not applied; reported |
| several frames | the first; reported |
"""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ganeval.images.batch import MIN_SIDE
from ganeval.images.seen import pixel_digest

EXTENSIONS = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff",
    ".pbm", ".pgm", ".ppm", ".pnm", ".jp2", ".j2k", ".jpx", ".avif", ".tga", ".qoi",
})  # fmt: skip
# What may be behind those names. A short list on purpose: Pillow's others start programs (EPS) or are no pictures (PDF).
FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF", "TGA", "QOI")
MAX_PIXELS = 89_478_485  # where Pillow begins to warn of a decompression bomb; here it is an error
ORIENTATION = 0x0112  # the EXIF tag
SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")


class BadImage(Exception):
    """Why one picture cannot be used; never leaves `ganeval.images`."""


class Decoded(NamedTuple):
    image: Tensor  # uint8 [3, height, width]
    digest: bytes  # of the pixels
    remarks: tuple[str, ...]


def decode(data: bytes) -> Decoded:
    """Picture file → image.

    Raises:
        BadImage: with the reason, whatever Pillow made of the bytes.
    """
    if not data:
        raise BadImage("the file is empty (0 bytes)")
    try:
        with Image.open(io.BytesIO(data), formats=formats()) as picture:
            return decoded(picture)
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage("not a picture in a known format") from None
    except Image.DecompressionBombError as error:
        raise BadImage(f"decompression bomb: {error}") from None
    except MemoryError:
        raise BadImage("out of memory while decoding") from None
    except Exception as error:  # Pillow's parsers raise anything on damaged files: struct.error, KeyError, zlib.error …
        raise BadImage(f"damaged or unsupported: {error or type(error).__name__}") from None


def decoded(picture: Image.Image) -> Decoded:
    """An opened picture → image, by the table above."""
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise BadImage(f"{width}×{height} pixels, over the limit of {MAX_PIXELS:,}: a decompression bomb?")
    if min(width, height) < MIN_SIDE:
        raise BadImage(f"a picture of {width}×{height} pixels has nothing to score")
    remarks = []
    if getattr(picture, "n_frames", 1) > 1:
        remarks.append("several frames, the first used")
    picture.load()
    if picture.has_transparency_data:
        remarks.append("alpha dropped")
    if _orientation(picture) in range(2, 9):
        remarks.append("EXIF rotation not applied")
    # By numpy: torch would start a team of threads for each thread that decodes, and the network's own could no longer have the cores.
    image = torch.from_numpy(np.ascontiguousarray(_rgb(picture).transpose(2, 0, 1)))
    return Decoded(image, pixel_digest(image), tuple(remarks))


def _rgb(picture: Image.Image) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    mode = picture.mode
    # Pillow opens 16-bit PGM as 32-bit integers, already scaled to 0…65535.
    if mode in SIXTEEN_BIT or (mode == "I" and picture.format == "PPM"):
        high = (np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8)
        return np.repeat(high[:, :, None], 3, axis=2)
    if mode in ("I", "F"):
        kind = "floating-point" if mode == "F" else "32-bit integer"
        raise BadImage(f"{kind} gray levels have no known range; save it with 8 or 16 bits a channel")
    if mode == "LAB":
        raise BadImage("LAB colors need a color profile to become RGB; save it as RGB")
    if mode in ("La", "RGBa"):  # premultiplied alpha, which Pillow undoes on the way to LA and RGBA only
        picture = picture.convert(mode.upper())
    return np.array(picture if mode == "RGB" else picture.convert("RGB"))


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1


def formats() -> list[str]:
    """What pictures may be in, of what this Pillow can read."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]
