"""What extraction leaves of one set of images: only what the chosen metrics need."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganeval.stats import FeatureStats


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Each part is None where no metric asked for it."""

    stats: FeatureStats | None = None
    logits: Tensor | None = None  # float [num_images, classes], in the order of the images
    features: Tensor | None = None  # float [num_images, dim], in the same order
