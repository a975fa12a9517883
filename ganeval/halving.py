"""Halving: what memory is too small for at once is done in parts, and what comes next in parts of that size."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from ganeval.errors import InputError, Notice, reason
from ganeval.memory import is_out_of_memory

Batch = TypeVar("Batch", Tensor, range)
Result = TypeVar("Result")


class Halving:
    """Calls functions on batches. One that runs out of memory is called on half as many images, and half of these, until they fit.

    Args:
        who: whose memory it is, for what is said.
    """

    def __init__(self, who: str) -> None:
        self._who = who
        self._most: int | None = None  # images at once that fit; None where all did so far
        self._said = False

    @property
    def halved(self) -> bool:
        """Whether memory was too small for some batch."""
        return self._most is not None

    def __call__(self, act: Callable[[Batch], Result], batch: Batch) -> Sequence[Result]:
        """What `act` makes of the batch, or of one part of it after another.

        Raises:
            InputError: memory is too small for a single image.
        """
        found: list[Result] = []
        start, refused = 0, 0
        while start < len(batch):
            part = batch[start : start + (self._most or len(batch))]
            try:
                found.append(act(part))
                start += len(part)
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if len(part) == 1:
                    raise InputError(
                        f"{self._who} runs out of memory with a single image; free some memory, choose another --device, "
                        f"or make the images smaller ({reason(error)})"
                    ) from None
            # Only here, after the error, are the tensors gone that its frames held.
            if torch.cuda.is_initialized():
                torch.cuda.empty_cache()
            refused, self._most = max(refused, len(part)), (len(part) + 1) // 2
        if refused and not self._said:
            self._said = True
            warnings.warn(
                f"{self._who} runs out of memory with {refused} images at once, so it is given {self._most}, as with --batch-size "
                f"{self._most}; scores differ by float32 rounding at most",
                Notice,
                stacklevel=2,
            )
        return found
