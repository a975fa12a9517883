"""Which numbers scores are computed from: those of float32, whose fourth powers float64 still holds, large and small."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.errors import InputError

LARGEST, SMALLEST = 2.0**128, 2.0**-149  # beyond what float32 can say; between them and 0 in size


def check_range(numbers: Tensor, what: str = "features") -> None:
    """Refuse float64 numbers so large, or all so small, that products of them would be infinite or 0, and a score wrong without a word.

    Args:
        numbers: finite, of any shape. Narrower types than float64 hold no others.

    Raises:
        InputError: the largest, by size, is out of range.
    """
    if numbers.dtype != torch.float64 or numbers.numel() == 0:
        return
    least, most = numbers.aminmax()
    size = max(-least.item(), most.item())
    if not (size == 0 or SMALLEST <= size < LARGEST):
        raise InputError(
            f"the largest of these {what} is {size:.2g} in size, and scores are computed from numbers that float32 can hold, 1.4e-45 to "
            "3.4e+38; check the weights of the extractor, or scale its features"
        )
