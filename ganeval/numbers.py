"""Which numbers scores are computed from: those of float32, whose fourth powers float64 still holds, large and small."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.errors import InputError

LARGEST, SMALLEST = 2.0**128, 2.0**-149  # beyond what float32 can say; between them and 0 in size


def check_logits(logits: Tensor) -> None:
    """Refuse logits that have no softmax.

    Raises:
        InputError: they are NaN, infinite, or so large that their differences are.
    """
    if not logits.isfinite().all():
        raise InputError("some logits are NaN or infinite; check the weights of the extractor")
    check_range(logits, "logits", smallest=0.0)


def check_range(numbers: Tensor, what: str = "features", *, smallest: float = SMALLEST) -> None:
    """Refuse float64 numbers so large, or all so small, that products of them would be infinite or 0, and a score wrong without a word.

    Args:
        numbers: finite, of any shape. Narrower types than float64 hold no others.
        smallest: what the largest of them must reach, if it is not 0.

    Raises:
        InputError: the largest, by size, is out of range.
    """
    if numbers.dtype != torch.float64 or numbers.numel() == 0:
        return
    least, most = numbers.aminmax()
    size = max(-least.item(), most.item())
    if not (size == 0 or smallest <= size < LARGEST):
        raise InputError(
            f"the largest of these {what} is {size:.2g} in size, and scores are computed from numbers that float32 can hold, 1.4e-45 to "
            f"3.4e+38; check the weights of the extractor, or scale its {what}"
        )
