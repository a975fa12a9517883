"""The table of checks, in the order that findings are told in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ganeval.doctor import colors, compression, copies, counts, detail, files, levels, order, sizes
from ganeval.doctor.check import Check

CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "unreadable": counts.unreadable,
        "swapped-sides": files.swapped_sides,
        "leaks": copies.leaks,
        "half-range": levels.half_range,
        "clipped": levels.clipped,
        "stretched": levels.stretched,
        "wrapped": levels.wrapped,
        "swapped-channels": colors.swapped_channels,
        "gray-against-color": colors.gray_against_color,
        "resolutions": sizes.resolutions,
        "upscaled": detail.upscaled,
        "repeated-pixels": detail.repeated_pixels,
        "jpeg-against-png": compression.jpeg_against_png,
        "jpeg-qualities": compression.jpeg_qualities,
        "mixed-shapes": sizes.mixed_shapes,
        "mixed-sizes": sizes.mixed_sizes,
        "alpha": files.alpha,
        "exif-rotation": files.exif_rotation,
        "blank": levels.blank,
        "duplicates": copies.duplicates,
        "near-duplicates": copies.near_duplicates,
        "class-sorted": order.class_sorted,
        "few-images": counts.few_images,
    }
)
