"""Pictures inside a page: small copies as data URIs."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

from torch import Tensor

from ganeval.images.sheet import as_picture

LONGEST = 192  # pixels: a tile of a page on a dense screen
EXACT = 64  # up to there a picture is kept without loss, and its pixels are shown as squares
QUALITY = 90  # of JPEG


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """What an <img> needs."""

    data: str
    width: int
    height: int
    small: bool  # its pixels are to be seen as squares


def inline(image: Tensor, *, longest: int = LONGEST) -> Inline:
    """A uint8 image [3, height, width], shrunk where a side is longer than `longest`."""
    picture = as_picture(image)
    picture.thumbnail((longest, longest))
    small = max(image.shape[1:]) <= EXACT
    file, kind = io.BytesIO(), "png" if max(picture.size) <= EXACT else "jpeg"
    picture.save(file, kind, **({} if kind == "png" else {"quality": QUALITY, "subsampling": 0}))
    data = f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
    return Inline(data=data, width=picture.width, height=picture.height, small=small)
