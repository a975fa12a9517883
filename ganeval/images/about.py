"""What a picture file says beside its pixels, and the same picture as another program would have read or written it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ganeval.images.decode import ORIENTATION, TURNED, formats

CAMERA = (0x010F, 0x0110)  # the EXIF tags of maker and model
STANDARD_MEAN = 57.625  # of the luminance table in ITU-T T.81, annex K.1, which the quality settings of encoders scale


class About(NamedTuple):
    """What one file says of itself."""

    format: str  # "PNG", "JPEG" …
    quality: int | None  # of a JPEG, on the scale of libjpeg; None of other formats
    transparent: bool  # whether some pixel is
    rotated: bool  # whether EXIF asks for a rotation or flip that was not applied
    camera: str | None  # that EXIF names


def about(data: bytes) -> About:
    """Of a picture file that can be decoded."""
    with Image.open(io.BytesIO(data), formats=formats()) as picture:
        exif = picture.getexif()
        camera = " ".join(str(exif[tag]).strip("\0 ") for tag in CAMERA if tag in exif)
        return About(
            format=picture.format or "unknown",
            quality=_quality(picture),
            transparent=picture.has_transparency_data and int(_alpha(picture).min()) < 255,
            rotated=picture.format != "TIFF" and exif.get(ORIENTATION, 1) in TURNED,
            camera=camera or None,
        )


def _alpha(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(picture.convert("RGBA").getchannel("A"))


def _quality(picture: Image.Image) -> int | None:
    tables = getattr(picture, "quantization", None)
    if picture.format not in ("JPEG", "MPO") or not tables or 0 not in tables:
        return None
    scale = float(np.mean(tables[0])) / STANDARD_MEAN
    return round(min(100.0, 100 - 50 * scale if scale <= 1 else 50 / scale))


def over_white(data: bytes) -> Tensor:
    """A picture file with transparent pixels, laid on white paper: uint8 [3, height, width]."""
    return _opened(data, lambda picture: Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA")))


def upright(data: bytes) -> Tensor:
    """A picture file, turned as EXIF asks: uint8 [3, height, width]."""
    return _opened(data, ImageOps.exif_transpose)


def as_jpeg(image: Tensor, quality: int) -> Tensor:
    """uint8 [3, height, width], saved as a JPEG of this quality and read again."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy())).save(file, "JPEG", quality=quality)
    return _opened(file.getvalue(), lambda picture: picture)


def _opened(data: bytes, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    with Image.open(io.BytesIO(data), formats=formats()) as picture:
        return torch.from_numpy(np.array(change(picture).convert("RGB"))).permute(2, 0, 1).contiguous()
